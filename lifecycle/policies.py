"""Who may do what, and how far it reaches.

Everything not written here is refused. What a role may do is one table; how far it reaches
is a condition on a queryset, so that a page, a search, a count and a guessed id all meet
the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from lifecycle.errors.problems import NotFound
from lifecycle.models import (
    ActionEntry,
    Application,
    ApprovalStep,
    ChangeEvent,
    ConversionRequest,
    Delegation,
    Department,
    DriftCase,
    Employee,
    Employment,
    Offboarding,
    Person,
    PreHire,
    ReportingLine,
    Role,
    StatusChange,
    Talent,
    User,
)
from lifecycle.models.mirror import Mirrored

Someone = User | AnonymousUser
# Of the records somebody asks for at once and may not see, so many are named to the log.
MOST_HIDDEN = 50
Row = TypeVar("Row", bound=Model)
Record = TypeVar("Record", bound=Mirrored)


class Capability(StrEnum):
    SEE_PEOPLE = "see_people"
    ASK_FOR_CHANGE = "ask_for_change"
    CANCEL_CHANGE = "cancel_change"
    DECIDE_CHANGE = "decide_change"
    APPROVE_CHANGE = "approve_change"
    READ_LOG = "read_log"
    VERIFY_LOG = "verify_log"
    REVIEW_LOG = "review_log"
    TAKE_EVIDENCE = "take_evidence"
    SEE_SYNC = "see_sync"
    START_SYNC = "start_sync"
    SEE_GUARDS = "see_guards"
    STOP_WRITES = "stop_writes"
    START_WRITES = "start_writes"
    EXPORT = "export"
    SEE_DRIFT = "see_drift"
    SETTLE_DRIFT = "settle_drift"
    SEE_REQUESTS = "see_requests"
    ASK_FOR_DECISION = "ask_for_decision"
    DECIDE_REQUEST = "decide_request"
    DECIDE_AS_HRBP = "decide_as_hrbp"
    SET_APPROVAL_STEPS = "set_approval_steps"
    MANAGE_USERS = "manage_users"


_C = Capability

CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.HR: frozenset(
        {
            _C.SEE_PEOPLE,
            _C.ASK_FOR_CHANGE,
            _C.CANCEL_CHANGE,
            _C.DECIDE_CHANGE,
            _C.APPROVE_CHANGE,
            _C.READ_LOG,
            _C.SEE_SYNC,
            _C.START_SYNC,
            _C.SEE_GUARDS,
            _C.STOP_WRITES,
            _C.EXPORT,
            _C.SEE_DRIFT,
            _C.SETTLE_DRIFT,
            _C.SEE_REQUESTS,
            _C.ASK_FOR_DECISION,
            _C.DECIDE_AS_HRBP,
            _C.SET_APPROVAL_STEPS,
        }
    ),
    Role.MANAGER: frozenset({_C.SEE_PEOPLE, _C.READ_LOG, _C.DECIDE_REQUEST}),
    Role.AUDITOR: frozenset(
        {
            _C.SEE_PEOPLE,
            _C.READ_LOG,
            _C.VERIFY_LOG,
            _C.SEE_DRIFT,
            _C.REVIEW_LOG,
            _C.TAKE_EVIDENCE,
            _C.SEE_SYNC,
            _C.SEE_GUARDS,
            _C.SEE_REQUESTS,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            _C.READ_LOG,
            _C.SEE_SYNC,
            _C.START_SYNC,
            _C.SEE_GUARDS,
            _C.STOP_WRITES,
            _C.START_WRITES,
            _C.SET_APPROVAL_STEPS,
            _C.MANAGE_USERS,
        }
    ),
}

# Who may agree to a change, by why it awaits approval (StatusChange.problem).
APPROVERS: dict[str, frozenset[str]] = {
    "guard.daily-limit": frozenset({Role.HR}),
    "approval.leader": frozenset({Role.MANAGER}),
}

# Which verbs a role may ask for.
REQUESTABLE: dict[str, frozenset[str]] = {
    Role.HR: frozenset(
        {
            "onboard_application",
            "convert_employee",
            "undo_conversion",
            "offboard_employee",
            "undo_offboarding",
            "edit_offboarding",
            "update_pre_hire",
            "restore_to_pre_hire",
            "onboard_talent",
            "mark_talent_left",
        }
    ),
}

# Log entries about accounts and the portal, not about employees.
ADMINISTRATOR_EVENTS = ("user.", "settings.", "sync.", "writes.")


def can(user: Someone, capability: Capability) -> bool:
    """True when the role of this active user has the capability."""
    if not user.is_active or not isinstance(user, User):
        return False
    return capability in CAPABILITIES.get(user.role, frozenset())


# -- how far it reaches -------------------------------------------------------------------


def visible_people(user: Someone) -> QuerySet[Person]:
    """The people this user may see, whichever of Feishu's records they are known from.

    They are reached through their employee record; also through one Feishu no longer has,
    because their history stays readable. HR of some departments reaches those who are
    about to start there, or work there by CoreHR's account, as well.
    """
    if _sees_whole_company(user):
        return Person.objects.all()
    reached = Q(pk__in=_in_reach(user, Employee.everyone.all()).order_by().values("person_id"))
    if isinstance(user, User) and user.role == Role.HR and can(user, Capability.SEE_PEOPLE):
        below = _departments_below(user.department_ids)
        for rows in (PreHire.everyone, Employment.objects):
            there = rows.filter(department_id__in=below)
            reached |= Q(pk__in=there.order_by().values("person_id"))
    return Person.objects.filter(reached)


def visible_employees(user: Someone) -> QuerySet[Employee]:
    """The employees this user may see."""
    return _in_reach(user, Employee.objects.all())


def visible_talents(user: Someone) -> QuerySet[Talent]:
    """The talents this user may see."""
    return _about_visible_people(user, Talent.objects.all(), "person_id")


def visible_applications(user: Someone) -> QuerySet[Application]:
    """The applications this user may see."""
    return _about_visible_people(user, Application.objects.all(), "person_id")


def visible_pre_hires(user: Someone) -> QuerySet[PreHire]:
    """The pre-hires this user may see."""
    return _about_visible_people(user, PreHire.objects.all(), "person_id")


def visible_employments(user: Someone) -> QuerySet[Employment]:
    """The CoreHR employments this user may see."""
    return _about_visible_people(user, Employment.objects.all(), "person_id")


def visible_offboardings(user: Someone) -> QuerySet[Offboarding]:
    """The offboardings this user may see."""
    return _about_visible_people(user, Offboarding.objects.all(), "person_id")


def visible(user: Someone, model: type[Record]) -> QuerySet[Record]:
    """The records of this kind this user may see."""
    rows: QuerySet[Record] = _VISIBLE[model](user)
    return rows


def record_for(user: Someone, model: type[Record], pk: int) -> Record:
    """The record, when this user may see it; NotFound otherwise, as for no such record."""
    record = visible(user, model).select_related("person").filter(pk=pk).first()
    if record is None:
        raise not_found(model._default_manager.filter(pk=pk))
    return record


def person_for(user: Someone, pk: int) -> Person:
    """The person, when this user may see them; NotFound otherwise."""
    person = visible_people(user).filter(pk=pk).first()
    if person is None:
        raise not_found(Person.objects.filter(pk=pk), "pk")
    return person


def not_found(anywhere: QuerySet[Any], person: str = "person_id") -> NotFound:
    """Says whether there is such a record and whose. `anywhere`: the row itself, in reach or not;
    `person`: its column of whose it is."""
    found = list(anywhere.values_list(person, flat=True)[:1])
    return NotFound(is_hidden=bool(found)).about(person_id=found[0] if found else None)


def hidden_employees(user: Someone, pks: Collection[int]) -> list[NotFound]:
    """Of these employees, one for each that is out of this user's reach."""
    return _hidden_among(Employee.objects.filter(pk__in=pks), visible_employees(user))


