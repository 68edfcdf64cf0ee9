"""The check of the log from the page: asked for by an auditor, done by the worker, logged."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
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
