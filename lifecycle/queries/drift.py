"""Records of one person that contradict each other: who they are, and what to do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from lifecycle import policies
from lifecycle.errors.words import Words
from lifecycle.models import (
    Application,
    DriftCase,
    Employee,
    Employment,
    Offboarding,
    PreHire,
)
from lifecycle.paging import Page, page_by_key
from lifecycle.policies import Someone
from lifecycle.rules import (
    Drift,
    EmployeeState,
    EmploymentState,
    OnboardingStatus,
    PersonState,
    StageType,
    System,
)

DRIFT_ORDER = ("-pk",)
# A completed pre-hire may take so long to become an employment in the mirror.
START_PATIENCE = timedelta(days=2)
SYSTEMS = {
    System.HIRE: Words("飞书招聘的员工", "the employee in Feishu Hire"),
    System.EMPLOYMENT: Words("飞书人事的雇佣信息", "the employment in CoreHR"),
    System.OFFBOARDING: Words("飞书人事的离职信息", "the offboarding in CoreHR"),
}
NEXT_STEPS = {
    Drift.LEFT_AND_ACTIVE: Words(
        "在飞书中确认这个人是否已离职，再在记录不对的一边改正。",
        "Find out in Feishu whether the person has left, then correct the side that is wrong.",
    ),
    Drift.CONVERTED_ON_PROBATION: Words(
        "在飞书人事中为该员工办理转正，或在门户撤销飞书招聘中的转正。",
        "Convert the employee in CoreHR too, or undo the conversion in Hire from here.",
    ),
    Drift.COMPLETED_NOT_EMPLOYED: Words(
        "在飞书人事中检查入职是否办完；没有办完就重新完成入职。",
        "Look in CoreHR whether the onboarding went through, and complete it again if not.",
    ),
    Drift.ONBOARDED_NO_EMPLOYEE: Words(
        "在飞书招聘中检查该投递：办理入职，或把阶段改回待入职。",
        "Look at the application in Hire: onboard it, or move it back to the pre-hire stage.",
    ),
}
SENTENCES = {
    Drift.CONVERTED_ON_PROBATION: Words(
        "在飞书招聘中已转正，在飞书人事中仍在试用期。",
        "Converted in Hire, still on probation in CoreHR.",
    ),
    Drift.COMPLETED_NOT_EMPLOYED: Words(
        "待入职已完成，但没有雇佣信息，也没有员工。",
        "The pre-hire is completed, but there is neither an employment nor an employee.",
    ),
    Drift.ONBOARDED_NO_EMPLOYEE: Words(
        "投递处于已入职阶段，但飞书招聘中没有对应的员工。",
        "The application is onboarded, but Hire has no employee for it.",
    ),
}


@dataclass(frozen=True, slots=True)
class DriftFilter:
    """What the list is narrowed to. `tab`: a state."""

    tab: str = DriftCase.State.OPEN

    @classmethod
    def read(cls, params: Mapping[str, str]) -> DriftFilter:
        tab = params.get("state", "")
        return cls(tab if tab in DriftCase.State.values else DriftCase.State.OPEN)

    def query_string(self, **more: str) -> str:
        state = "" if self.tab == DriftCase.State.OPEN else self.tab
        values = {"state": state} | more
        return urlencode({key: value for key, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class ShownDrift:
    case: DriftCase
    sentence: Words
    next_step: Words


def drift_page(
    user: Someone, narrowed: DriftFilter, params: Mapping[str, str]
) -> tuple[Page[DriftCase], list[ShownDrift]]:
    """One page of the cases in reach, the newest first; one query."""
    cases = policies.visible_drifts(user).filter(state=narrowed.tab)
    page = page_by_key(
        cases.select_related("person", "owner", "closed_by"), params, order=DRIFT_ORDER
    )
    return page, [_shown(case) for case in page.rows]


def _shown(case: DriftCase) -> ShownDrift:
    rule = Drift(case.rule)
    if rule is Drift.LEFT_AND_ACTIVE:
        left, _, active = case.fingerprint.partition("|")
        says_left, says_active = _systems(left), _systems(active)
        sentence = Words(
            f"{says_left.zh}显示已离职，{says_active.zh}显示在职。",
            f"Left, according to {says_left.en}; working here, according to {says_active.en}.",
        )
    else:
        sentence = SENTENCES[rule]
    return ShownDrift(case, sentence, NEXT_STEPS[rule])


def _systems(text: str) -> Words:
    named = [SYSTEMS[System(name)] for name in text.split(",") if name in set(System)]
    return Words("、".join(one.zh for one in named), ", ".join(one.en for one in named))


def states_of(person_ids: Collection[int], *, today: date) -> dict[int, PersonState]:
    """Where the records of these people stand; five queries."""
    employees: dict[int, list[EmployeeState]] = defaultdict(list)
    rows = Employee.objects.filter(person_id__in=person_ids)
    for pk, *state in rows.values_list(
        "person_id", "onboard_status", "conversion_status", "application_id"
    ):
        employees[pk].append(EmployeeState(*state))
    employments: dict[int, list[EmploymentState]] = defaultdict(list)
    for pk, employment_id, status, on_probation in Employment.objects.filter(
        person_id__in=person_ids
    ).values_list("person_id", "feishu_id", "status", "payload__on_probation"):
        employments[pk].append(EmploymentState(employment_id, status, on_probation))
    offboardings: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for pk, employment_id, status in Offboarding.objects.filter(
        person_id__in=person_ids
    ).values_list("person_id", "employment_id", "status"):
        offboardings[pk].append((employment_id, status))
    started = set(
        PreHire.objects.filter(
            person_id__in=person_ids,
            onboarding_status=OnboardingStatus.COMPLETED,
            onboards_on__lt=today - START_PATIENCE,
        ).values_list("person_id", flat=True)
    )
    onboarded: dict[int, list[str]] = defaultdict(list)
    for pk, application_id in Application.objects.filter(
        person_id__in=person_ids, stage_type=StageType.ONBOARDED
    ).values_list("person_id", "feishu_id"):
        onboarded[pk].append(application_id)
    return {
        pk: PersonState(
            employees=tuple(employees[pk]),
            employments=tuple(employments[pk]),
            offboardings=tuple(offboardings[pk]),
            started=pk in started,
            onboarded=tuple(onboarded[pk]),
        )
        for pk in person_ids
    }
