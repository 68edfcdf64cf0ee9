"""The triggers that make the action log append-only in the database itself.

They refuse UPDATE, DELETE and TRUNCATE, and an INSERT that would not come last: SQLite's
INSERT OR REPLACE deletes without firing delete triggers. A superuser can still get around
them, which is what the hash chain is for.
"""

from __future__ import annotations

from lifecycle.triggers import Triggers

TABLE = "lifecycle_actionentry"
MESSAGE = "The action log is append-only."

SQLITE_INSTALL = (
    f"CREATE TRIGGER IF NOT EXISTS action_log_no_update BEFORE UPDATE ON {TABLE}"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    f"CREATE TRIGGER IF NOT EXISTS action_log_no_delete BEFORE DELETE ON {TABLE}"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    f"CREATE TRIGGER IF NOT EXISTS action_log_last_only BEFORE INSERT ON {TABLE}"
    f" WHEN NEW.seq <= (SELECT COALESCE(MAX(seq), 0) FROM {TABLE})"
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
    f" $$ BEGIN IF NEW.seq <= (SELECT COALESCE(MAX(seq), 0) FROM {TABLE}) THEN"
    f" RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';"
    " END IF; RETURN NEW; END $$",
    f"CREATE OR REPLACE TRIGGER action_log_no_change BEFORE UPDATE OR DELETE ON {TABLE}"
    " FOR EACH ROW EXECUTE FUNCTION action_log_refuse()",
    f"CREATE OR REPLACE TRIGGER action_log_no_truncate BEFORE TRUNCATE ON {TABLE}"
    " FOR EACH STATEMENT EXECUTE FUNCTION action_log_refuse()",
    f"CREATE OR REPLACE TRIGGER action_log_insert_last BEFORE INSERT ON {TABLE}"
    " FOR EACH ROW EXECUTE FUNCTION action_log_last_only()",
)
POSTGRES_LIFT = (
    f"DROP TRIGGER IF EXISTS action_log_no_change ON {TABLE}",
    f"DROP TRIGGER IF EXISTS action_log_no_truncate ON {TABLE}",
    f"DROP TRIGGER IF EXISTS action_log_insert_last ON {TABLE}",
)

TRIGGERS = Triggers(SQLITE_INSTALL, SQLITE_LIFT, POSTGRES_INSTALL, POSTGRES_LIFT)
install, lift = TRIGGERS.install, TRIGGERS.lift
