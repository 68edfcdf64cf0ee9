"""What a page needs to show: one function per page's need, a fixed number of queries each."""

from lifecycle.queries.changes import (
    ChangeFilter,
    change_page,
    changes_needing_attention,
    changes_of_person,
    employee_of,
    is_moving,
    open_changes_by_person,
)
from lifecycle.queries.employees import (
    EmployeeFilter,
    EmployeeRow,
    employee_counts,
    employee_page,
    employee_rows,
    employee_rows_by_id,
)
from lifecycle.queries.log import EntryFilter, attempt_numbered, entry_page, neighbours_of
from lifecycle.queries.names import department_choices
from lifecycle.queries.sync import MirrorState, mirror_state, unreadable_records

__all__ = [
    "ChangeFilter",
    "EmployeeFilter",
    "EmployeeRow",
    "EntryFilter",
    "MirrorState",
    "attempt_numbered",
    "change_page",
    "changes_needing_attention",
    "changes_of_person",
    "department_choices",
    "employee_counts",
    "employee_of",
    "employee_page",
    "employee_rows",
    "employee_rows_by_id",
    "entry_page",
    "is_moving",
    "mirror_state",
    "neighbours_of",
    "open_changes_by_person",
    "unreadable_records",
]
