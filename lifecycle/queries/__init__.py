"""What a page needs to show: one function per page's need, a fixed number of queries each."""

from lifecycle.models.mirror import Mirrored
from lifecycle.queries.applications import APPLICATIONS
from lifecycle.queries.changes import (
    ChangeFilter,
    change_page,
    changes_needing_attention,
    changes_of_person,
    is_moving,
    open_changes_by_person,
)
from lifecycle.queries.desk import (
    MOST_FOUND,
    RULES,
    AccountThen,
    Period,
    accounts_on,
    bounds_of,
    draw,
    entries_in,
    entries_of_sample,
    exceptions,
    legal_holds,
    reviews_of_sample,
    samples,
    saved_views,
)
from lifecycle.queries.employees import EMPLOYEES, EmployeeRow, employee_rows
from lifecycle.queries.events import (
    FeedFilter,
    SeenField,
    ToldEvent,
    count_events_after,
    feed_page,
    last_seen,
    newest_event,
    seen_fields,
    seen_fields_of_all,
)
from lifecycle.queries.events import told as told_events
from lifecycle.queries.health import change_checks, changes_under_way, paused_endpoints
from lifecycle.queries.lists import (
    MOST_COUNTED,
    Badge,
    Choice,
    Column,
    Figure,
    RecordFilter,
    RecordList,
    RecordRow,
    all_rows,
    choice_options,
    count_rows,
    figures,
    record_page,
    record_rows,
)
from lifecycle.queries.log import (
    MOST_STEPS,
    EntryFilter,
    actors,
    change_told_of,
    entry_page,
    log_proof,
    of_change,
    steps_of_change,
)
from lifecycle.queries.logged import logged_attempt, logged_change
from lifecycle.queries.messages import (
    MessageFigures,
    Undelivered,
    message_figures,
    message_for,
    undelivered,
)
from lifecycle.queries.names import DepartmentChoice, all_departments, department_choices
from lifecycle.queries.offboardings import OFFBOARDINGS
from lifecycle.queries.people import person_page
from lifecycle.queries.pre_hires import PRE_HIRES
from lifecycle.queries.probation import (
    chosen_on_probation,
    probation_counts,
    probation_page,
)
from lifecycle.queries.requests import (
    cards_of,
    chosen_to_decide,
    count_to_decide,
    decided_lately,
    deciders_but,
    deciders_for,
    delegation_given,
    delegations_of,
    has_delegation,
    inbox,
    request_about,
)
from lifecycle.queries.sign_ins import live_sign_ins, users_with_sign_ins
from lifecycle.queries.sync import (
    MirrorState,
    ShownCase,
    mirror_state,
    oldest_mirror_state,
    open_sync_cases,
    unreadable_records,
)
from lifecycle.queries.talents import TALENTS

LISTS: dict[str, RecordList] = {
    shape.name: shape for shape in (TALENTS, APPLICATIONS, PRE_HIRES, EMPLOYEES, OFFBOARDINGS)
}
_LIST_OF = {shape.model: shape for shape in LISTS.values()}


def list_of(model: type[Mirrored]) -> RecordList:
    """The list that shows this kind of record. Raises KeyError for a kind without one."""
    return _LIST_OF[model]


__all__ = [
    "LISTS",
    "MOST_COUNTED",
    "MOST_FOUND",
    "MOST_STEPS",
    "RULES",
    "AccountThen",
    "Badge",
    "ChangeFilter",
    "Choice",
    "Column",
    "DepartmentChoice",
    "EmployeeRow",
    "EntryFilter",
    "FeedFilter",
    "Figure",
    "MessageFigures",
    "MirrorState",
    "Period",
    "RecordFilter",
    "RecordList",
    "RecordRow",
    "SeenField",
    "ShownCase",
    "ToldEvent",
    "Undelivered",
    "accounts_on",
    "actors",
    "all_departments",
    "all_rows",
    "bounds_of",
    "cards_of",
    "change_checks",
    "change_page",
    "change_told_of",
    "changes_needing_attention",
    "changes_of_person",
    "changes_under_way",
    "choice_options",
    "chosen_on_probation",
    "chosen_to_decide",
    "count_events_after",
    "count_rows",
    "count_to_decide",
    "decided_lately",
    "deciders_but",
    "deciders_for",
    "delegation_given",
    "delegations_of",
    "department_choices",
    "draw",
    "employee_rows",
    "entries_in",
    "entries_of_sample",
    "entry_page",
    "exceptions",
    "feed_page",
    "figures",
    "has_delegation",
    "inbox",
    "is_moving",
    "last_seen",
    "legal_holds",
    "list_of",
    "live_sign_ins",
    "log_proof",
    "logged_attempt",
    "logged_change",
    "message_figures",
    "message_for",
    "mirror_state",
    "newest_event",
    "of_change",
    "oldest_mirror_state",
    "open_changes_by_person",
    "open_sync_cases",
    "paused_endpoints",
    "person_page",
    "probation_counts",
    "probation_page",
    "record_page",
    "record_rows",
    "request_about",
    "reviews_of_sample",
    "samples",
    "saved_views",
    "seen_fields",
    "seen_fields_of_all",
    "steps_of_change",
    "told_events",
    "undelivered",
    "unreadable_records",
    "users_with_sign_ins",
]
