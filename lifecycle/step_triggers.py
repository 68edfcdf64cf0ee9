"""The state machine of a status change in the database itself.

A trigger refuses every change of status that is no step of `change_states.STEPS`, whoever
writes it: a final status stays final for a stray script too. It is made anew after each
`migrate`, because SQLite loses triggers when a table is rebuilt.
"""

from __future__ import annotations

from lifecycle.change_states import STEPS
from lifecycle.triggers import Triggers

TABLE = "lifecycle_statuschange"
MESSAGE = "A status change cannot take this step."

# The names are our own constants; nothing that anybody enters comes in here.
_ALLOWED = ", ".join(f"'{step.start}>{step.target}'" for step in STEPS)
_REFUSED = f"OLD.status <> NEW.status AND (OLD.status || '>' || NEW.status) NOT IN ({_ALLOWED})"

SQLITE_INSTALL = (
    f"CREATE TRIGGER change_steps BEFORE UPDATE OF status ON {TABLE} WHEN {_REFUSED}"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
)
SQLITE_LIFT = ("DROP TRIGGER IF EXISTS change_steps",)
POSTGRES_INSTALL = (
    "CREATE OR REPLACE FUNCTION change_steps_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';"
    " END $$",
    f"CREATE TRIGGER change_steps BEFORE UPDATE OF status ON {TABLE} FOR EACH ROW"
    f" WHEN ({_REFUSED}) EXECUTE FUNCTION change_steps_refuse()",
)
POSTGRES_LIFT = (f"DROP TRIGGER IF EXISTS change_steps ON {TABLE}",)

TRIGGERS = Triggers(SQLITE_INSTALL, SQLITE_LIFT, POSTGRES_INSTALL, POSTGRES_LIFT)
install, lift = TRIGGERS.install, TRIGGERS.lift
