"""That the triggers of the action log are in place can be seen, and put right."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from lifecycle import action_log, append_only
from lifecycle.action_log import data_in
from lifecycle.models import ActionEntry
from tests.evidence.conftest import write

pytestmark = pytest.mark.django_db
PAGE = "/log/verify/"
SWITCHED_OFF = [
    "ALTER TABLE lifecycle_actionentry DISABLE TRIGGER action_log_no_change",
    "ALTER TABLE lifecycle_actionentry ENABLE TRIGGER action_log_no_change",
]


def dropped(name: str, table: str = "lifecycle_actionentry") -> None:
    where = "" if connection.vendor == "sqlite" else f" ON {table}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{where}")


def checked() -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("verify_log", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_nothing_is_said_while_they_are(as_user, ana):
    write(2)
    assert append_only.missing(connection) == []
    assert "no longer refuses" not in as_user(ana).get(PAGE).text
    assert checked()[1] == ""


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("action_log_no_update", "lifecycle_actionentry"),
        ("private_value_no_update", "lifecycle_privatevalue"),
        ("checkpoint_no_update", "lifecycle_logcheckpoint"),
    ],
)
def test_one_that_is_gone_is_named_and_put_back(as_user, ana, name, table):
    write(2)
    if connection.vendor == "postgresql" and name == "action_log_no_update":
        name = "action_log_no_change"
    dropped(name, table)
    assert append_only.missing(connection) == [name]
    page = as_user(ana).get(PAGE).text
    assert "The database no longer refuses to change the log." in page
    assert name in page
    out, err = checked()
    assert "entries are whole." in out
    assert name in err
    said = StringIO()
    call_command("protect_log", stdout=said)
    assert said.getvalue() == f"Put back: {name}.\n"
    assert append_only.missing(connection) == []
    entry = ActionEntry.objects.get(event="log.protected")
    assert data_in(entry.body) == {"missing": [name], "at_command_line": True}
    assert action_log.sentence(entry).zh == "命令行恢复了数据库对操作日志的保护"
    assert "no longer refuses" not in as_user(ana).get(PAGE).text


def test_nothing_is_logged_when_nothing_was_missing():
    said = StringIO()
    call_command("protect_log", stdout=said)
    assert said.getvalue() == "Everything is in place.\n"
    assert not ActionEntry.objects.exists()


def test_one_of_the_same_name_that_does_something_else_counts_as_gone():
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER action_log_no_delete")
            cursor.execute(
                "CREATE TRIGGER action_log_no_delete BEFORE DELETE ON lifecycle_actionentry"
                " BEGIN SELECT 1; END"
            )
            expected = ["action_log_no_delete"]
        else:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION action_log_refuse() RETURNS trigger"
                " LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
            )
            expected = ["action_log_no_change", "action_log_no_truncate"]
    assert append_only.missing(connection) == expected
    call_command("protect_log", stdout=StringIO())
    assert append_only.missing(connection) == []


@pytest.mark.parametrize("statement", SWITCHED_OFF)
def test_one_that_is_switched_off_counts_as_gone(statement):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite cannot switch a trigger off")
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert append_only.missing(connection) == ["action_log_no_change"]