def hidden_requests(user: Someone, pks: Collection[int], *, day: date) -> list[NotFound]:
    """Of these requests, one for each that is open and not this user's to decide."""
    return _hidden_among(_open_requests().filter(pk__in=pks), requests_to_decide(user, day=day))


def _hidden_among(asked: QuerySet[Row], seen: QuerySet[Row]) -> list[NotFound]:
    """One query; MOST_HIDDEN at most."""
    hidden = asked.exclude(pk__in=seen.order_by().values("pk")).order_by("pk")
    people = hidden.values_list("person_id", flat=True)[:MOST_HIDDEN]
    return [NotFound(is_hidden=True).about(person_id=person_id) for person_id in people]


def _open_requests() -> QuerySet[ConversionRequest]:
    return ConversionRequest.objects.filter(status=ConversionRequest.Status.OPEN)


def _in_reach(user: Someone, employees: QuerySet[Employee]) -> QuerySet[Employee]:
    if not isinstance(user, User) or not can(user, Capability.SEE_PEOPLE):
        return employees.none()
    if user.role == Role.MANAGER:
        return _reports_of(user, employees)
    if user.role == Role.HR and user.department_ids:
        return employees.filter(department_id__in=_departments_below(user.department_ids))
    return employees


def visible_changes(user: Someone) -> QuerySet[StatusChange]:
    """The status changes of the people this user may see."""
    return _about_visible_people(user, StatusChange.objects.all(), "person_id")


