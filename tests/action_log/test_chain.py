# ruff: noqa: S608 - the only name put into a statement is that of the table
"""The chain: whole when nothing was touched, and the first bad entry named when something was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle import action_log, append_only
from lifecycle.models import ActionEntry, ActionLogHead, PrivateValue
from lifecycle.models.action_log import AppendOnly

TABLE = "lifecycle_actionentry"
COUNT = 8
MIDDLE = 4


def write(count: int = COUNT) -> None:
    for number in range(1, count + 1):
        action_log.record(
            "change.requested",
            actor=None,
            data={"kind": "convert_employee", "subject_id": str(number)},
            private={"reason": f"because of {number}"},
        )


def verdict() -> action_log.Verification:
    return list(action_log.verify())[-1]


def usual_verdict() -> action_log.Verification:
    """The check in which a batch is first compared as a whole."""
    return list(action_log.verify(full=False))[-1]


def sql(statement: str, *params) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def change(seq: int, **columns) -> None:
    names = ", ".join(f"{name} = %s" for name in columns)
    sql(f"UPDATE {TABLE} SET {names} WHERE seq = %s", *columns.values(), seq)


def rehashed(entry: ActionEntry, body: str) -> dict[str, str]:
    """A changed body with a hash that fits it, as a careful forger would write it."""
    return {"body": body, "hash": action_log.entry_hash(entry.prev, body)}


@pytest.fixture
def forger(lifted_log) -> None:
    """A whole log, in the hands of somebody who can take the triggers away."""
    write()
    assert verdict() == action_log.Verification(COUNT)
    append_only.lift(connection)


@pytest.mark.django_db
class TestChain:
    def test_of_an_empty_log_is_whole(self):
        assert verdict() == action_log.Verification(0)

    def test_is_whole_after_every_entry(self):
        for number in range(1, 6):
            write(1)
            assert verdict() == action_log.Verification(number)

    def test_starts_at_nothing_and_links_every_entry_to_the_one_before(self):
        write(3)
        entries = list(ActionEntry.objects.order_by("seq"))
        assert entries[0].prev == "0" * 64
        assert [e.prev for e in entries[1:]] == [e.hash for e in entries[:-1]]

    def test_holds_every_column_in_its_body(self):
        entry = action_log.record("user.signed_in", actor=None, at=timezone.now())
        body = json.loads(entry.body)
        at = datetime.fromtimestamp(0, entry.ts.tzinfo) + timedelta(microseconds=body["ts"])
        assert at == entry.ts
        assert body.keys() == {
            "seq", "ts", "actor", "role", "event", "person", "change", "data",
        }  # fmt: skip

    def test_survives_the_lawful_erasure_of_a_private_value(self):
        write()
        action_log.erase_private(before=timezone.now() + timedelta(seconds=1), days=0)
        assert not PrivateValue.objects.filter(seq__lte=COUNT).exists()
        assert verdict() == usual_verdict() == action_log.Verification(COUNT + 1)
        assert action_log.private_values(ActionEntry.objects.get(seq=MIDDLE)) == {}

    def test_is_checked_without_a_query_for_each_entry(self):
        write(5)
        with CaptureQueriesContext(connection) as few:
            verdict()
        write(60)
        with CaptureQueriesContext(connection) as many:
            verdict()
        assert len(few) == len(many)

    def test_gets_no_entry_when_its_transaction_comes_to_nothing(self):
        write(2)
        with transaction.atomic():
            write(1)
            transaction.set_rollback(True)
        write(1)
        assert verdict() == action_log.Verification(3)

    @pytest.mark.parametrize("event", ["change.mislaid", ""])
    def test_takes_no_event_that_is_not_listed(self, event):
        with pytest.raises(action_log.UnknownEvent):
            action_log.record(event, actor=None)
        assert not ActionEntry.objects.exists()

    def test_takes_no_key_that_is_not_listed(self):
        for fields in ({"data": {"name": "博"}}, {"private": {"name": "博"}}):
            with pytest.raises(action_log.UnknownEvent):
                action_log.record("user.signed_in", actor=None, **fields)
        assert not ActionEntry.objects.exists()


class TestTampering:
    @pytest.mark.parametrize(
        ("columns", "fault"),
        [
            ({"ts": datetime(2020, 1, 1, tzinfo=timezone.get_default_timezone())}, "columns"),
            ({"actor_id": 1}, "columns"),
            ({"role": "hr"}, "columns"),
            ({"event": "change.failed"}, "columns"),
            ({"person_ref": 1}, "columns"),
            ({"change_id": 1}, "columns"),
            ({"body": "{}"}, "body"),
            ({"body": ""}, "body"),
            ({"hash": "f" * 64}, "body"),
            ({"prev": "f" * 64}, "chain"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
    )
    def test_with_a_column_shows_at_that_entry(self, columns, fault, forger):
        change(MIDDLE, **columns)
        for found in (verdict(), usual_verdict()):
            assert (found.checked, found.bad_seq) == (MIDDLE - 1, MIDDLE)
            assert found.fault.startswith(fault)

    def test_with_a_moment_by_a_microsecond_shows(self, forger):
        entry = ActionEntry.objects.get(seq=MIDDLE)
        change(MIDDLE, ts=entry.ts + timedelta(microseconds=1))
        assert verdict().bad_seq == MIDDLE

    def test_with_white_space_shows(self, forger):
        entry = ActionEntry.objects.get(seq=MIDDLE)
        change(MIDDLE, body=entry.body.replace(",", ", ", 1))
        assert verdict().bad_seq == MIDDLE

    @pytest.mark.parametrize(
        "forge",
        [
            lambda body: body.replace(",", ", ", 1),
            lambda body: body.replace('"data"', '"data":{},"data"', 1),
            lambda body: body.replace('"subject_id":"4"', '"subject_id":"5"'),
            lambda body: "[]",
            lambda body: "{",
            lambda body: '{"data":[]}',
        ],
    )
    def test_with_body_and_hash_shows_there_or_at_the_next(self, forge, forger):
        entry = ActionEntry.objects.get(seq=MIDDLE)
        change(MIDDLE, **rehashed(entry, forge(entry.body)))
        assert verdict().bad_seq in (MIDDLE, MIDDLE + 1)

    def test_with_the_newest_body_and_hash_shows_at_the_head(self, forger):
        entry = ActionEntry.objects.get(seq=COUNT)
        forged = rehashed(entry, entry.body.replace('"subject_id":"8"', '"subject_id":"9"'))
        change(COUNT, **forged)
        assert (verdict().bad_seq, verdict().fault) == (COUNT + 1, "tail-missing")

    @pytest.mark.parametrize(
        ("gone", "bad"),
        [((1, 1), 2), ((MIDDLE, MIDDLE), MIDDLE + 1), ((2, 6), 7), ((7, 8), 7), ((1, 8), 1)],
        ids=["first", "one", "range", "tail", "all"],
    )
    def test_by_deleting_shows(self, gone, bad, forger):
        sql(f"DELETE FROM {TABLE} WHERE seq BETWEEN %s AND %s", *gone)
        found = verdict()
        assert found.bad_seq == bad
        assert found.fault in ("entry-missing", "tail-missing")

    def test_by_deleting_the_tail_and_its_head_shows(self, forger):
        sql(f"DELETE FROM {TABLE} WHERE seq > 6")
        ActionLogHead.objects.all().delete()
        assert verdict().fault == "tail-missing"

    def test_by_inserting_shows(self, forger):
        sql(f"UPDATE {TABLE} SET seq = seq + 100 WHERE seq > {MIDDLE}")
        sql(f"UPDATE {TABLE} SET seq = seq - 99 WHERE seq > 100")
        before = ActionEntry.objects.get(seq=MIDDLE)
        extra = ActionEntry(
            seq=MIDDLE + 1, ts=before.ts, event="user.signed_in", prev=before.hash, body="{}"
        )
        extra.hash = action_log.entry_hash(extra.prev, extra.body)
        extra.save()
        assert verdict().bad_seq == MIDDLE + 1

    def test_by_swapping_shows(self, forger):
        for here, there in ((3, 100), (5, 3), (100, 5)):
            sql(f"UPDATE {TABLE} SET seq = %s WHERE seq = %s", there, here)
        assert verdict().bad_seq == 3

    def test_by_duplicating_shows(self, forger):
        last = ActionEntry.objects.get(seq=COUNT)
        copy = ActionEntry(
            seq=COUNT + 1, ts=last.ts, event=last.event, body=last.body, prev=last.hash
        )
        copy.hash = action_log.entry_hash(copy.prev, copy.body)
        copy.save()
        assert verdict().bad_seq == COUNT + 1

    @pytest.mark.parametrize(
        "columns",
        [{"value": "because of something else"}, {"salt": "0" * 32}, {"salt": "no salt"},
         {"field": "username"}, {"seq": MIDDLE - 1, "field": "other"}],
        ids=["value", "salt", "no-salt", "field", "seq"],
    )  # fmt: skip
    def test_with_a_private_value_shows(self, columns, forger):
        PrivateValue.objects.filter(seq=MIDDLE).update(**columns)
        for found in (verdict(), usual_verdict()):
            assert found.bad_seq == columns.get("seq", MIDDLE)
            assert found.fault == "private-value-changed"

    def test_by_adding_a_private_value_to_an_entry_without_one_shows(self, forger):
        entry = action_log.record("user.signed_in", actor=None)
        PrivateValue.objects.create(seq=entry.seq, field="reason", salt="00", value="invented")
        assert verdict().bad_seq == entry.seq


def lookalike(text: str) -> None:
    action_log.record(
        "change.requested",
        actor=None,
        at=AT,
        data={"kind": text, "subject_id": "1"},
        private={"reason": text},
    )


AT = datetime(2026, 11, 21, 6, 27, 48, 123456, tzinfo=UTC)
LAST = COUNT + 1


class TestUsualCheck:
    """Whole columns are compared with the texts; nothing else than the truth passes for it."""

    @pytest.mark.parametrize("text", [
        '},"event":"change.failed","person":null,"role":"hr","seq":9,"ts":1}',
        '{"actor":1,"change":2,"data":{', '"', "\\", "%s%d", "因为\n\u2028", "",
    ])  # fmt: skip
    def test_takes_any_text_in_the_data_and_finds_what_is_changed_beside_it(self, text, forger):
        lookalike(text)
        assert usual_verdict() == verdict() == action_log.Verification(LAST)
        for columns in ({"event": "change.failed"}, {"role": "hr"}, {"actor_id": 1}):
            with transaction.atomic():
                change(LAST, **columns)
                assert usual_verdict().bad_seq == LAST
                transaction.set_rollback(True)

    @pytest.mark.parametrize("name", ["event", "role"])
    @pytest.mark.parametrize("text", [
        '","person":null,"role":"', '"', "", "null", "change.requested ", "%s",
        'change.requested","person":null,"role":"',
    ])  # fmt: skip
    def test_finds_a_text_made_to_look_like_the_end_of_a_body(self, name, text, forger):
        if text == "" and name == "role":
            text = " "  # the portal's own entries have none
        change(MIDDLE, **{name: text[:20] if name == "role" else text})
        assert (usual_verdict().bad_seq, usual_verdict().fault) == (MIDDLE, "columns-changed")

    @pytest.mark.parametrize("name", ["actor_id", "person_ref", "change_id"])
    @pytest.mark.parametrize("value", [0, -1, 2**40])
    def test_finds_a_number_where_there_was_none(self, name, value, forger):
        change(MIDDLE, **{name: value})
        assert usual_verdict().bad_seq == MIDDLE

    @pytest.mark.parametrize("name", ["actor_id", "person_ref", "change_id"])
    @pytest.mark.parametrize("value", ["null", "", b"null", 0.5])
    def test_finds_what_is_no_number(self, name, value, forger):
        only_sqlite()
        change(MIDDLE, **{name: value})
        for found in (verdict(), usual_verdict()):
            assert (found.bad_seq, found.fault) == (MIDDLE, "columns-changed")

    @pytest.mark.parametrize("name", ["event", "role", "body", "prev", "hash"])
    def test_finds_the_same_letters_kept_as_bytes(self, name, forger):
        only_sqlite()
        sql(f"UPDATE {TABLE} SET {name} = CAST({name} AS BLOB) WHERE seq = %s", MIDDLE)
        for found in (verdict(), usual_verdict()):
            assert found.bad_seq == MIDDLE

    @pytest.mark.parametrize("stamp", [
        "2026-11-21 06:27:48x123456", "2026-11-21 06:27:48,123456", "2026-11-21T06:27:48.123456",
        "2026-11-21 06:26:108.123456", "2026-11-21 06:26:A8.123456", "2026-11-21 06:27:4８.123456",
        "2026-11-21 06:27:48123.456",
        "2026-11-21 06:27:4_.123456", "2026-W47-6 06:27:48.123456", "2026-11-21 06:27:48.1234560",
        "2026-11-21 06:27:48.123456+00:00", "2026-11-21 06:27:48", "", "now",
    ])  # fmt: skip
    def test_finds_a_moment_in_another_form(self, stamp, forger):
        only_sqlite()
        lookalike("x")
        assert usual_verdict() == action_log.Verification(LAST)
        change(LAST, ts=stamp)
        assert (usual_verdict().bad_seq, usual_verdict().fault) == (LAST, "columns-changed")

    @pytest.mark.parametrize("minute", [26, 27])
    def test_finds_a_minute_of_more_than_sixty_seconds(self, minute, forger):
        only_sqlite()
        action_log.record("user.signed_in", actor=None, at=AT.replace(second=8))
        change(LAST, ts=f"2026-11-21 06:{minute}:68.123456")
        assert usual_verdict().bad_seq == LAST

    @pytest.mark.parametrize("stamp", ["2027-11-21 06:27:48.123456+00 BC", "infinity", "-infinity"])
    def test_finds_a_moment_only_postgresql_knows(self, stamp, forger):
        if connection.vendor != "postgresql":
            pytest.skip("SQLite keeps moments as texts")
        lookalike("x")
        change(LAST, ts=stamp)
        for found in (verdict(), usual_verdict()):
            assert (found.bad_seq, found.fault) == (LAST, "columns-changed")

    def test_takes_a_moment_without_a_fraction_and_finds_what_comes_after_it(self, forger):
        action_log.record("user.signed_in", actor=None, at=AT.replace(microsecond=0))
        write(2)
        assert usual_verdict() == action_log.Verification(LAST + 2)
        change(LAST + 1, role="hr")
        assert (usual_verdict().checked, usual_verdict().bad_seq) == (LAST, LAST + 1)

    @pytest.mark.parametrize("first", ["role", "value"])
    def test_names_the_first_of_two(self, first, forger):
        here, there = (2, 6) if first == "role" else (6, 2)
        change(here, role="hr")
        PrivateValue.objects.filter(seq=there).update(value="something else")
        assert usual_verdict().bad_seq == 2

    def test_judges_a_key_said_twice_by_its_hash(self, forger):
        body = ActionEntry.objects.get(seq=MIDDLE).body
        change(MIDDLE, body=body.replace('"data":{', '"data":{"kind":"x",', 1))
        assert (usual_verdict().bad_seq, usual_verdict().fault) == (MIDDLE, "body-changed")


def only_sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps nothing else in such a column")


class TestAppendOnly:
    @pytest.fixture(autouse=True)
    def log(self, lifted_log):
        write(3)

    @pytest.mark.parametrize(
        "statement",
        [
            f"UPDATE {TABLE} SET role = 'hr' WHERE seq = 2",
            f"UPDATE {TABLE} SET seq = 9 WHERE seq = 3",
            f"DELETE FROM {TABLE} WHERE seq = 3",
            f"DELETE FROM {TABLE}",
        ],
    )  # fmt: skip
    def test_database_refuses_a_change(self, statement):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(statement)
        assert verdict() == action_log.Verification(3)

    @pytest.mark.parametrize("seq", [0, 2, 3])
    def test_database_refuses_an_entry_that_would_not_come_last(self, seq):
        columns = "seq, ts, actor_id, role, event, person_ref, change_id, body, prev, hash"
        kept = "ts, actor_id, role, event, person_ref, change_id, body, prev, 'x'"
        verbs = ["INSERT"]
        if connection.vendor == "sqlite":
            verbs += ["INSERT OR REPLACE", "REPLACE"]
        for verb in verbs:
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                sql(
                    f"{verb} INTO {TABLE} ({columns}) SELECT {seq}, {kept} FROM {TABLE}"
                    " WHERE seq = 2"
                )
        assert verdict() == action_log.Verification(3)

    def test_database_refuses_to_be_emptied(self):
        if connection.vendor == "sqlite":
            pytest.skip("SQLite has no TRUNCATE; DELETE is refused above")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            sql(f"TRUNCATE {TABLE}")
        assert verdict() == action_log.Verification(3)

    def test_model_and_queryset_refuse(self):
        entry = ActionEntry.objects.get(seq=2)
        entry.role = "hr"
        for refused in (
            entry.save,
            entry.delete,
            ActionEntry.objects.all().delete,
            lambda: ActionEntry.objects.update(role="hr"),
            lambda: ActionEntry.objects.bulk_update([entry], ["role"]),
        ):
            with pytest.raises(AppendOnly):
                refused()

    def test_takes_the_next_entry(self):
        write(1)
        assert verdict() == action_log.Verification(4)


class TestVerifyLogCommand:
    def run(self) -> str:
        out = StringIO()
        call_command("verify_log", stdout=out)
        return out.getvalue()

    @pytest.mark.django_db
    def test_says_that_the_log_is_whole(self):
        write()
        assert self.run().startswith(f"All {COUNT} entries are whole.\n")

    def test_names_the_first_bad_entry_and_ends_with_status_1(self, forger):
        change(MIDDLE, role="hr")
        change(MIDDLE + 2, role="hr")
        with pytest.raises(CommandError) as error:
            self.run()
        assert error.value.returncode == 1
        assert (
            str(error.value)
            == f"Entry {MIDDLE} does not fit. One of its columns is not what its text says."
        )
