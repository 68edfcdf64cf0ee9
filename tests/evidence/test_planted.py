# ruff: noqa: S608 - the only names put into a statement are our own
"""What the database's owner can put beside a whole log, or take from beside it, so that every
entry still fits: numbers that are none, values nobody erased, another table under the name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from lifecycle import action_log, append_only
from lifecycle.evidence import checkpoints
from lifecycle.evidence.checking import Verification, verify
from lifecycle.models import ActionEntry, ActionLogHead, LogCheckpoint, PrivateValue
from lifecycle.services import audit
from tests.builders import a_person
from tests.evidence.conftest import write
from tests.evidence.test_tampering import put, sql

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("forger")]

LAST = 30
WAYS = ({"quick": True}, {"full": False}, {"full": True})
COLUMNS = "ts, actor_id, role, event, person_ref, change_id, body, prev"
TABLE, PRIVATE = ActionEntry._meta.db_table, PrivateValue._meta.db_table


def verdicts(outside, *, ways=WAYS) -> set[tuple[int | None, str]]:
    found = [list(verify(directory=outside, **how))[-1] for how in ways]
    return {(one.bad_seq, one.fault) for one in found}


def plant(seq: str) -> None:
    sql(
        f"INSERT INTO {TABLE} (seq, {COLUMNS}, hash) SELECT {seq}, {COLUMNS}, 'planted'"
        f" FROM {TABLE} WHERE seq = 1"
    )


def only(vendor: str) -> None:
    if connection.vendor != vendor:
        pytest.skip(f"what {vendor} takes")


class TestNumbers:
    def test_that_are_no_whole_number(self, outside):
        only("sqlite")
        sql(f"UPDATE {TABLE} SET seq = 12.5 WHERE seq = 12")
        assert verdicts(outside) == {(12, "entry-missing")}
        sql(f"UPDATE {TABLE} SET seq = seq - 0.5 WHERE seq > 1 AND seq < 12")
        assert verdicts(outside) == {(2, "entry-missing")}

    @pytest.mark.parametrize("seq", ["'zzz'", "1e30", "x'01'"])
    def test_that_no_number_reaches(self, seq, outside):
        only("sqlite")
        plant(seq)
        assert verdicts(outside) == {(LAST + 1, "entry-planted")}

    @pytest.mark.parametrize("seq", ["-1e30", "-9223372036854775808", "2.5"])
    def test_that_come_before_their_turn(self, seq, outside):
        only("sqlite")
        plant(seq)
        assert len(verdicts(outside)) == 1
        assert verdicts(outside) != {(None, "")}

    def test_that_are_another_s(self, outside):
        sql(f"CREATE TABLE forged AS SELECT * FROM {TABLE} ORDER BY seq")
        sql(f"DROP TABLE {TABLE}")
        sql(f"ALTER TABLE forged RENAME TO {TABLE}")
        assert verdicts(outside) == {(None, "")}
        put(15, seq=14)
        assert all(seq in (14, 15) for seq, _ in verdicts(outside))

    @pytest.mark.parametrize("seq", ["31.5", "'zzz'", "1e30", "32", "99"])
    def test_the_database_refuses_all_but_the_next(self, seq):
        if connection.vendor == "postgresql" and not seq.isdecimal():
            pytest.skip("PostgreSQL has whole numbers there")
        append_only.install(connection)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            plant(seq)

    def test_the_database_refuses_a_hash_that_would_replace_another(self):
        only("sqlite")
        append_only.install(connection)
        taken = ActionEntry.objects.get(seq=5).hash
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(
                f"INSERT OR REPLACE INTO {TABLE} (seq, {COLUMNS}, hash)"
                f" SELECT 31, {COLUMNS}, '{taken}' FROM {TABLE} WHERE seq = 1"
            )

    def test_the_database_refuses_a_session_that_only_replicates(self):
        only("postgresql")
        append_only.install(connection)
        sql("SET LOCAL session_replication_role = replica")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(f"DELETE FROM {TABLE} WHERE seq = 30")


class TestBeside:
    """What stands beside the log may be erased, and never becomes another."""

    @pytest.mark.parametrize("change", [{"value": "other"}, {"seq": 3}, {"salt": "ab" * 16}])
    def test_the_database_refuses_another_private_value(self, change):
        append_only.install(connection)
        with pytest.raises(DatabaseError, match="beside the action log"), transaction.atomic():
            PrivateValue.objects.filter(seq=12).update(**change)
        assert PrivateValue.objects.filter(seq=12).delete()[0] == 1

    @pytest.mark.parametrize("change", [{"head": "f" * 64}, {"text": "{}"}, {"size": 21}])
    def test_the_database_refuses_another_checkpoint(self, change):
        append_only.install(connection)
        with pytest.raises(DatabaseError, match="beside the action log"), transaction.atomic():
            LogCheckpoint.objects.filter(size=20).update(**change)
        assert LogCheckpoint.objects.filter(size=20).update(mailed_at=timezone.now()) == 1


class TestPrivateValues:
    def test_that_let_a_letter_pass_to_the_salt(self, outside):
        """The hash is of both, so that what the salt gains the value has to lose."""
        value = PrivateValue.objects.get(seq=12)
        cut = "because of "
        sql(
            f"UPDATE {PRIVATE} SET salt = %s, value = %s WHERE seq = 12",
            (value.salt + cut.encode().hex())[: 32 if connection.vendor != "sqlite" else 99],
            value.value[len(cut) :],
        )
        assert verdicts(outside, ways=WAYS[1:]) == {(12, "private-value-changed")}

    def test_that_take_a_letter_from_the_salt(self, outside):
        """A salt that ends like a letter, cut off and put before the value."""
        for value in PrivateValue.objects.order_by("seq"):
            if 0x20 <= int(value.salt[-2:], 16) < 0x7F:
                break
        else:
            pytest.fail("no salt ends like a letter")
        value.value, value.salt = chr(int(value.salt[-2:], 16)) + value.value, value.salt[:-2]
        value.save()
        assert verdicts(outside, ways=WAYS[1:]) == {(value.seq, "private-value-changed")}

    def test_with_a_name_that_quotes_the_text(self, outside):
        """A name that holds what the text says, and a salt that hashes to nothing."""
        body = ActionEntry.objects.get(seq=12).body
        start = body.index('"private_reason":"') + len('"private_reason":"')
        name = f'reason":"{body[start : start + 64]}","subject_id'
        sql(
            f"UPDATE {PRIVATE} SET field = %s, salt = 'zz', value = 'x' WHERE seq = 12",
            name if connection.vendor == "sqlite" else name[:40],
        )
        assert verdicts(outside, ways=WAYS[1:]) == {(12, "private-value-changed")}

    @pytest.mark.parametrize("seq", ["2.5", "'abc'"])
    def test_of_a_number_that_is_none(self, seq, outside):
        only("sqlite")
        sql(f"INSERT INTO {PRIVATE} (seq, field, salt, value) VALUES ({seq}, 'reason', '00', 'x')")
        assert {fault for _, fault in verdicts(outside, ways=WAYS[1:])} == {"private-value-changed"}

    def test_that_are_there_twice_in_place_of_another(self, outside):
        action_log.record("change.requested", actor=None, private={"reason": "1", "request": "2"})
        seq = LAST + 1
        sql(f"CREATE TABLE forged AS SELECT * FROM {PRIVATE}")
        sql(f"DROP TABLE {PRIVATE}")
        sql(f"ALTER TABLE forged RENAME TO {PRIVATE}")
        assert verdicts(outside) == {(None, "")}
        sql(f"DELETE FROM {PRIVATE} WHERE seq = {seq} AND field = 'request'")
        sql(f"INSERT INTO {PRIVATE} SELECT * FROM {PRIVATE} WHERE seq = {seq}")
        assert {bad for bad, _ in verdicts(outside, ways=WAYS[1:])} == {seq}


class TestErasures:
    def test_of_everything_before_a_moment_is_accounted_for(self, outside):
        assert (
            action_log.erase_private(before=timezone.now() + timedelta(seconds=1), days=0) == LAST
        )
        assert verdicts(outside) == {(None, "")}

    def test_are_not_asked_for_what_only_looks_like_a_private_value(self, outside):
        for subject in ("private_x", '"private_y'):
            action_log.record(
                "change.requested",
                actor=None,
                data={"subject_id": subject},
                private={"reason": "x"},
            )
        assert verdicts(outside) == {(None, "")}
        soon = timezone.now() + timedelta(seconds=1)
        assert action_log.erase_private(before=soon, days=0) == LAST + 2
        assert verdicts(outside) == {(None, "")}

    def test_do_not_account_for_what_came_after_them(self, outside):
        action_log.erase_private(before=timezone.now() - timedelta(days=1), days=1)
        PrivateValue.objects.filter(seq=17).delete()
        assert verdicts(outside, ways=WAYS[1:]) == {(17, "private-value-missing")}

    def test_do_not_account_for_more_than_they_say(self, outside, ana):
        held = a_person("柏小林")
        kept = action_log.record(
            "change.requested", actor=None, person=held, private={"reason": "诉讼"}
        )
        audit.place_hold(held, reason="诉讼", acting_user=ana)
        action_log.erase_private(before=timezone.now() + timedelta(seconds=1), days=0)
        assert verdicts(outside) == {(None, "")}
        PrivateValue.objects.filter(seq=kept.seq).delete()
        ((seq, fault),) = verdicts(outside, ways=WAYS[1:])
        assert (seq is not None, fault) == (True, "private-value-missing")


class TestTables:
    def test_a_view_that_shows_the_check_what_it_wants_to_see(self, outside):
        sql(f"ALTER TABLE {TABLE} RENAME TO hidden")
        sql(f"CREATE VIEW {TABLE} AS SELECT * FROM hidden")
        assert verdicts(outside) == {(1, "table-replaced")}

    def test_private_values_in_a_view(self, outside):
        sql(f"ALTER TABLE {PRIVATE} RENAME TO hidden")
        sql(f"CREATE VIEW {PRIVATE} AS SELECT * FROM hidden")
        assert verdicts(outside) == {(1, "table-replaced")}

    @pytest.mark.parametrize("kind", ["text", "numeric", "double precision"])
    def test_numbers_of_another_type(self, kind, outside):
        only("postgresql")
        sql(f"ALTER TABLE {TABLE} ALTER COLUMN seq TYPE {kind}")
        assert verdicts(outside) == {(1, "table-replaced")}

    def test_rows_that_only_some_may_see(self, outside):
        only("postgresql")
        sql(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
        assert verdicts(outside) == {(1, "table-replaced")}


class TestWhatTheCheckCannotRead:
    @pytest.mark.parametrize("name", ["text", "signature", "head", "root", "key_id", "previous"])
    @pytest.mark.parametrize("form", ["CAST(x'ff' AS TEXT)", "CAST({} AS BLOB)"])
    def test_a_checkpoint_is_named(self, name, form):
        only("sqlite")
        sql(f"UPDATE lifecycle_logcheckpoint SET {name} = {form.format(name)} WHERE size = 20")
        found = list(verify(full=False))[-1]
        assert found.bad_checkpoint == 20

    @pytest.mark.parametrize("size", ["'x'", "20.5"])
    def test_a_checkpoint_of_no_size_is_named(self, size):
        only("sqlite")
        sql(f"UPDATE lifecycle_logcheckpoint SET size = {size} WHERE size = 20")
        assert list(verify(full=False))[-1].bad_checkpoint is not None

    @pytest.mark.parametrize("change", ["seq = 'x'", "hash = CAST(x'ff' AS TEXT)", "seq = 29.5"])
    def test_the_head_is_named(self, change, outside):
        only("sqlite")
        sql(f"UPDATE lifecycle_actionloghead SET {change}")
        assert verdicts(outside) == {(LAST + 1, "tail-missing")}

    def test_a_moment_far_away_is_named(self, outside):
        only("postgresql")
        put(12, ts="294250-01-01")
        assert verdicts(outside, ways=WAYS[1:]) == {(12, "columns-changed")}


def test_entries_that_come_while_it_reads_are_no_fault():
    """Appended between the last batch and the look at the head."""
    checks = verify(full=False)
    first = next(checks)
    write(3, first=31)
    results = [first, *checks]
    assert results[-1] == Verification(LAST + 3, checkpoints=3, signatures_checked=True)


def test_no_head_is_named(outside):
    ActionLogHead.objects.all().delete()
    assert verdicts(outside) == {(LAST + 1, "tail-missing")}
    assert checkpoints.newest().size == 27