def visible_requests(user: Someone) -> QuerySet[ConversionRequest]:
    """The conversion requests about people HR or an auditor may see."""
    requests = ConversionRequest.objects.all()
    if not can(user, Capability.SEE_REQUESTS):
        return requests.none()
    return _about_visible_people(user, requests, "person_id")


def requests_to_decide(user: Someone, *, day: date) -> QuerySet[ConversionRequest]:
    """The open requests this user may decide on this tenant day: addressed to them, or to
    somebody they stand in for, at a step that is their role's; neither asked for by them nor
    about them, and none to which they have agreed at an earlier step."""
    requests = _open_requests()
    if not isinstance(user, User) or not may_decide_requests(user):
        return requests.none()
    of_hr = Q(step_role=ApprovalStep.HRBP)
    is_leader = can(user, Capability.DECIDE_REQUEST)
    requests = requests.filter(~of_hr if is_leader else of_hr).exclude(agreements__by=user)
    away = Delegation.objects.holding_on(day).filter(to_user=user)
    mine = requests.filter(Q(approver=user) | Q(approver__in=away.values("from_user")))
    mine = mine.exclude(requested_by=user)
    return mine.exclude(person__open_id=user.open_id) if user.open_id else mine


def request_for(user: Someone, pk: int) -> ConversionRequest:
    """The conversion request, when HR or an auditor may see it; NotFound otherwise."""
    related = ("person", "employee", "approver", "requested_by")
    request = visible_requests(user).select_related(*related).filter(pk=pk).first()
    if request is None:
        raise not_found(ConversionRequest.objects.filter(pk=pk))
    return request


def request_to_decide(user: Someone, pk: int, *, day: date) -> ConversionRequest:
    """The request, when it is addressed to this user and may still be decided."""
    found = requests_to_decide(user, day=day).filter(pk=pk)
    request = found.select_related("person", "employee", "approver", "requested_by").first()
    if request is None:
        # One that is closed was not refused to them: they come too late.
        raise not_found(_open_requests().filter(pk=pk))
    return request


def deciders() -> QuerySet[User]:
    """Everybody a request may be addressed to."""
    roles = [role for role, able in CAPABILITIES.items() if Capability.DECIDE_REQUEST in able]
    return User.objects.filter(is_active=True, role__in=roles)


def may_decide_requests(user: Someone) -> bool:
    """True when requests may be addressed to a user of this role at all."""
    return can(user, Capability.DECIDE_REQUEST) or can(user, Capability.DECIDE_AS_HRBP)


def may_set_approval_steps(user: Someone) -> bool:
    """True for administrators, and for HR of the whole company."""
    if not isinstance(user, User) or not can(user, Capability.SET_APPROVAL_STEPS):
        return False
    return user.role != Role.HR or not user.department_ids


def hrbps_of(employee: Employee) -> list[User]:
    """HR users who may decide about this employee: those of the department first, then those of
    the departments above it, then those of the whole company."""
    department = Department.objects.filter(feishu_id=employee.department_id).first()
    ids = department.line if department else []
    depth = {department_id: number for number, department_id in enumerate(ids, start=1)}
    able = [role for role, has in CAPABILITIES.items() if Capability.DECIDE_AS_HRBP in has]
    users = User.objects.filter(is_active=True, role__in=able).order_by("pk")

    def nearness(user: User) -> int:
        if not user.department_ids:
            return 0
        return max((depth.get(one, -1) for one in user.department_ids), default=-1)

    near = [(nearness(user), user) for user in users if not is_self(user, employee)]
    return [user for at, user in sorted(near, key=lambda one: -one[0]) if at >= 0]


