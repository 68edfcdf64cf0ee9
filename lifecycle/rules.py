"""The states a person can be in, in Feishu's terms and ours, and which verb fits which.

Pure: no Django, no HTTP. Every step can be read and tested as a table and a question.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OnboardStatus(StrEnum):
    """Hire's `onboard_status` of an employee."""

    ONBOARDED = "onboarded"
    LEFT = "left"


class ConversionStatus(StrEnum):
    """Hire's `conversion_status` of an employee."""

    NOT_CONVERTED = "not_converted"
    CONVERTED = "converted"


class StageType(StrEnum):
    """Hire's stage types of an application (contract H6), by their meaning."""

    SCREENING = "screening"
    EVALUATION = "evaluation"
    WRITTEN_TEST = "written_test"
    INTERVIEW = "interview"
    OFFER = "offer"
    PRE_HIRE = "pre_hire"
    ONBOARDED = "onboarded"
    OTHER = "other"


class OnboardingStatus(StrEnum):
    """CoreHR's `onboarding_status` of a pre-hire (contract P1 to P4)."""

    PREBOARDING = "preboarding"
    DAY_ONE = "day_one"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    DELETED = "deleted"


# Still to come; the others have started or will not.
AWAITED = frozenset({OnboardingStatus.PREBOARDING, OnboardingStatus.DAY_ONE})


class OffboardingStatus(StrEnum):
    """CoreHR's `status` of an offboarding (contract O1)."""

    APPROVING = "Approving"
    APPROVED = "Approved"
    NO_NEED_APPROVAL = "NoNeedApproval"
    OFFBOARDED = "Offboarded"
    REJECTED = "Rejected"
    WITHDRAWN = "Withdrawn"


# Not done and not given up.
LEAVING = frozenset(
    {
        OffboardingStatus.APPROVING,
        OffboardingStatus.APPROVED,
        OffboardingStatus.NO_NEED_APPROVAL,
    }
)


def can_convert(onboard: str, conversion: str) -> bool:
    """Convert (A2 operation 1): onboarded and not converted."""
    return onboard == OnboardStatus.ONBOARDED and conversion == ConversionStatus.NOT_CONVERTED


def can_undo_conversion(onboard: str, conversion: str) -> bool:
    """Undo conversion (A2 operation 5): onboarded and converted."""
    return onboard == OnboardStatus.ONBOARDED and conversion == ConversionStatus.CONVERTED


def can_offboard(onboard: str) -> bool:
    """Offboard (A2 operation 2): onboarded, on probation or not."""
    return onboard == OnboardStatus.ONBOARDED


def can_undo_offboarding(onboard: str) -> bool:
    """Undo offboarding (A2 operation 4): left."""
    return onboard == OnboardStatus.LEFT


def can_edit_offboarding(status: str) -> bool:
    """Edit an offboarding (A4): approved, and the employee has not left yet."""
    return status == OffboardingStatus.APPROVED


def can_restore_to_pre_hire(onboard: str) -> bool:
    """Restore to pre-hire (A2 operation 3): onboarded, on probation or not."""
    return onboard == OnboardStatus.ONBOARDED


def can_onboard_talent(*, is_onboarded: bool, has_left: bool) -> bool:
    """Onboard a talent (A1 operation 1): neither onboarded nor left, the latter for good."""
    return not is_onboarded and not has_left


def can_mark_talent_left(*, is_onboarded: bool, has_left: bool) -> bool:
    """Mark a talent as left (A1 operation 2): onboarded, and not marked before."""
    return is_onboarded and not has_left


def can_onboard_application(stage_type: str, *, is_active: bool) -> bool:
    """Onboard an application (A3): at the pre-hire stage and not terminated."""
    return stage_type == StageType.PRE_HIRE and is_active


