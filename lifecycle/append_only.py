"""The triggers that make the action log append-only in the database itself.

They refuse UPDATE, DELETE and TRUNCATE, and an INSERT of anything but the next number: SQLite's
INSERT OR REPLACE deletes without firing delete triggers, by the number or by the hash. A
superuser can still get around them, which is what the hash chain is for.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from lifecycle.triggers import Triggers

TABLE = "lifecycle_actionentry"
MESSAGE = "The action log is append-only."

SQLITE_INSTALL = (
    f"CREATE TRIGGER IF NOT EXISTS action_log_no_update BEFORE UPDATE ON {TABLE}"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    f"CREATE TRIGGER IF NOT EXISTS action_log_no_delete BEFORE DELETE ON {TABLE}"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    f"CREATE TRIGGER IF NOT EXISTS action_log_last_only BEFORE INSERT ON {TABLE}"
    f" WHEN typeof(NEW.seq) <> 'integer'"
    f" OR NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM {TABLE})"
    f" OR EXISTS (SELECT 1 FROM {TABLE} WHERE hash = NEW.hash)"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
)
SQLITE_LIFT = (
    "DROP TRIGGER IF EXISTS action_log_no_update",
    "DROP TRIGGER IF EXISTS action_log_no_delete",
    "DROP TRIGGER IF EXISTS action_log_last_only",
)
POSTGRES_INSTALL = (
    "CREATE OR REPLACE FUNCTION action_log_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';"
    " END $$",
    "CREATE OR REPLACE FUNCTION action_log_last_only() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN IF NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM {TABLE}) THEN"
    f" RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';"
    " END IF; RETURN NEW; END $$",
    f"CREATE OR REPLACE TRIGGER action_log_no_change BEFORE UPDATE OR DELETE ON {TABLE}"
    " FOR EACH ROW EXECUTE FUNCTION action_log_refuse()",
    f"CREATE OR REPLACE TRIGGER action_log_no_truncate BEFORE TRUNCATE ON {TABLE}"
    " FOR EACH STATEMENT EXECUTE FUNCTION action_log_refuse()",
    f"CREATE OR REPLACE TRIGGER action_log_insert_last BEFORE INSERT ON {TABLE}"
    " FOR EACH ROW EXECUTE FUNCTION action_log_last_only()",
    # Also in a session that says it only replicates what was checked elsewhere.
    f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER action_log_no_change",
    f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER action_log_no_truncate",
    f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER action_log_insert_last",
)
POSTGRES_LIFT = (
    f"DROP TRIGGER IF EXISTS action_log_no_change ON {TABLE}",
    f"DROP TRIGGER IF EXISTS action_log_no_truncate ON {TABLE}",
    f"DROP TRIGGER IF EXISTS action_log_insert_last ON {TABLE}",
)

TRIGGERS = Triggers(SQLITE_INSTALL, SQLITE_LIFT, POSTGRES_INSTALL, POSTGRES_LIFT)

# What stands beside the log may go (a private value that is erased), but not become another.
PRIVATE, CHECKPOINTS = "lifecycle_privatevalue", "lifecycle_logcheckpoint"
# When it was mailed is noted later.
SIGNED = "size, root, head, previous, at, text, signature, key_id, frontier"
BESIDE_MESSAGE = "What stands beside the action log is never changed."

BESIDE = Triggers(
    (
        f"CREATE TRIGGER IF NOT EXISTS private_value_no_update BEFORE UPDATE ON {PRIVATE}"
        f" BEGIN SELECT RAISE(ABORT, '{BESIDE_MESSAGE}'); END",
        f"CREATE TRIGGER IF NOT EXISTS checkpoint_no_update BEFORE UPDATE OF {SIGNED}"
        f" ON {CHECKPOINTS} BEGIN SELECT RAISE(ABORT, '{BESIDE_MESSAGE}'); END",
    ),
    (
        "DROP TRIGGER IF EXISTS private_value_no_update",
        "DROP TRIGGER IF EXISTS checkpoint_no_update",
    ),
    (
        "CREATE OR REPLACE FUNCTION beside_log_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{BESIDE_MESSAGE}'"
        " USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f"CREATE OR REPLACE TRIGGER private_value_no_update BEFORE UPDATE ON {PRIVATE}"
        " FOR EACH ROW EXECUTE FUNCTION beside_log_refuse()",
        f"CREATE OR REPLACE TRIGGER checkpoint_no_update BEFORE UPDATE OF {SIGNED}"
        f" ON {CHECKPOINTS} FOR EACH ROW EXECUTE FUNCTION beside_log_refuse()",
        f"ALTER TABLE {PRIVATE} ENABLE ALWAYS TRIGGER private_value_no_update",
        f"ALTER TABLE {CHECKPOINTS} ENABLE ALWAYS TRIGGER checkpoint_no_update",
    ),
    (
        f"DROP TRIGGER IF EXISTS private_value_no_update ON {PRIVATE}",
        f"DROP TRIGGER IF EXISTS checkpoint_no_update ON {CHECKPOINTS}",
    ),
)


def install(connection: BaseDatabaseWrapper) -> None:
    """Put all of them in place; repeatable."""
    for triggers in (TRIGGERS, BESIDE):
        triggers.install(connection)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of those that are not in place; two queries."""
    return [name for triggers in (TRIGGERS, BESIDE) for name in triggers.missing(connection)]


def lift(connection: BaseDatabaseWrapper) -> None:
    """Take all of them away: for tests that tamper or empty the tables."""
    for triggers in (TRIGGERS, BESIDE):
        triggers.lift(connection)