def hr_of(person: Person) -> list[User]:
    """Everybody of HR who reaches this person, save the person; two queries."""
    users = User.objects.filter(is_active=True, role=Role.HR).order_by("pk")
    others = [user for user in users if not (person.open_id and user.open_id == person.open_id)]
    paths = _department_paths(person.pk) if others else []
    return [user for user in others if _has_in_reach(user, paths)]


def visible_events(user: Someone) -> QuerySet[ChangeEvent]:
    """The change events about the people this user may see."""
    return _about_visible_people(user, ChangeEvent.objects.all(), "person_id")


def visible_drifts(user: Someone) -> QuerySet[DriftCase]:
    """The contradictions in the records of the people HR or an auditor may see."""
    cases = DriftCase.objects.all()
    if not can(user, Capability.SEE_DRIFT):
        return cases.none()
    return _about_visible_people(user, cases, "person_id")


def drift_for(user: Someone, pk: int) -> DriftCase:
    """The case, when this user may see it; NotFound otherwise."""
    case = visible_drifts(user).select_related("person").filter(pk=pk).first()
    if case is None:
        raise not_found(DriftCase.objects.filter(pk=pk))
    return case


def visible_entries(user: Someone) -> QuerySet[ActionEntry]:
    """The log entries this user may read."""
    entries = ActionEntry.objects.all()
    if not isinstance(user, User) or not can(user, Capability.READ_LOG):
        return entries.none()
    if user.role == Role.AUDITOR:
        return entries
    if user.role == Role.ADMINISTRATOR:
        prefixes = (Q(event__startswith=prefix) for prefix in ADMINISTRATOR_EVENTS)
        return entries.filter(_any(prefixes), person_ref__isnull=True, change_id__isnull=True)
    seen = _about_visible_people(user, entries.filter(person_ref__isnull=False), "person_ref")
    return seen.exclude(_plans_of_others(user))


def _plans_of_others(user: User) -> Q:
    """What HR has only looked at, and perhaps will never ask for, is not for those whom it is
    about, nor for their leaders."""
    planned = Q(event="change.planned")
    if can(user, Capability.ASK_FOR_CHANGE):
        oneself = Person.objects.filter(open_id=user.open_id).exclude(open_id="")
        return planned & Q(person_ref__in=oneself.values("pk"))
    return planned


def visible_departments(user: Someone) -> QuerySet[Department]:
    """The departments a user may filter by: those of the employees in reach."""
    departments = Department.objects.filter(is_active=True)
    if _sees_whole_company(user):
        return departments
    if isinstance(user, User) and user.role == Role.HR:
        return departments.filter(_below(user.department_ids))
    mine = visible_employees(user).order_by().values("department_id")
    return departments.filter(feishu_id__in=mine)


def employee_for(user: Someone, pk: int) -> Employee:
    """The employee, when this user may see it; NotFound otherwise, as for no such record."""
    return record_for(user, Employee, pk)


def change_for(user: Someone, pk: int) -> StatusChange:
    """The status change, when this user may see the person it is about."""
    related = ("person", "requested_by", "undo_of")
    change = visible_changes(user).select_related(*related).filter(pk=pk).first()
    if change is None:
        raise not_found(StatusChange.objects.filter(pk=pk))
    return change


def entry_for(user: Someone, seq: int) -> ActionEntry:
    """The log entry, when this user may read it."""
    entry = visible_entries(user).filter(seq=seq).first()
    if entry is None:
        raise not_found(ActionEntry.objects.filter(seq=seq), "person_ref")
    return entry


# -- what may be asked --------------------------------------------------------------------


def may_ask(user: Someone, kind_name: str) -> bool:
    """True when this user's role may ask for this verb at all."""
    if not isinstance(user, User) or not can(user, Capability.ASK_FOR_CHANGE):
        return False
    return kind_name in REQUESTABLE.get(user.role, frozenset())


def is_self(user: Someone, record: Mirrored) -> bool:
    """True when the record is about this user."""
    return isinstance(user, User) and bool(user.open_id) and user.open_id == record.person.open_id


def can_request(user: Someone, kind_name: str, record: Mirrored) -> bool:
    """True when this user may ask for this verb on this record; never for oneself."""
    if not may_ask(user, kind_name) or is_self(user, record):
        return False
    return visible(user, type(record)).filter(pk=record.pk).exists()


