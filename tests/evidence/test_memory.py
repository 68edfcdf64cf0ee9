"""Whoever owns the database and nothing else cannot have the worker sign a rewritten log."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from lifecycle import append_only, jobs
from lifecycle.evidence import checkpoints, keys, memory
from lifecycle.evidence.checking import verify
from lifecycle.evidence.hashes import GENESIS, canonical, entry_hash, text_hash
from lifecycle.models import ActionEntry, ActionLogHead, LogCheckpoint, LogVerification
from tests.evidence.conftest import new_key, write

pytestmark = pytest.mark.django_db
TABLE = "lifecycle_actionentry"


def sql(statement: str, *params) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


@pytest.fixture
def signed(sign):
    """Eight entries, with checkpoints at 3 and 6; the triggers are lifted."""
    for first in (1, 4):
        write(3, first=first)
        sign()
    write(2, first=7)
    append_only.lift(connection)


@pytest.fixture
def exported(outside, signed) -> Path:
    """The same, with a folder outside."""
    return outside


def rewrite(first: int) -> None:
    """Another entry, every hash after it made anew, and no checkpoint left."""
    prev = ActionEntry.objects.get(seq=first - 1).hash if first > 1 else GENESIS
    entries = ActionEntry.objects.filter(seq__gte=first).order_by("seq")
    for seq, body in entries.values_list("seq", "body"):
        if seq == first:
            body = canonical(json.loads(body) | {"person": 77})
            sql(f"UPDATE {TABLE} SET person_ref = 77 WHERE seq = %s", seq)  # noqa: S608
        made = entry_hash(prev, body)
        statement = f"UPDATE {TABLE} SET body = %s, prev = %s, hash = %s WHERE seq = %s"  # noqa: S608
        sql(statement, body, prev, made, seq)
        prev = made
    ActionLogHead.objects.update(hash=prev)
    LogCheckpoint.objects.all().delete()


def refusal() -> checkpoints.NotSigned:
    """What the worker says; nothing is signed."""
    before = list(LogCheckpoint.objects.values_list("size", "text"))
    with pytest.raises(checkpoints.NotSigned) as error:
        checkpoints.sign(timezone.now())
    assert list(LogCheckpoint.objects.values_list("size", "text")) == before
    return error.value


class TestRewrittenLog:
    def test_fits_in_itself_and_is_not_signed(self, signed):
        rewrite(2)
        assert list(verify())[-1].is_whole
        found = refusal()
        assert (found.fault, found.size) == ("checkpoint-lost", 6)
        assert "This server signed it" in str(found)
        with pytest.raises(CommandError, match="Nothing was signed"):
            call_command("sign_checkpoint")
        with pytest.raises(CommandError, match="This server signed it"):
            call_command("verify_log")

    def test_is_not_signed_where_only_the_folder_knows(self, exported):
        rewrite(2)
        memory.path().unlink()
        found = refusal()
        assert (found.fault, found.size) == ("checkpoint-missing", 6)
        assert not memory.path().exists()

    def test_is_shown_once_and_again_after_a_check_that_saw_nothing(self, signed, ana):
        rewrite(2)
        assert jobs.sign_checkpoints() == jobs.sign_checkpoints() == 0
        (shown,) = LogVerification.objects.all()
        assert (shown.state, shown.bad_checkpoint, shown.fault) == ("broken", 6, "checkpoint-lost")
        now = timezone.now()
        asked = {"requested_by": ana, "requested_at": now, "finished_at": now}
        LogVerification.objects.create(state="whole", **asked)
        jobs.sign_checkpoints()
        assert LogVerification.objects.first().state == "broken"
        assert LogVerification.objects.count() == 3
        LogVerification.objects.create(state="broken", bad_seq=2, **asked)
        jobs.sign_checkpoints()
        assert LogVerification.objects.first().bad_seq == 2

    def test_is_found_by_the_check_of_the_page(self, signed):
        rewrite(2)
        check = LogVerification.objects.create(requested_at=timezone.now())
        assert jobs.verify_log(check.pk) == "broken"
        check.refresh_from_db()
        assert (check.bad_checkpoint, check.fault) == (6, "checkpoint-lost")

    def test_with_a_checkpoint_of_another_key(self, signed, tmp_path, settings):
        ours = settings.LOG_SIGNING_KEY_FILE
        rewrite(2)
        new_key(tmp_path / "forger.pem", settings)
        assert checkpoints.sign(timezone.now())
        settings.LOG_SIGNING_KEY_FILE = ours
        write(1)
        assert refusal().fault == "checkpoint-lost"


class TestCheckpoints:
    def test_the_newest_is_gone(self, signed):
        LogCheckpoint.objects.filter(size=6).delete()
        assert refusal().fault == "checkpoint-lost"

    def test_the_newest_is_gone_from_where_it_was_exported(self, exported):
        LogCheckpoint.objects.filter(size=6).delete()
        memory.path().unlink()
        assert refusal().fault == "checkpoint-missing"

    def test_the_newest_is_another_one(self, exported):
        last = checkpoints.newest()
        other = canonical(json.loads(last.text) | {"time": "2020-01-01T00:00:00+00:00"})
        LogCheckpoint.objects.filter(size=6).update(text=other)
        assert refusal().fault == "checkpoint-differs"
        (outside,) = exported.glob("*6.json")
        outside.unlink()
        (exported / "checkpoint-000000000003.json").unlink()
        assert refusal().fault == "checkpoint-replaced"

    @pytest.mark.parametrize("column", ["root", "head", "previous"])
    def test_a_column_one_goes_on_from_was_changed(self, column, signed):
        LogCheckpoint.objects.filter(size=6).update(**{column: "f" * 64})
        assert refusal().fault == "checkpoint-changed"

    @pytest.mark.parametrize("frontier", [[], ["zz"], ["f" * 64] * 2, [1], 7, "root"])
    def test_the_tree_one_goes_on_from_was_changed(self, frontier, signed):
        if frontier == "root":  # alone it is the root too, but not of six entries
            frontier = [checkpoints.newest().root]
        LogCheckpoint.objects.filter(size=6).update(frontier=frontier)
        assert refusal().fault == "checkpoint-changed"

    def test_one_of_more_entries_than_there_are(self, signed):
        made = LogCheckpoint.objects.get(size=6)
        made.pk, made.size, made.previous = None, 1000, text_hash(made.text)
        made.text = canonical(
            json.loads(made.text) | {"size": 1000, "previous": text_hash(made.text)}
        )
        made.save()
        assert refusal().fault == "checkpoint-signature"
        assert jobs.sign_checkpoints() == 0
        assert LogVerification.objects.get().bad_checkpoint == 1000

    def test_fewer_entries_than_were_signed(self, signed):
        sql(f"DELETE FROM {TABLE} WHERE seq > 4")  # noqa: S608
        ActionLogHead.objects.update(seq=4, hash=ActionEntry.objects.get(seq=4).hash)
        assert (refusal().seq, refusal().fault) == (5, "tail-missing")
        assert jobs.sign_checkpoints() == 0
        assert LogVerification.objects.get().fault == "tail-missing"


class TestMemory:
    def test_is_made_and_goes_on_with_each_checkpoint(self, sign, key_file):
        assert memory.recall() is None
        for size in (1, 2):
            write(1)
            sign()
            newest = LogCheckpoint.objects.get(size=size)
            assert memory.recall() == memory.Signed(size, text_hash(newest.text))
        assert memory.path().parent == key_file.parent
        assert memory.path().stat().st_mode & 0o777 == 0o600
        assert not list(key_file.parent.glob(".*"))

    def test_that_is_not_there_is_made_of_what_there_is(self, signed):
        memory.path().unlink()
        checkpoints.sign_due(timezone.now())
        assert memory.recall().size == 6

    def test_never_goes_back(self, signed):
        memory.remember(memory.Signed(3, "other"))
        assert memory.recall().size == 6

    def test_a_worker_that_was_killed_before_it_remembered_goes_on(self, signed):
        before = memory.path().read_text()
        assert checkpoints.sign(timezone.now())
        memory.path().write_text(before)
        write(1)
        assert checkpoints.sign(timezone.now())
        assert memory.recall().size == 9

    def test_catches_up_at_the_next_look(self, signed):
        before = memory.path().read_text()
        assert checkpoints.sign(timezone.now())
        memory.path().write_text(before)
        assert checkpoints.sign_due(timezone.now()) is None
        assert memory.recall().size == 8

    def test_behind_a_checkpoint_nobody_signed_refuses(self, signed):
        before = memory.path().read_text()
        assert checkpoints.sign(timezone.now())
        memory.path().write_text(before)
        LogCheckpoint.objects.filter(size=8).update(signature="00" * 64)
        write(1)
        assert refusal().fault == "checkpoint-signature"

    def test_behind_with_one_missing_in_between_refuses(self, signed):
        before = memory.path().read_text()
        for _ in range(2):
            assert checkpoints.sign(timezone.now())
            write(1)
        memory.path().write_text(before)
        LogCheckpoint.objects.filter(size=8).delete()
        assert (refusal().fault, refusal().size) == ("checkpoint-order", 9)

    @pytest.mark.parametrize("text", ["", "[", "{}", "7", '{"size":"6","text_hash":"x"}'])
    def test_that_cannot_be_read_refuses_and_is_shown(self, text, signed):
        memory.path().write_text(text)
        assert refusal().fault == "memory-unreadable"
        assert jobs.sign_checkpoints() == jobs.sign_checkpoints() == 0
        shown = LogVerification.objects.get()
        assert (shown.state, shown.bad_seq, shown.bad_checkpoint) == ("broken", None, None)

    def test_that_cannot_be_written_keeps_nothing_from_being_signed(self, signed, settings, caplog):
        if not Path("/proc/self/fd").is_dir():
            pytest.skip("there is no folder here that nobody can write to")
        with open(settings.LOG_SIGNING_KEY_FILE, "rb") as file:  # noqa: PTH123
            settings.LOG_SIGNING_KEY_FILE = f"/proc/self/fd/{file.fileno()}"
            assert checkpoints.sign(timezone.now())
        assert "could not be remembered" in caplog.text

    def test_of_another_key_begins_anew(self, signed, tmp_path, settings):
        former = keys.public_keys()
        new_key(tmp_path / "new.pem", settings)
        assert checkpoints.sign(timezone.now())
        assert memory.recall().size == 8
        assert keys.public_keys().keys() != former.keys()


class TestFolderOutside:
    def test_that_is_away_keeps_nothing_from_being_signed(self, exported, settings):
        settings.LOG_CHECKPOINT_DIR = str(exported / "away")
        assert checkpoints.sign(timezone.now())

    @pytest.mark.parametrize("text", ["[", "{}", "7", '{"checkpoint":1}'])
    def test_with_a_newest_copy_that_is_none_refuses(self, text, exported):
        copy = exported / "checkpoint-000000000006.json"
        copy.chmod(0o644)
        copy.write_text(text)
        assert refusal().fault == "checkpoint-differs"

    @pytest.mark.parametrize("size", [99, 10**20])
    def test_with_a_copy_of_more_than_there_is_refuses_and_is_shown(self, size, exported):
        (exported / f"checkpoint-{size}.json").write_text('{"checkpoint":"","signature":""}')
        assert refusal().fault == "checkpoint-missing"
        assert jobs.sign_checkpoints() == 0
        shown = LogVerification.objects.get()
        assert (shown.state, shown.fault) == ("broken", "checkpoint-missing")
        check = LogVerification.objects.create(requested_at=timezone.now())
        assert jobs.verify_log(check.pk) == "broken"

    def test_is_read_before_the_table(self, exported):
        """A checkpoint that is signed and exported during a check is missing nowhere."""

        class Busy(type(exported)):
            def iterdir(self):
                if LogCheckpoint.objects.count() == 2:
                    assert checkpoints.sign(timezone.now())
                    checkpoints.export_missing(exported)
                return super().iterdir()

        found = list(verify(directory=Busy(exported)))[-1]
        assert (found.fault, found.checkpoints) == ("", 3)


@pytest.mark.skipif("connection.vendor != 'sqlite'")
class TestWhatIsNoText:
    @pytest.mark.parametrize("column", ["body", "prev", "hash"])
    @pytest.mark.parametrize("seq", [7, 8])
    @pytest.mark.parametrize("value", ["CAST({} AS BLOB)", "CAST(x'ff' AS TEXT)", "7"])
    def test_is_a_broken_chain(self, column, seq, value, signed):
        sql(f"UPDATE {TABLE} SET {column} = {value.format(column)} WHERE seq = %s", seq)  # noqa: S608
        assert refusal().seq == seq
        LogCheckpoint.objects.update(at=timezone.now() - timedelta(hours=1))
        assert jobs.sign_checkpoints() == 0
        assert LogVerification.objects.get().bad_seq == seq

    def test_a_head_that_is_no_number(self, signed):
        sql("UPDATE lifecycle_actionloghead SET seq = 'x'")
        assert refusal().fault == "tail-missing"

    def test_a_number_that_is_none(self, signed):
        sql(f"UPDATE {TABLE} SET seq = 'x' WHERE seq = 7")  # noqa: S608
        assert jobs.sign_checkpoints() == 0
        LogCheckpoint.objects.update(at=timezone.now() - timedelta(hours=1))
        assert jobs.sign_checkpoints() == 0
        assert LogVerification.objects.get().state == "broken"
