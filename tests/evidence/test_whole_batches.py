# ruff: noqa: S608 - the only names put into a statement are our own
"""A log of several batches: read ahead, compared as whole columns, and nothing slips through
at the seams or as a value that looks like two."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from lifecycle import action_log, append_only
from lifecycle.action_log import Observation
from lifecycle.evidence.checking import Verification, verify
from lifecycle.evidence.reading import BATCH, LEAST_SEQ
from lifecycle.models import ActionEntry, PrivateValue
from tests.evidence.test_tampering import put, sql

pytestmark = pytest.mark.django_db

LAST = 2 * BATCH + 7
AT = datetime(2026, 11, 21, 6, 27, 48, 123456, tzinfo=UTC)
WAYS = ({"quick": True}, {"full": False}, {"full": True})
TABLE, PRIVATE = ActionEntry._meta.db_table, PrivateValue._meta.db_table


def verdict(**how: bool) -> Verification:
    return list(verify(**how))[-1]


def bad_seq(**how: bool) -> int | None:
    return verdict(**how).bad_seq


@pytest.fixture(autouse=True)
def log(db) -> None:
    """In the hands of the database's owner; the triggers come back with the end of the test's
    transaction."""
    seen = [
        Observation(
            person_id=number,
            data={"record_kind": "employee", "subject_id": f"号{number}", "what": "changed"},
            private={"values": f"变更 {number}"} if number % 3 else {},
        )
        for number in range(1, LAST + 1)
    ]
    with transaction.atomic():
        action_log.record_observations("record.changed_in_feishu", seen, at=AT)
    append_only.lift(connection)


def test_is_whole_and_read_by_the_batch():
    about_tables = 1 if connection.vendor == "sqlite" else 3
    for how in WAYS:
        with CaptureQueriesContext(connection) as queries:
            found = list(verify(**how))
        assert found[-1] == Verification(LAST)
        assert [one.checked for one in found] == [BATCH, 2 * BATCH, LAST, LAST]
        # Then the checkpoints and three batches; in the end three looks for more, and one at
        # the head and strays.
        assert len(queries) == about_tables + 1 + 3 + 3 + 1


@pytest.mark.thorough
def test_what_is_changed_at_the_seams_is_named():
    """In a moment of its own for each, so that the others are whole."""
    for seq in (1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH, 2 * BATCH + 1, LAST):
        for columns in ({"role": "hr"}, {"prev": "f" * 64}, {"hash": "e" * 64}, {"body": "{}"}):
            with transaction.atomic():
                put(seq, **columns)
                assert [bad_seq(full=full) for full in (False, True)] == [seq, seq], columns
                transaction.set_rollback(True)


def test_what_is_gone_at_the_seams_is_named():
    for seq in (1, BATCH, BATCH + 1, 2 * BATCH + 1):
        with transaction.atomic():
            sql(f"DELETE FROM {TABLE} WHERE seq = %s", seq)
            assert [bad_seq(**how) for how in WAYS] == [seq + 1] * 3
            transaction.set_rollback(True)


@pytest.mark.thorough
def test_an_entry_put_before_all_others_is_named():
    for seq in (0, -1, LEAST_SEQ):
        with transaction.atomic():
            columns = "ts, actor_id, role, event, person_ref, change_id, body, prev"
            sql(
                f"INSERT INTO {TABLE} (seq, {columns}, hash) SELECT %s, {columns}, 'planted'"
                f" FROM {TABLE} WHERE seq = 1",
                seq,
            )
            assert [bad_seq(**how) for how in WAYS] == [seq] * 3
            transaction.set_rollback(True)


@pytest.mark.thorough
def test_a_private_value_of_no_entry_is_named():
    for seq in (0, -5, LAST + 1):
        with transaction.atomic():
            PrivateValue.objects.create(seq=seq, field="values", salt="ab" * 16, value="planted")
            assert verdict(full=False) == Verification(LAST, seq, "private-value-changed")
            transaction.set_rollback(True)


@pytest.fixture
def sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps nothing else in such a column")


@pytest.mark.thorough
@pytest.mark.usefixtures("sqlite")
def test_what_is_no_text_is_named():
    """Bytes that are none, and bytes that would be one."""
    for name in ("ts", "role", "event", "body", "prev", "hash"):
        for form in ("CAST(x'ff' AS TEXT)", f"CAST({name} AS BLOB)"):
            with transaction.atomic():
                sql(f"UPDATE {TABLE} SET {name} = {form} WHERE seq = %s", BATCH + 3)
                assert [bad_seq(full=full) for full in (False, True)] == [BATCH + 3] * 2, name
                if name in ("body", "prev", "hash"):
                    assert bad_seq(quick=True) == BATCH + 3
                transaction.set_rollback(True)


@pytest.mark.thorough
@pytest.mark.usefixtures("sqlite")
def test_a_private_value_that_is_no_text_is_named():
    bad = Verification(BATCH + 2, BATCH + 3, "private-value-changed")
    for name in ("salt", "value", "field"):
        for form in ("CAST(x'ff' AS TEXT)", f"CAST({name} AS BLOB)"):
            with transaction.atomic():
                sql(f"UPDATE {PRIVATE} SET {name} = {form} WHERE seq = %s", BATCH + 3)
                assert [verdict(full=full) for full in (False, True)] == [bad, bad], (name, form)
                transaction.set_rollback(True)


@pytest.mark.thorough
def test_a_private_value_with_a_space_is_named():
    for name in ("salt", "value", "field"):
        with transaction.atomic():
            spaced = f"substr({name}, 1, 4) || ' ' || substr({name}, 6)"
            sql(f"UPDATE {PRIVATE} SET {name} = {spaced} WHERE seq = %s", BATCH + 3)
            assert [bad_seq(full=full) for full in (False, True)] == [BATCH + 3] * 2, name
            transaction.set_rollback(True)


@pytest.mark.thorough
def test_a_salt_that_means_the_same_is_named():
    """As hex, it may have capitals; the portal writes none."""
    salt = PrivateValue.objects.get(seq=BATCH + 3).salt
    assert salt.upper() != salt
    PrivateValue.objects.filter(seq=BATCH + 3).update(salt=salt.upper())
    assert bad_seq(full=False) == BATCH + 3


@pytest.mark.thorough
class TestATableMadeAnew:
    """By its owner, without a constraint, an index or a type that SQLite would keep."""

    @pytest.fixture(autouse=True)
    def _(self, log):
        sql(f"CREATE TABLE forged AS SELECT * FROM {TABLE} ORDER BY seq")
        sql(f"DROP TABLE {TABLE}")
        sql(f"ALTER TABLE forged RENAME TO {TABLE}")
        assert [verdict(**how) for how in WAYS] == [Verification(LAST)] * 3

    def test_a_number_kept_as_a_text_is_named(self):
        for name in ("actor_id", "change_id"):
            with transaction.atomic():
                first = 7
                if connection.vendor == "postgresql":
                    sql(f"ALTER TABLE {TABLE} ALTER COLUMN {name} TYPE text")
                    first = 1  # the table itself is named
                sql(f"UPDATE {TABLE} SET {name} = 'null' WHERE seq = 7")
                for full in (False, True):
                    assert bad_seq(full=full) == first
                transaction.set_rollback(True)

    def test_an_entry_twice_is_named(self):
        with transaction.atomic():
            sql(f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE seq = %s", BATCH)
            assert [bad_seq(**how) for how in WAYS] == [BATCH] * 3
            transaction.set_rollback(True)
        sql(f"DELETE FROM {TABLE} WHERE seq = 6")
        sql(f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE seq = 5")
        assert [bad_seq(**how) for how in WAYS] == [5] * 3

    def test_two_values_in_one_and_none_in_the_other_are_named(self):
        # PostgreSQL has no room for two hashes in one.
        hashes = ("hash", "prev") if connection.vendor == "sqlite" else ()
        for name in ("role", "event", "body", *hashes):
            with transaction.atomic():
                values = [getattr(ActionEntry.objects.get(seq=seq), name) for seq in (5, 6)]
                put(5, **{name: ("\n" if name == "body" else ",").join(values)})
                put(6, **{name: None})
                assert [bad_seq(full=full) for full in (False, True)] == [5, 5], name
                if name not in ("role", "event"):
                    assert bad_seq(quick=True) == 5
                transaction.set_rollback(True)

    def test_values_that_together_read_the_same_are_named(self):
        """A separator within a value, made up for by a neighbour."""
        longest = 65 if connection.vendor == "sqlite" else 64
        event = ActionEntry.objects.get(seq=5).event
        hashes = [ActionEntry.objects.get(seq=seq).hash for seq in (5, 6)]
        bodies = [ActionEntry.objects.get(seq=seq).body for seq in (5, 6)]
        for changed in (
            {5: {"event": f"{event},{event}"}, 6: {"event": ""}},
            {5: {"role": ","}},
            {5: {"hash": hashes[0][:-1]}, 6: {"hash": (hashes[0][-1] + hashes[1])[:longest]}},
            {5: {"hash": "5"}, 6: {"hash": "6"}},
            {5: {"body": "\n".join(bodies)}, 6: {"body": ""}},
            {5: {"body": bodies[0] + "\n"}},
        ):
            with transaction.atomic():
                for seq, columns in changed.items():
                    put(seq, **columns)
                assert [bad_seq(full=full) for full in (False, True)] == [5, 5], changed
                transaction.set_rollback(True)