def can_cancel(user: Someone, change: StatusChange) -> bool:
    """True when this user may cancel this change, as long as it can be cancelled at all."""
    if not can(user, Capability.CANCEL_CHANGE):
        return False
    return visible_changes(user).filter(pk=change.pk).exists()


def can_decide(user: Someone, change: StatusChange) -> bool:
    """True when this user may say how an unclear change ended: not the one who asked for it,
    and not the one it is about."""
    return can(user, Capability.DECIDE_CHANGE) and _is_third_in(user, change)


def may_approve_at_all(user: Someone) -> bool:
    """True when this user's role may agree to changes of others."""
    return can(user, Capability.APPROVE_CHANGE)


def can_approve(user: Someone, change: StatusChange) -> bool:
    """True when this user may agree to this change or reject it: of a role that may for this
    reason, and neither the one who asked for it nor the one it is about."""
    if not isinstance(user, User) or not may_approve_at_all(user) or not change.is_pending:
        return False
    return user.role in APPROVERS.get(change.problem, ()) and _is_third_in(user, change)


def approvers_of(change: StatusChange) -> list[User]:
    """Everybody for whom `can_approve` holds; two queries, however many there are."""
    about = change.person.open_id
    users = User.objects.filter(is_active=True, role__in=APPROVERS.get(change.problem, ()))
    others = [
        user
        for user in users.order_by("pk")
        if may_approve_at_all(user)
        and user.pk != change.requested_by_id
        and not (about and user.open_id == about)
    ]
    paths = _department_paths(change.person_id) if others else []
    return [user for user in others if _has_in_reach(user, paths)]


def _department_paths(person_id: int) -> list[str]:
    """Where the records stand by which HR of some departments reaches this person."""
    there = Q()
    for rows in (Employee.everyone, PreHire.everyone, Employment.objects):
        mine = rows.filter(person_id=person_id).order_by().values("department_id")
        there |= Q(feishu_id__in=mine)
    return list(Department.objects.filter(there).values_list("path", flat=True))


def _has_in_reach(user: User, paths: list[str]) -> bool:
    """What `visible_people` says as a condition, for one person of HR."""
    return not user.department_ids or any(
        f"/{department_id}/" in path for department_id in user.department_ids for path in paths
    )


def _is_third_in(user: Someone, change: StatusChange) -> bool:
    """True when the change is in reach, and this user neither asked for it nor is its subject."""
    if change.requested_by_id == user.pk:
        return False
    if isinstance(user, User) and user.open_id and user.open_id == change.person.open_id:
        return False
    return visible_changes(user).filter(pk=change.pk).exists()


# -- conditions ---------------------------------------------------------------------------


def _sees_whole_company(user: Someone) -> bool:
    if not isinstance(user, User) or not can(user, Capability.SEE_PEOPLE):
        return False
    return user.role == Role.AUDITOR or (user.role == Role.HR and not user.department_ids)


def _reports_of(user: User, employees: QuerySet[Employee]) -> QuerySet[Employee]:
    """Direct and further reports: a leader stands in his own line, and never for himself."""
    if not user.open_id:
        return employees.none()
    line = ReportingLine.objects.filter(leader_open_id=user.open_id).values("report_open_id")
    own = Q(leader_open_id=user.open_id) | Q(leader_open_id__in=line)
    return employees.filter(own).exclude(person__open_id=user.open_id)


def _departments_below(department_ids: list[str]) -> QuerySet[Department, str]:
    return Department.objects.filter(_below(department_ids)).values_list("feishu_id", flat=True)


def _below(department_ids: list[str]) -> Q:
    return _any(Q(path__contains=f"/{department_id}/") for department_id in department_ids)


def _any(conditions: Iterable[Q]) -> Q:
    """One of the conditions holds; nothing at all when there are none."""
    return reduce(or_, conditions, Q(pk__in=[]))


def _about_visible_people(user: Someone, rows: QuerySet[Row], column: str) -> QuerySet[Row]:
    if _sees_whole_company(user):
        return rows
    return rows.filter(**{f"{column}__in": visible_people(user).values("pk")})


_VISIBLE: dict[type[Mirrored], Callable[[Someone], QuerySet[Any]]] = {
    Talent: visible_talents,
    Application: visible_applications,
    Employee: visible_employees,
    PreHire: visible_pre_hires,
    Employment: visible_employments,
    Offboarding: visible_offboardings,
}
