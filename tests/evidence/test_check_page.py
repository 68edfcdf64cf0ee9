"""The check of the log from the page: asked for by an auditor, done by the worker, logged."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from lifecycle import action_log, jobs
from lifecycle.models import ActionEntry, LogCheckpoint, LogVerification
from tests.evidence.conftest import write

pytestmark = pytest.mark.django_db
PAGE, START = "/log/verify/", "/log/verify/start/"


@pytest.fixture
def auditor(as_user, ana):
    return as_user(ana)


def events() -> list[str]:
    return list(ActionEntry.objects.filter(event__startswith="log.").order_by("seq")
                .values_list("event", flat=True))  # fmt: skip


class TestCheck:
    def test_is_asked_for_done_and_logged(self, auditor, sign):
        write(5)
        sign()
        assert auditor.post(START).status_code == 303
        check = LogVerification.objects.get()
        assert OrmQ.objects.count() == 1
        assert "A check is under way" in auditor.get(PAGE).content.decode()
        assert jobs.verify_log(check.pk) == "whole"
        assert jobs.verify_log(check.pk) == ""  # a second delivery does nothing
        check.refresh_from_db()
        assert (check.checked, check.checkpoints, check.signatures_checked) == (7, 1, True)
        assert events() == ["log.check_requested", "log.checked"]
        page = auditor.get(PAGE).content.decode()
        assert "everything fits" in page
        assert LogCheckpoint.objects.get().root in page

    def test_names_the_first_bad_entry(self, auditor, forger):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE lifecycle_actionentry SET role = 'hr' WHERE seq = 12")
        auditor.post(START, {"full": "1"})
        assert jobs.verify_log(LogVerification.objects.get().pk) == "broken"
        page = auditor.get(PAGE).content.decode()
        assert "Entry 12 is the first that does not fit" in page
        assert reverse("log-entry", args=[12]) in page
        newest = ActionEntry.objects.order_by("-seq")[0]
        assert "entry 12 does not fit" in action_log.sentence(newest).en

    def test_a_tampered_entry_can_still_be_looked_at(self, auditor, forger):
        for body in ("{}", "[", '{"data":{"kind":"x"}}', '{"data":1}'):
            with connection.cursor() as cursor:
                cursor.execute("UPDATE lifecycle_actionentry SET body = %s WHERE seq = 12", [body])
                cursor.execute(
                    "UPDATE lifecycle_actionentry SET event = 'user.created' WHERE seq=12"
                )
            assert auditor.get(reverse("log-entry", args=[12])).status_code == 200
            assert auditor.get(reverse("log")).status_code == 200

    def test_says_how_many_copies_outside_it_compared(self, auditor, sign, outside):
        write(2)
        sign()
        assert self.found(auditor) == ("whole", 1, "")
        assert "compared with 1 checkpoints outside" in auditor.get(PAGE).content.decode()

    def test_says_when_it_compared_none(self, auditor, sign):
        write(2)
        sign()
        assert self.found(auditor) == ("whole", 0, "")
        page = auditor.get(PAGE).content.decode()
        assert "no checkpoint outside the database was compared" in page

    @pytest.mark.parametrize("kind", ["nothing", "a file"])
    def test_breaks_off_when_the_folder_outside_is_away(self, kind, auditor, sign, outside):
        write(2)
        sign()
        for path in outside.iterdir():
            path.unlink()
        outside.rmdir()
        if kind == "a file":
            outside.write_text("")
        assert self.found(auditor) == ("failed", None, "outside-unreadable")
        page = auditor.get(PAGE).content.decode()
        assert "is away or cannot be read" in page
        assert "everything fits" not in page

    def test_breaks_off_when_a_copy_cannot_be_read(self, auditor, sign, outside):
        (outside / "checkpoint-000000000001.json").mkdir()
        assert self.found(auditor) == ("failed", None, "outside-unreadable")

    @pytest.mark.parametrize("is_signed", [True, False])
    def test_warns_when_no_signature_was_checked(self, is_signed, auditor, settings, request):
        if is_signed:
            write(2)
            request.getfixturevalue("sign")()
            settings.LOG_SIGNING_KEY_FILE = ""
        assert self.found(auditor)[0] == "whole"
        page = auditor.get(PAGE).content.decode()
        assert "fits, but without a signature" in page
        assert "everything fits" not in page
        assert 'data-tone="good"' not in page
        newest = ActionEntry.objects.order_by("-seq")[0]
        assert "no signature was checked" in action_log.sentence(newest).en

    def test_of_a_number_that_is_none_ends_and_names_the_fault(self, auditor, forger):
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL takes nothing else for a number")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO lifecycle_privatevalue (seq, field, salt, value)"
                " VALUES ('x', 'reason', '00', 'x')"
            )
        LogVerification.objects.create(requested_at=timezone.now())
        assert jobs.verify_log(LogVerification.objects.get().pk) == "broken"
        check = LogVerification.objects.get()
        assert check.fault == "private-value-changed"
        page = auditor.get(PAGE).content.decode()
        assert "What stands beside the chain was changed." in page
        newest = ActionEntry.objects.order_by("-seq")[0]
        assert action_log.sentence(newest).en.endswith("does not fit")

    def found(self, auditor) -> tuple[str, int | None, str]:
        auditor.post(START)
        check = LogVerification.objects.get()
        jobs.verify_log(check.pk)
        check.refresh_from_db()
        return check.state, check.outside, check.fault

    def test_a_second_click_joins_the_check_under_way(self, auditor):
        auditor.post(START)
        auditor.post(START)
        assert LogVerification.objects.count() == 1

    def test_says_when_there_is_no_key(self, auditor):
        assert "No checkpoints are signed" in auditor.get(PAGE).content.decode()

    def test_costs_the_same_however_much_there_is(self, auditor, sign):
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert auditor.get(PAGE).status_code == 200
            return len(queries)

        auditor.get(PAGE)
        few = cost()
        for _ in range(3):
            write(2)
            sign()
        assert cost() == few <= 12

    @pytest.mark.parametrize("who", ["mei", "li", "zhou"])
    def test_is_for_auditors(self, who, as_user, request):
        client = as_user(request.getfixturevalue(who))
        assert client.get(PAGE).status_code == 403
        assert client.post(START).status_code == 403
        assert not LogVerification.objects.exists()
