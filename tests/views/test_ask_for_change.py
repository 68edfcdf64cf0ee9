"""Form, plan, confirmation: with htmx in the side panel, and without any script."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from lifecycle.models import Attempt, Employee, StatusChange
from tests.views.conftest import HTMX

pytestmark = pytest.mark.django_db


def hidden(page, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, name
    return found[1]


@pytest.fixture
def address(bo: Employee) -> str:
    return reverse("convert-employee", args=[bo.pk])


@pytest.fixture
def today() -> str:
    return timezone.localdate().isoformat()


def confirmation(plan, today: str) -> dict[str, str]:
    return {
        "step": "confirm",
        "converted_on": today,
        "reason": "as agreed",
        **{n: hidden(plan, n) for n in ("submission_key", "pre_image_hash", "payload_hash")},
    }


class TestConvertEmployee:
    def test_the_form_starts_with_the_day_it_is_due(self, as_user, mei, bo, address):
        page = as_user(mei).get(address)
        assert f'value="{bo.expected_conversion_on.isoformat()}"' in page.text

    def test_the_plan_shows_who_what_when_and_the_exact_request(
        self, as_user, mei, bo, address, today
    ):
        page = as_user(mei).post(address, {"step": "plan", "converted_on": today})
        assert page.status_code == 200
        text = page.text
        assert bo.person.name in text
        assert "/open-apis/hire/v1/employees/" in text
        assert "&quot;operation&quot;: 1" in text
        assert "It is sent to Feishu as soon as you confirm." in text
        assert not StatusChange.objects.exists()

    def test_confirming_leads_to_the_page_of_the_change(self, as_user, mei, mirror, address, today):
        client = as_user(mei)
        plan = client.post(address, {"step": "plan", "converted_on": today, "reason": "as agreed"})
        answer = client.post(address, confirmation(plan, today))
        change = StatusChange.objects.get()
        assert answer.status_code == 303
        assert answer["Location"] == reverse("change", args=[change.pk])
        assert (change.requested_by, change.reason, change.status) == (mei, "as agreed", "approved")
        assert not mirror.requests(writes=True)

    def test_confirming_twice_is_one_change(self, as_user, mei, address, today):
        client = as_user(mei)
        plan = client.post(address, {"step": "plan", "converted_on": today})
        answers = [client.post(address, confirmation(plan, today)) for _ in range(2)]
        assert answers[0]["Location"] == answers[1]["Location"]
        assert StatusChange.objects.count() == 1

    def test_a_changed_form_is_planned_again_instead(self, as_user, mei, address, today):
        client = as_user(mei)
        plan = client.post(address, {"step": "plan", "converted_on": today})
        values = confirmation(plan, today) | {"converted_on": "2026-12-31"}
        answer = client.post(address, values)
        assert answer.status_code == 422
        assert "What you confirmed is out of date" in answer.text
        assert hidden(answer, "payload_hash") != values["payload_hash"]
        assert hidden(answer, "submission_key") != values["submission_key"]
        assert not StatusChange.objects.exists()

    @pytest.mark.parametrize("key", ["", "x", "0" * 500])
    def test_a_damaged_key_is_planned_again(self, as_user, mei, address, today, key):
        client = as_user(mei)
        plan = client.post(address, {"step": "plan", "converted_on": today})
        answer = client.post(address, confirmation(plan, today) | {"submission_key": key})
        assert answer.status_code == 422
        assert not StatusChange.objects.exists()

    def test_all_blockers_are_said_at_once_and_there_is_nothing_to_confirm(
        self, as_user, mei, bo, address, today
    ):
        before = bo.onboarded_on.replace(year=bo.onboarded_on.year - 1).isoformat()
        client = as_user(mei)
        first = client.post(address, {"step": "plan", "converted_on": today})
        client.post(address, confirmation(first, today))
        page = client.post(address, {"step": "plan", "converted_on": before})
        assert "2 points stand in the way" in page.text
        assert 'value="confirm"' not in page.text

    @pytest.mark.parametrize("day", ["", "tomorrow", "2026-02-30", "21/11/2026"])
    def test_a_day_that_is_none_is_asked_again(self, as_user, mei, address, day):
        page = as_user(mei).post(address, {"step": "plan", "converted_on": day})
        assert page.status_code == 422
        assert "errorlist" in page.text

    def test_going_back_keeps_what_was_typed(self, as_user, mei, address):
        values = {"step": "edit", "converted_on": "2026-12-24", "reason": "before the holidays"}
        page = as_user(mei).post(address, values)
        assert page.status_code == 200
        assert 'value="2026-12-24"' in page.text
        assert "before the holidays" in page.text

    def test_old_facts_are_called_old_when_feishu_is_silent(
        self, as_user, mei, mirror, address, today
    ):
        mirror.fault("drop_before", on="all", times=5)
        page = as_user(mei).post(address, {"step": "plan", "converted_on": today})
        assert page.status_code == 200
        assert "Feishu cannot be reached right now" in page.text


class TestInTheSidePanel:
    def test_every_step_is_a_piece_with_the_same_root(self, as_user, mei, bo, address, today):
        client = as_user(mei)
        root = f'id="convert-employee-{bo.pk}"'
        form = client.get(address, **HTMX)
        plan = client.post(address, {"step": "plan", "converted_on": today}, **HTMX)
        done = client.post(address, confirmation(plan, today), **HTMX)
        for page in (form, plan, done):
            assert root in page.text[:80]
            assert "<html" not in page.text

    def test_confirming_on_the_list_changes_the_row_too(self, as_user, mei, bo, address, today):
        client = as_user(mei)
        plan = client.post(address, {"step": "plan", "converted_on": today}, **HTMX)
        here = {"HTTP_HX_CURRENT_URL": f"http://testserver{reverse('employees')}?status=due7"}
        done = client.post(address, confirmation(plan, today), **HTMX, **here)
        assert f'<tr id="employee-{bo.pk}"' in done.text
        assert 'hx-swap-oob="true"' in done.text
        assert "/live/?seen=" in done.text

    def test_a_wrong_form_is_422_and_only_the_form(self, as_user, mei, address):
        page = as_user(mei).post(address, {"step": "plan", "converted_on": "x"}, **HTMX)
        assert page.status_code == 422
        assert "<html" not in page.text


class TestFollowing:
    @pytest.fixture
    def change(self, asking, bo) -> StatusChange:
        return asking.ask(bo)

    def test_the_live_part_is_left_alone_while_nothing_moves(self, as_user, mei, change, worker):
        client = as_user(mei)
        page = client.get(reverse("change", args=[change.pk]))
        live = re.search(r'hx-get="([^"]+/live/\?seen=[^"]+)"', page.text)[1]
        assert client.get(live, **HTMX).status_code == 204
        worker(change)
        moved = client.get(live, **HTMX)
        assert moved.status_code == 200
        assert 'data-status="succeeded"' in moved.text
        assert "hx-trigger" not in moved.text.split("<ol")[0]

    def test_the_page_tells_the_end_with_feishus_log_id(self, as_user, mei, bo, change, worker):
        worker(change)
        page = as_user(mei).get(reverse("change", args=[change.pk]))
        assert f"{bo.person.name} is converted as of" in page.text
        assert Attempt.objects.get().log_id in page.text

    def test_silence_is_a_state_with_a_time(self, as_user, mei, mirror, change, worker):
        mirror.fault("drop_after", on="writes", times=1)
        worker(change)
        page = as_user(mei).get(reverse("change", args=[change.pk]))
        assert "Checking with Feishu whether it took effect" in page.text
        assert "Next look in Feishu:" in page.text
        assert 'hx-trigger="every 5s"' in page.text

    def test_a_refusal_is_said_in_words_with_advice(self, as_user, mei, mirror, change, worker):
        mirror.fault("code", on="writes", times=1, code=1002908)
        worker(change)
        page = as_user(mei).get(reverse("change", args=[change.pk]))
        assert "lets e-HR/OA systems sync" in page.text
        assert f"{reverse('help-errors')}?q=1002908" in page.text
        assert change.log_id in page.text

    def test_an_undocumented_code_keeps_feishus_own_words(self, as_user, mei, change):
        StatusChange.objects.filter(pk=change.pk).update(
            status="failed", finished_at=timezone.now(), problem="feishu.refused",
            feishu_code=4242, feishu_msg="odd <thing>", log_id="LOG-1", next_run_at=None,
        )  # fmt: skip
        page = as_user(mei).get(reverse("change", args=[change.pk]))
        assert "a code it does not document" in page.text
        assert "odd &lt;thing&gt;" in page.text
        assert "LOG-1" in page.text

    def test_cancelling_before_it_is_sent(self, as_user, mei, change):
        client = as_user(mei)
        answer = client.post(reverse("cancel-change", args=[change.pk]))
        assert answer.status_code == 303
        page = client.get(reverse("change", args=[change.pk]))
        assert "Nothing was sent to Feishu." in page.text
        assert reverse("cancel-change", args=[change.pk]) not in page.text

    def test_cancelling_too_late_shows_how_it_stands(self, as_user, mei, change, worker):
        worker(change)
        answer = as_user(mei).post(reverse("cancel-change", args=[change.pk]), **HTMX)
        assert answer.status_code == 422
        assert "This change has moved on" in answer.text
        assert 'data-status="succeeded"' in answer.text

    @pytest.mark.parametrize(
        ("verdict", "status"),
        [("applied", "succeeded"), ("not_applied", "failed"), ("look_again", "verifying")],
    )
    def test_a_colleague_decides(self, as_user, hua, change, verdict, status):
        StatusChange.objects.filter(pk=change.pk).update(
            status="needs_attention", problem="change.conflict", next_run_at=None,
            observed={"onboard_status": 1, "conversion_status": 2, "actual_conversion_time": 1},
        )  # fmt: skip
        client, address = as_user(hua), reverse("decide-change", args=[change.pk])
        page = client.get(reverse("change", args=[change.pk]))
        assert "In Feishu now" in page.text
        assert client.post(address, {"verdict": verdict, "reason": " "}).status_code == 422
        assert (
            client.post(address, {"verdict": verdict, "reason": "seen in Hire"}).status_code == 303
        )
        change.refresh_from_db()
        assert change.status == status
