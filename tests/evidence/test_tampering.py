# ruff: noqa: S608 - the only names put into a statement are our own
"""What the owner of the database can do to the log, and that each of it is found and named.

17 classes, at several positions: before, between and on checkpoints (10, 20 and 27 of 30).
"""

from __future__ import annotations

import json
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from lifecycle.evidence import checkpoints, keys
from lifecycle.evidence.checking import Verification, verify
from lifecycle.evidence.hashes import GENESIS, canonical, entry_hash
from lifecycle.models import ActionEntry, ActionLogHead, LogCheckpoint, PrivateValue
from tests.evidence.conftest import new_key

pytestmark = [pytest.mark.thorough, pytest.mark.django_db, pytest.mark.usefixtures("forger")]

LAST = 30
CHECKPOINTS = (10, 20, 27)
POSITIONS = (1, 2, 9, 10, 11, 19, 20, 26, 27, 28, 29)
TABLE = "lifecycle_actionentry"
COLUMNS = "ts, actor_id, role, event, person_ref, change_id, body, prev, hash"


def verdict(outside: Path, *, full: bool = True) -> Verification:
    return list(verify(full=full, directory=outside))[-1]


def sql(statement: str, *params) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def put(seq: int, /, **columns) -> None:
    names = ", ".join(f"{name} = %s" for name in columns)
    sql(f"UPDATE {TABLE} SET {names} WHERE seq = %s", *columns.values(), seq)


def entry(seq: int) -> ActionEntry:
    return ActionEntry.objects.get(seq=seq)


def rehash(first: int) -> None:
    """Make every hash from this entry on anew, and the head, as a careful forger would."""
    prev = entry(first - 1).hash if first > 1 else GENESIS
    for row in ActionEntry.objects.filter(seq__gte=first).order_by("seq"):
        made = entry_hash(prev, row.body)
        put(row.seq, prev=prev, hash=made)
        prev = made
    newest = ActionEntry.objects.order_by("-seq")[0]
    ActionLogHead.objects.update(seq=newest.seq, hash=newest.hash)


def with_other_data(seq: int, **data) -> str:
    body = json.loads(entry(seq).body)
    body["data"] |= data
    return canonical(body)


def first_checkpoint_from(seq: int) -> int | None:
    return next((size for size in CHECKPOINTS if size >= seq), None)


def test_nothing_is_found_where_nothing_was_done(outside):
    for full in (False, True):
        found = verdict(outside, full=full)
        assert found == Verification(LAST, checkpoints=3, signatures_checked=True)