def can_update_pre_hire(status: str) -> bool:
    """Update a pre-hire (A5): Feishu names no precondition, but the present status has to be
    sent along, so it has to be one of the five; "" is a status nobody has read yet."""
    return status == "" or status in set(OnboardingStatus)


def is_left_to_feishu(status: str) -> bool:
    """A status that Feishu's own flows bring about: nobody knows whether setting it here does
    what they do (contract A5)."""
    return status in set(OnboardingStatus) - AWAITED


# -- records of one person that contradict each other -------------------------------------

HIRED, TERMINATED = "hired", "terminated"


@dataclass(frozen=True, slots=True)
class EmployeeState:
    onboard: str
    conversion: str
    application_id: str = ""


@dataclass(frozen=True, slots=True)
class EmploymentState:
    """`on_probation` None: Feishu does not say."""

    employment_id: str
    status: str
    on_probation: bool | None = None


@dataclass(frozen=True, slots=True)
class PersonState:
    """Where each record of one person stands. `offboardings`: employment id and status;
    `started`: whether the day of a completed pre-hire is over for a while; `onboarded`: the
    applications that have become an employee."""

    employees: tuple[EmployeeState, ...] = ()
    employments: tuple[EmploymentState, ...] = ()
    offboardings: tuple[tuple[str, str], ...] = ()
    started: bool = False
    onboarded: tuple[str, ...] = ()


class System(StrEnum):
    """Who says that somebody has left, or works here."""

    HIRE = "hire"
    EMPLOYMENT = "employment"
    OFFBOARDING = "offboarding"


class Drift(StrEnum):
    """A contradiction between the records of one person."""

    LEFT_AND_ACTIVE = "left-and-active"
    CONVERTED_ON_PROBATION = "converted-on-probation"
    COMPLETED_NOT_EMPLOYED = "completed-not-employed"
    ONBOARDED_NO_EMPLOYEE = "onboarded-no-employee"


def who_says_left(state: PersonState) -> tuple[list[System], list[System]]:
    """Who says that the person has left, and who says that the person works here.

    Somebody may come back, so of several records of one system one that is active counts;
    an offboarding speaks of its own employment only.
    """
    left: list[System] = []
    active: list[System] = []
    if state.employees:
        has_left = all(one.onboard == OnboardStatus.LEFT for one in state.employees)
        (left if has_left else active).append(System.HIRE)
    known = [one for one in state.employments if one.status in (HIRED, TERMINATED)]
    if known:
        has_left = all(one.status == TERMINATED for one in known)
        (left if has_left else active).append(System.EMPLOYMENT)
    working = {one.employment_id for one in state.employments if one.status == HIRED}
    if any(pk in working for pk, status in state.offboardings if status in HAS_OFFBOARDED):
        left.append(System.OFFBOARDING)
    return left, active


HAS_OFFBOARDED = frozenset({OffboardingStatus.OFFBOARDED})


def drifts(state: PersonState) -> dict[Drift, str]:
    """Every contradiction, with what tells it from another one of its kind."""
    found: dict[Drift, str] = {}
    left, active = who_says_left(state)
    if left and active:
        found[Drift.LEFT_AND_ACTIVE] = f"{','.join(left)}|{','.join(active)}"
    converted = any(
        one.onboard == OnboardStatus.ONBOARDED and one.conversion == ConversionStatus.CONVERTED
        for one in state.employees
    )
    working = [one for one in state.employments if one.status == HIRED]
    if converted and working and all(one.on_probation is True for one in working):
        found[Drift.CONVERTED_ON_PROBATION] = ",".join(one.employment_id for one in working)
    if state.started and not state.employments and not state.employees:
        found[Drift.COMPLETED_NOT_EMPLOYED] = "completed"
    known = {one.application_id for one in state.employees}
    missing = sorted(set(state.onboarded) - known)
    if missing:
        found[Drift.ONBOARDED_NO_EMPLOYEE] = ",".join(missing)
    return {drift: text[:200] for drift, text in found.items()}
