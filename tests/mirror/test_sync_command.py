"""`manage.py sync`, as a person at a terminal sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from lifecycle.models import Employee, SyncRun
from lifecycle.services import sync
from tests.mirror.test_sync import without_scope

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def run(*kinds: str) -> str:
    out = StringIO()
    call_command("sync", *kinds, stdout=out)
    return out.getvalue()


@pytest.mark.thorough
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

    def test_goes_on_from_where_a_dead_process_has_stopped(self, sandbox):
        dead = sync._begin("talents")
        first = next(sync.KINDS["talents"].steps(dead))
        sync._advance(dead, first)
        SyncRun.objects.update(lease_until=timezone.now() + timedelta(seconds=1))
        sandbox.clear_requests()
        waited, done = run("talents").splitlines()
        assert waited.startswith("talents        is being synced by another process, or one that")
        assert done.startswith(f"talents        {len(sandbox.records('talents'))} read, ")
        assert sandbox.requests()[0]["query"]["page_token"] == first.cursor

    @pytest.mark.parametrize(
        ("since", "says"), [(None, "was synced by another process"), (NOW, "read, ")]
    )
    def test_waits_for_the_process_that_is_at_it(self, sandbox, since, says):
        """A pass over what has changed since some moment is not what was asked for."""
        other = sync._begin("talents", since)
        out = Waited(lambda: sync._finish(other, None))
        call_command("sync", "talents", stdout=out)
        assert says in out.getvalue().splitlines()[-1]


class Waited(StringIO):
    """Standard output that has the other process end once the command says that it waits."""

    def __init__(self, ends: Callable[[], None]) -> None:
        super().__init__()
        self._ends = ends

    def flush(self) -> None:
        if "waiting until it ends" in self.getvalue().splitlines()[-1]:
            self._ends()