@pytest.mark.parametrize("seq", POSITIONS)
class TestEntries:
    @pytest.mark.parametrize("full", [False, True], ids=["quick", "full"])
    @pytest.mark.parametrize(
        ("columns", "fault"),
        [
            ({"actor_id": 77}, "columns-changed"),
            ({"role": "hr"}, "columns-changed"),
            ({"event": "change.failed"}, "columns-changed"),
            ({"person_ref": 77}, "columns-changed"),
            ({"change_id": 77}, "columns-changed"),
            ({"body": "{}"}, "body-changed"),
            ({"prev": "f" * 64}, "chain-broken"),
            ({"hash": "f" * 64}, "body-changed"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_with_a_column_changed(self, seq, columns, fault, full, outside):
        put(seq, **columns)
        found = verdict(outside, full=full)
        assert (found.bad_seq, found.fault) == (seq, fault)

    def test_with_the_moment_changed_by_a_microsecond(self, seq, outside):
        put(seq, ts=entry(seq).ts + timedelta(microseconds=1))
        for full in (False, True):
            assert verdict(outside, full=full).bad_seq == seq

    def test_with_white_space_in_the_text(self, seq, outside):
        put(seq, body=entry(seq).body.replace(",", ", ", 1))
        assert verdict(outside, full=False).bad_seq == seq

    def test_with_an_escape_in_the_text(self, seq, outside):
        put(seq, body=entry(seq).body.replace("号", "\\u53f7"))
        assert verdict(outside, full=False).bad_seq == seq

    def test_with_white_space_and_a_hash_that_fits(self, seq, outside):
        put(seq, body=entry(seq).body.replace('":"', '": "', 1))
        rehash(seq)
        assert verdict(outside, full=True).bad_seq == seq

    def test_with_another_form_of_the_same_letters(self, seq, outside):
        """NFC for NFD: they look alike, and are other bytes."""
        put(seq, body=with_other_data(seq, subject_id=unicodedata.normalize("NFC", "é")))
        rehash(seq)
        put(seq, body=with_other_data(seq, subject_id=unicodedata.normalize("NFD", "é")))
        found = verdict(outside, full=False)
        assert (found.bad_seq, found.fault) == (seq, "body-changed")

    def test_one_deleted(self, seq, outside):
        sql(f"DELETE FROM {TABLE} WHERE seq = %s", seq)
        found = verdict(outside, full=False)
        assert (found.bad_seq, found.fault) == (seq + 1, "entry-missing")

    def test_a_range_deleted(self, seq, outside):
        until = min(seq + 4, LAST - 1)
        sql(f"DELETE FROM {TABLE} WHERE seq BETWEEN %s AND %s", seq, until)
        assert verdict(outside, full=False).bad_seq == until + 1

    def test_one_deleted_and_the_rest_moved_up(self, seq, outside):
        sql(f"DELETE FROM {TABLE} WHERE seq = %s", seq)
        for later in range(seq + 1, LAST + 1):
            put(later, seq=later - 1)
        assert verdict(outside, full=False).bad_seq == seq

    def test_one_inserted(self, seq, outside):
        for later in range(LAST, seq - 1, -1):
            put(later, seq=later + 1)
        sql(
            f"INSERT INTO {TABLE} (seq, {COLUMNS}) SELECT seq - 1,"
            f" {COLUMNS.replace(', hash', '')}, 'x' FROM {TABLE} WHERE seq = %s",
            seq + 1,
        )
        assert verdict(outside, full=False).bad_seq == seq

    def test_one_twice(self, seq, outside):
        for later in range(LAST, seq, -1):
            put(later, seq=later + 1)
        kept = COLUMNS.replace(", hash", "")
        sql(
            f"INSERT INTO {TABLE} (seq, {COLUMNS}) SELECT seq + 1, {kept}, 'copy' FROM {TABLE}"
            " WHERE seq = %s",
            seq,
        )
        assert verdict(outside, full=False).bad_seq == seq + 1

    def test_two_swapped(self, seq, outside):
        put(seq, seq=99)
        put(seq + 1, seq=seq)
        put(99, seq=seq + 1)
        found = verdict(outside, full=False)
        assert found.bad_seq == seq

    def test_the_tail_cut(self, seq, outside):
        sql(f"DELETE FROM {TABLE} WHERE seq > %s", seq)
        found = verdict(outside, full=False)
        assert (found.bad_seq, found.fault) == (seq + 1, "tail-missing")

    def test_the_tail_cut_with_its_head(self, seq, outside):
        """Only a checkpoint knows; what came after the last one is nobody's yet."""
        sql(f"DELETE FROM {TABLE} WHERE seq > %s", seq)
        PrivateValue.objects.filter(seq__gt=seq).delete()
        ActionLogHead.objects.update(seq=seq, hash=entry(seq).hash)
        found = verdict(outside, full=False)
        if seq >= CHECKPOINTS[-1]:
            assert found.is_whole
        else:
            assert (found.bad_seq, found.bad_checkpoint) == (seq + 1, CHECKPOINTS[-1])

    def test_an_old_copy_brought_back(self, seq, outside):
        """Entries, head and checkpoints as they were then; the exported ones tell."""
        sql(f"DELETE FROM {TABLE} WHERE seq > %s", seq)
        PrivateValue.objects.filter(seq__gt=seq).delete()
        ActionLogHead.objects.update(seq=seq, hash=entry(seq).hash)
        LogCheckpoint.objects.filter(size__gt=seq).delete()
        found = verdict(outside, full=False)
        gone = next((size for size in CHECKPOINTS if size > seq), None)
        assert found.bad_checkpoint == gone
        assert found.is_whole == (gone is None)

    @pytest.mark.parametrize("full", [False, True], ids=["quick", "full"])
    def test_the_whole_chain_made_anew(self, seq, full, outside):
        put(seq, body=with_other_data(seq, subject_id="somebody else"))
        rehash(seq)
        found = verdict(outside, full=full)
        assert found.bad_checkpoint == first_checkpoint_from(seq)
        assert found.is_whole == (seq > CHECKPOINTS[-1])
        assert found.fault == ("" if found.is_whole else "checkpoint-head")

    @pytest.mark.parametrize("columns", [{"value": "invented"}, {"salt": "00" * 16}, {"salt": "x"}])
    def test_a_private_value_changed(self, seq, columns, outside):
        PrivateValue.objects.filter(seq=seq).update(**columns)
        found = verdict(outside, full=False)
        assert (found.bad_seq, found.fault) == (seq, "private-value-changed")

    def test_a_private_value_changed_with_its_fingerprint(self, seq, outside):
        value = PrivateValue.objects.get(seq=seq)
        value.value = "invented"
        value.save()
        put(seq, body=entry(seq).body.replace("private_reason", "private_other"))
        assert verdict(outside, full=False).bad_seq == seq

    def test_a_private_value_removed(self, seq, outside):
        PrivateValue.objects.filter(seq=seq).delete()
        for full in (False, True):
            found = verdict(outside, full=full)
            assert (found.bad_seq, found.fault) == (seq, "private-value-missing")


@pytest.mark.parametrize("size", CHECKPOINTS)
class TestCheckpoints:
    @pytest.mark.parametrize("name", ["root", "head"])
    def test_with_a_column_changed(self, size, name, outside):
        LogCheckpoint.objects.filter(size=size).update(**{name: "f" * 64})
        assert verdict(outside, full=False).bad_checkpoint == size

    def test_with_its_tree_changed(self, size, outside):
        LogCheckpoint.objects.filter(size=size).update(frontier=["f" * 64])
        assert verdict(outside, full=False).bad_checkpoint == size

    def test_with_its_text_changed(self, size, outside):
        checkpoint = LogCheckpoint.objects.get(size=size)
        text = checkpoint.text.replace('"time":"20', '"time":"19')
        LogCheckpoint.objects.filter(size=size).update(text=text)
        assert verdict(outside, full=False).bad_checkpoint == size
        found = list(verify())[-1]  # without the copy outside
        assert (found.bad_checkpoint, found.fault) == (size, "checkpoint-signature")

    def test_with_its_signature_changed(self, size):
        LogCheckpoint.objects.filter(size=size).update(signature="00" * 64)
        found = list(verify())[-1]
        assert (found.bad_checkpoint, found.fault) == (size, "checkpoint-signature")

    def test_removed(self, size, outside):
        LogCheckpoint.objects.filter(size=size).delete()
        found = verdict(outside, full=False)
        assert (found.bad_checkpoint, found.fault) == (size, "checkpoint-missing")

    def test_removed_and_never_exported(self, size):
        LogCheckpoint.objects.filter(size=size).delete()
        found = list(verify())[-1]
        if size == CHECKPOINTS[-1]:
            assert found.is_whole
        else:
            after = CHECKPOINTS[CHECKPOINTS.index(size) + 1]
            assert (found.bad_checkpoint, found.fault) == (after, "checkpoint-order")

    def test_exported_one_replaced(self, size, outside):
        path = outside / f"checkpoint-{size:012d}.json"
        path.chmod(0o644)
        path.write_text(path.read_text().replace('"size', '"xize'))
        found = verdict(outside, full=False)
        assert (found.bad_checkpoint, found.fault) == (size, "checkpoint-differs")

    def test_exported_one_that_cannot_be_read(self, size, outside):
        path = outside / f"checkpoint-{size:012d}.json"
        path.chmod(0o644)
        path.write_text("[")
        assert verdict(outside, full=False).bad_checkpoint == size

    def test_log_rewritten_and_signed_with_another_key(self, size, outside, tmp_path, settings):
        """Everything forged, consistently, by somebody without our key."""
        ours = keys.public_keys()
        put(size - 1, body=with_other_data(size - 1, subject_id="somebody else"))
        rehash(size - 1)
        kept = LogCheckpoint.objects.filter(size__gte=size)
        kept.delete()
        new_key(tmp_path / "other.pem", settings)
        settings.LOG_CHECKPOINT_DIR = ""  # the forger's own server compares with nothing
        assert checkpoints.sign(timezone.now())
        found = list(verify(public_keys=ours))[-1]
        assert (found.bad_checkpoint, found.fault) == (LAST, "checkpoint-unknown-key")
        # With the copies outside, the first one that is gone is named.
        found = list(verify(public_keys=ours, directory=outside))[-1]
        assert (found.bad_checkpoint, found.fault) == (size, "checkpoint-missing")


def quick_verdict(outside: Path) -> Verification:
    return list(verify(quick=True, directory=outside))[-1]


@pytest.mark.parametrize("seq", POSITIONS)
class TestQuick:
    """The chain and the checkpoints are looked at; columns and private values are not."""

    @pytest.mark.parametrize("columns", [{"body": "{}"}, {"prev": "f" * 64}, {"hash": "f" * 64}])
    def test_the_chain(self, seq, columns, outside):
        put(seq, **columns)
        assert quick_verdict(outside).bad_seq == seq

    def test_a_rewritten_chain(self, seq, outside):
        put(seq, body=with_other_data(seq, subject_id="somebody else"))
        rehash(seq)
        assert quick_verdict(outside).bad_checkpoint == first_checkpoint_from(seq)

    def test_one_deleted(self, seq, outside):
        sql(f"DELETE FROM {TABLE} WHERE seq = %s", seq)
        assert quick_verdict(outside).bad_seq == seq + 1

    def test_a_column_is_left_to_the_usual_check(self, seq, outside):
        put(seq, role="hr")
        assert quick_verdict(outside).is_whole
        assert verdict(outside, full=False).bad_seq == seq

    @pytest.mark.parametrize("ts", ["", "nonsense", "2026-11-21 06:27:4812345６x"])
    def test_a_moment_that_is_none(self, seq, ts, outside):
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL takes nothing else for a moment")
        put(seq, ts=ts)
        assert verdict(outside, full=False).bad_seq == seq


class TestSinceTheNewestCheckpoint:
    @pytest.mark.parametrize("seq", [28, 29, 30])
    def test_what_came_after_it_is_checked(self, seq, outside):
        put(seq, role="hr")
        assert list(verify(since_checkpoint=True))[-1].bad_seq == seq

    def test_what_came_before_it_is_trusted(self):
        put(5, role="hr")
        assert list(verify(since_checkpoint=True))[-1].is_whole

    def test_nothing_is_trusted_where_no_signature_can_be_checked(self):
        put(5, role="hr")
        assert list(verify(since_checkpoint=True, public_keys={}))[-1].bad_seq == 5

    def test_a_checkpoint_that_is_not_signed_is_not_trusted(self):
        LogCheckpoint.objects.filter(size=27).update(head="f" * 64)
        assert list(verify(since_checkpoint=True))[-1].bad_checkpoint == 27
        put(5, role="hr")
        assert list(verify(since_checkpoint=True))[-1].bad_seq == 5


class TestCommand:
    def test_names_the_checkpoint_that_no_longer_fits(self, outside):
        put(12, body=with_other_data(12, subject_id="x"))
        rehash(12)
        with pytest.raises(CommandError, match="checkpoint of 20 entries") as error:
            call_command("verify_log", checkpoints=outside)
        assert error.value.returncode == 1

    def test_takes_the_key_of_a_file(self, tmp_path, key_file, outside, settings, capsys):
        (public,) = keys.public_keys().values()
        named = tmp_path / "public.txt"
        named.write_text(f"{public.hex()} our portal\n")
        settings.LOG_SIGNING_KEY_FILE = ""
        call_command("verify_log", "--full", public_key=named, checkpoints=outside)
        assert "3 checkpoints fit and are signed." in capsys.readouterr().out
        with pytest.raises(CommandError, match="No signature was checked") as error:
            call_command("verify_log")
        assert error.value.returncode == 3
        call_command("verify_log", "--no-signatures")
        assert "no signature was checked" in capsys.readouterr().out

    @pytest.mark.parametrize("text", ["", "zz", "aabb"])
    def test_refuses_a_file_without_a_key(self, text, tmp_path):
        named = tmp_path / "public.txt"
        named.write_text(text or "not hex")
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("verify_log", public_key=named)

    def test_compares_with_the_folder_of_the_settings(self, capsys, settings):
        call_command("verify_log")
        assert "Compared with 3 checkpoints outside." in capsys.readouterr().out
        LogCheckpoint.objects.filter(size=27).delete()
        with pytest.raises(CommandError, match="database has it no more") as error:
            call_command("verify_log")
        assert error.value.returncode == 1

    def test_says_that_it_compared_with_none(self, capsys, settings):
        settings.LOG_CHECKPOINT_DIR = ""
        call_command("verify_log")
        assert "No checkpoint outside the database was compared." in capsys.readouterr().out

    def test_refuses_a_folder_of_the_settings_that_is_away(self, settings, tmp_path):
        settings.LOG_CHECKPOINT_DIR = str(tmp_path / "away")
        with pytest.raises(CommandError, match="away is no folder") as error:
            call_command("verify_log")
        assert error.value.returncode == 1

    def test_refuses_a_copy_that_cannot_be_read(self, outside):
        (outside / "checkpoint-000000000001.json").mkdir()
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("verify_log")

    def test_refuses_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(CommandError, match="is no folder"):
            call_command("verify_log", checkpoints=tmp_path / "nowhere")
