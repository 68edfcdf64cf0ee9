"""What the safeguards look like: the banner, the page, the second person, the held-back sync."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lifecycle.changes.kinds import kind_named
from lifecycle.models import Employee, Role, StatusChange, SyncCase, SyncRun, User
from lifecycle.services import guards as guard_service
from lifecycle.services import sync
from tests.builders import a_change, a_sync, an_employee
from tests.views.conftest import HTMX

pytestmark = pytest.mark.django_db

BANNER = 'id="writes-stopped"'


def stop(user) -> None:
    guard_service.stop_writes(reason="wrong list", acting_user=user, at=timezone.now())


def a_pending_change(by, name: str = "柏小林") -> StatusChange:
    return a_change(
        an_employee(name, leader="ou_li"),
        by=by,
        status="pending",
        next_run_at=None,
        problem="guard.daily-limit",
    )


class TestBanner:
    @pytest.mark.parametrize("name", ["changes", "sync", "help-errors", "log"])
    def test_is_on_every_page_of_those_who_may_see_it(self, as_user, mei, ana, zhou, li, name):
        assert BANNER not in as_user(mei).get(reverse(name)).text
        stop(mei)
        for user in (mei, ana, zhou):
            page = as_user(user).get(reverse(name)).text
            assert BANNER in page
            assert "wrong list" in page
            assert "by 梅" in page
        assert BANNER not in as_user(li).get(reverse(name)).text

    def test_costs_at_most_one_query(self, as_user, mei, li):
        change = a_change(an_employee(leader="ou_li"), by=mei)
        for user, most in ((mei, 1), (li, 0)):
            client = as_user(user)
            for address in (reverse("changes"), reverse("change", args=[change.pk])):
                with CaptureQueriesContext(connection) as captured:
                    client.get(address)
                asked = [q for q in captured if "lifecycle_writesswitch" in q["sql"]]
                assert len(asked) <= max(most, address != reverse("changes")), address

    def test_is_not_asked_for_with_a_partial(self, as_user, mei):
        with CaptureQueriesContext(connection) as captured:
            as_user(mei).get(reverse("changes"), **HTMX)
        assert not [q for q in captured if "lifecycle_writesswitch" in q["sql"]]


class TestPage:
    def test_stops_and_starts(self, as_user, mei, zhou):
        hr, administrator = as_user(mei), as_user(zhou)
        page = hr.get(reverse("guards")).text
        assert "Stop all writes to Feishu now" in page
        answer = hr.post(reverse("stop-writes"), {"reason": "wrong list"}, follow=True)
        assert "Writing to Feishu is stopped." in answer.text
        assert "Ask an administrator to let it go on." in answer.text
        assert reverse("start-writes") not in answer.text
        page = administrator.get(reverse("guards")).text
        assert reverse("start-writes") in page
        answer = administrator.post(reverse("start-writes"), {"reason": "over"}, follow=True)
        assert "Writing to Feishu goes on." in answer.text

    def test_hr_cannot_start(self, as_user, mei):
        stop(mei)
        assert as_user(mei).post(reverse("start-writes"), {"reason": "x"}).status_code == 403

    def test_a_missing_reason_is_said_and_the_page_stays(self, as_user, mei):
        answer = as_user(mei).post(reverse("stop-writes"), {"reason": " "})
        assert answer.status_code == 422
        assert "Give a reason." in answer.text

    def test_a_second_stop_is_said(self, as_user, mei, hua):
        stop(mei)
        answer = as_user(hua).post(reverse("stop-writes"), {"reason": "also this"})
        assert answer.status_code == 409
        assert "stopped already" in answer.text

    def test_shows_the_limits_of_today(self, as_user, mei, asking, bo, settings):
        settings.DAILY_LIMITS = {"convert_employee": 1}
        asking.ask(bo)
        page = as_user(mei).get(reverse("guards"))
        title = kind_named("convert_employee").title
        (used,) = (row for row in page.context["limits"] if row.title == title)
        assert (used.count, used.limit, used.is_reached) == (1, 1, True)
        assert "needs a second person" in page.text

    def test_tells_administrators_of_no_limit_of_their_own(self, as_user, mei, zhou):
        assert "Confirmed by yourself" in as_user(mei).get(reverse("guards")).text
        assert "Confirmed by yourself" not in as_user(zhou).get(reverse("guards")).text


class TestWaitingChange:
    def test_says_why_it_waits(self, as_user, mei, li):
        change = a_change(an_employee(leader="ou_li"), by=mei)
        stop(mei)
        for user in (mei, li):
            page = as_user(user).get(reverse("change", args=[change.pk])).text
            assert "Waits because writing to Feishu is stopped since" in page
            assert "by 梅" in page
            assert "Next step:" not in page

    def test_says_so_for_a_later_day_too(self, as_user, mei):
        tomorrow = timezone.now() + timedelta(days=1)
        change = a_change(an_employee(), by=mei, at=tomorrow)
        stop(mei)
        page = as_user(mei).get(reverse("change", args=[change.pk])).text
        assert "Besides, writing to Feishu is stopped since" in page

    def test_the_live_part_is_still_until_writing_goes_on(self, as_user, mei, zhou):
        change = a_change(an_employee(), by=mei)
        stop(mei)
        client, address = as_user(mei), reverse("change-live", args=[change.pk])
        stamp = client.get(address, **HTMX).context["stamp"]
        StatusChange.objects.update(next_run_at=timezone.now() + timedelta(seconds=15))
        assert client.get(address, {"seen": stamp}, **HTMX).status_code == 204
        guard_service.start_writes(reason="over", acting_user=zhou, at=timezone.now())
        assert client.get(address, {"seen": stamp}, **HTMX).status_code == 200

    def test_no_longer_says_so_afterwards(self, as_user, mei):
        change = a_change(an_employee(), by=mei, problem="guard.writes-stopped")
        page = as_user(mei).get(reverse("change", args=[change.pk])).text
        assert "About to be sent" in page


class TestSecondPerson:
    def test_reads_who_may_confirm_and_confirms(self, as_user, settings, asking, bo, hua):
        settings.DAILY_LIMITS = {"convert_employee": 0}
        change = asking.ask(bo)
        client, address = as_user(hua), reverse("change", args=[change.pk])
        page = client.get(address).text
        assert "Awaiting a second person" in page
        assert "Who may confirm it:" in page
        assert "华" in page
        hashes = {n: getattr(change, n) for n in ("payload_hash", "pre_image_hash")}
        assert all(value in page for value in hashes.values())
        answer = client.post(
            reverse("approve-change", args=[change.pk]), hashes | {"verdict": "approve"}
        )
        assert answer.status_code == 303
        assert "Confirmed by 华 as a second person" in client.get(address).text

    def test_rejects_with_a_reason(self, as_user, mei, hua):
        change = a_pending_change(mei)
        client, address = as_user(hua), reverse("approve-change", args=[change.pk])
        answer = client.post(address, {"verdict": "reject"}, **HTMX)
        assert answer.status_code == 422
        assert "Say why you reject it." in answer.text
        answer = client.post(address, {"verdict": "reject", "reason": "not now"}, **HTMX)
        assert answer.status_code == 200
        assert "Rejected by 华" in answer.text
        assert "not now" in as_user(mei).get(reverse("change", args=[change.pk])).text

    def test_sees_that_it_became_void(self, as_user, settings, asking, bo, hua, mirror):
        settings.DAILY_LIMITS = {"convert_employee": 0}
        change = asking.ask(bo)
        mirror.patch("employees", bo.feishu_id, expected_conversion_time=1767052800000)
        hashes = {n: getattr(change, n) for n in ("payload_hash", "pre_image_hash")}
        answer = as_user(hua).post(reverse("approve-change", args=[change.pk]), hashes)
        assert answer.status_code == 422
        assert "so this change is void" in answer.text
        assert 'name="verdict"' not in answer.text

    @pytest.mark.parametrize("value", ["", "x", "0" * 64, "\x00"])
    def test_a_damaged_form_confirms_nothing(self, as_user, mei, hua, value):
        change = a_pending_change(mei)
        answer = as_user(hua).post(
            reverse("approve-change", args=[change.pk]),
            {"payload_hash": value, "pre_image_hash": value, "verdict": value},
        )
        assert answer.status_code == 422
        change.refresh_from_db()
        assert change.is_pending

    def test_the_requester_reads_that_somebody_else_has_to(self, as_user, mei, hua):
        change = a_pending_change(mei)
        page = as_user(mei).get(reverse("change", args=[change.pk])).text
        assert "another HR colleague has to confirm it" in page
        assert "Cancel this change" in page
        answer = as_user(mei).post(reverse("approve-change", args=[change.pk]), {})
        assert answer.status_code == 422

    def test_has_a_tab_and_is_counted(self, as_user, mei, hua):
        a_pending_change(mei)
        a_change(an_employee("乙"), by=mei)
        page = as_user(hua).get(reverse("changes"), {"status": "pending"})
        assert [change.is_pending for change in page.context["page"].rows] == [True]
        assert page.context["attention_count"] == 1
        page = as_user(mei).get(reverse("changes"))
        assert page.context["attention_count"] == 0

    def test_pages_take_as_many_queries_for_many_colleagues(self, as_user, mei, hua):
        change, counts = a_pending_change(mei), []
        client = as_user(hua)
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                client.get(reverse("change", args=[change.pk]))
            counts.append(len(captured))
            for number in range(12):
                User.objects.create_user(f"hr{len(counts)}-{number}", role=Role.HR)
        assert counts[0] == counts[1]
        assert "and 17 more" in client.get(reverse("change", args=[change.pk])).text


class TestHeldBackSync:
    @pytest.fixture
    def case(self, mirror) -> SyncCase:
        for employee in Employee.objects.order_by("pk")[:20]:
            mirror.delete("employees", employee.feishu_id)
        sync.sync_kind("employees")
        return SyncCase.objects.get()

    def test_shows_the_numbers_and_some_names(self, as_user, mei, case):
        page = as_user(mei).get(reverse("sync")).text
        assert f"The portal lists {case.present} " in page
        assert "20 are missing" in page
        assert Employee.objects.get(person_id=case.sample[0]).person.name in page

    def test_shows_no_names_to_administrators(self, as_user, zhou, case):
        page = as_user(zhou).get(reverse("sync")).text
        assert "20 are missing" in page
        assert "Some of them" not in page

    def test_is_decided_by_those_who_may_start_a_sync(self, as_user, mei, ana, case):
        address = reverse("decide-sync-case", args=[case.pk])
        assert address not in as_user(ana).get(reverse("sync")).text
        assert as_user(ana).post(address, {"decision": "go_on"}).status_code == 403
        assert as_user(mei).post(address, {"decision": "go_on"}).status_code == 422
        why = {"decision": "go_on", "reason": "they have left"}
        answer = as_user(mei).post(address, why, follow=True)
        assert "The next sync takes them off the lists." in answer.text
        assert "梅 said at" in answer.text

    def test_a_second_decision_is_said(self, as_user, mei, case):
        address = reverse("decide-sync-case", args=[case.pk])
        why = {"reason": "a fault"}
        as_user(mei).post(address, {"decision": "ignore"} | why)
        answer = as_user(mei).post(address, {"decision": "go_on"} | why, follow=True)
        assert "Somebody has decided this already" in answer.text
        assert as_user(mei).post(address, {"decision": "\x00"}).status_code == 303

    def test_costs_one_query_while_there_is_none(self, as_user, mei):
        a_sync()
        with CaptureQueriesContext(connection) as captured:
            as_user(mei).get(reverse("sync"))
        assert len([q for q in captured if "lifecycle_synccase" in q["sql"]]) == 1
        assert not SyncRun.objects.filter(cases__isnull=False).exists()
