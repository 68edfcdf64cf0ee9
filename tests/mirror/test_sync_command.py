"""`manage.py sync`, as a person at a terminal sees it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from lifecycle.models import Employee, SyncRun
from lifecycle.services import sync
from tests.mirror.test_sync import without_scope

pytestmark = pytest.mark.django_db


def run(*kinds: str) -> str:
    out = StringIO()
    call_command("sync", *kinds, stdout=out)
    return out.getvalue()


class TestSyncCommand:
    def test_says_what_was_read(self, sandbox):
        lines = run().splitlines()
        assert [line.split()[0] for line in lines] == list(sync.KINDS)
        count = len(sandbox.records("talents"))
        assert f"talents        {count} read, {count} stored" in lines

    def test_reads_only_the_kinds_asked_for(self, sandbox):
        assert run("talents").startswith("talents ")
        assert SyncRun.objects.count() == 1

    def test_says_plainly_that_there_is_no_such_kind(self, sandbox):
        with pytest.raises(CommandError) as error:
            run("talent")
        assert str(error.value).startswith("There is no kind called talent. Kinds: departments, ")
        assert sandbox.requests() == []

    def test_ends_with_status_1_after_all_the_others(self, sandbox):
        without_scope(sandbox, "H1", "hire:talent:readonly")
        out = StringIO()
        with pytest.raises(CommandError) as error:
            call_command("sync", stdout=out)
        assert error.value.returncode == 1
        assert str(error.value) == "Not complete: talents. The reasons stand above."
        assert "talents        failed: scope-missing hire:talent:readonly " in out.getvalue()
        assert Employee.objects.exists()

    def test_names_records_put_aside(self, sandbox):
        sandbox.patch("employees", sandbox.records("employees")[0]["id"], onboard_status=9)
        assert "1 put aside as unreadable" in run("applications", "employees")

    def test_leaves_a_kind_to_the_process_that_is_at_it(self, sandbox):
        sync._begin("talents")
        assert run("talents") == "talents        is being synced by another process\n"
