"""CoreHR pre-hires in every onboarding status and offboardings in all six."""

from datetime import timedelta
from typing import Any

from .builder import Builder
from .catalogues import Catalogues
from .days import DAY_MS, iso, midnight_ms, stamp
from .employees import CoreHrHire
from .people import Person, Place, add_staff
from .recruiting import Job, Recruiting

# One turn of the wheel: one offboarding of each status, more of the common ones.
_STATUSES = [
    "Approved", "Approving", "Offboarded", "Approved", "Rejected", "Withdrawn", "NoNeedApproval",
    "Approved", "Offboarded", "Approving",
]  # fmt: skip
_INITIATORS = {
    "NoNeedApproval": "offboarding_directly",
    "Rejected": "offboarding_initiated_by_others",
    "Withdrawn": "offboarding_initiated_by_self",
}
_LEAVING_REASONS = [
    "reason_for_offboarding_option8",
    "reason_for_offboarding_option9",
    "reason_for_offboarding_option10",
]


def add_pre_hires(
    build: Builder, lists: Catalogues, made: Recruiting, hires: list[CoreHrHire]
) -> None:
    for hire in hires:
        if hire.pre_hire_number:
            onboard_in = (hire.joined - build.today).days
            who = (hire.person, hire.talent, hire.application, hire.job)
            _add_pre_hire(build, lists, who, "completed", onboard_in, hire.pre_hire_number)
    for n, who in enumerate(made.waiting):
        if n % 2 == 0:
            status = "day_one" if n % 6 == 0 else "preboarding"
            _add_pre_hire(build, lists, who, status, build.rng.randrange(0, 28))
    for n, who in enumerate(made.terminated):
        if n % 3 == 0:
            _add_pre_hire(build, lists, who, "withdrawn", build.rng.randrange(-60, 0))
    for n, who in enumerate(made.offered):
        if n % 4 == 1:
            _add_pre_hire(build, lists, who, "deleted", build.rng.randrange(-30, 20))


def _add_pre_hire(
    build: Builder,
    lists: Catalogues,
    who: tuple[Person, str, str, Job],
    status: str,
    onboard_in: int,
    number: int = 0,
) -> None:
    person, talent, application, job = who
    number = number or build.draw("pre_hires")
    day = build.today + timedelta(days=onboard_in)
    changed = midnight_ms(min(day, build.today)) - build.rng.randrange(1, 15 * 24) * 3_600_000
    build.add(
        "pre_hires",
        {
            "id": build.ids.number("pre_hires", number),
            "ats_application_id": application,
            "talent_id": talent,
            "person_id": build.ids.number("persons", person.n),
            "name": person.name,
            "gender": person.gender,
            "phone_number": "+86" + person.mobile,
            "email_address": person.email,
            "hire_date": iso(day),
            "onboarding_status": status,
            "employment_type": "type_1",
            "employee_type_id": lists.types[0],
            "worker_id": person.employee_number,
            "department": job.place.department,
            "manager": job.place.manager,
            "job_family": job.place.family,
            "job_level": build.rng.choice(lists.levels[2:9]),
            "job_title": job.title,
            "location": build.rng.choice(lists.locations),
            "company": lists.companies[0],
            "cost_center_rate": [{"cost_center_id": job.place.cost_center, "rate": 100}],
            "custom_fields": [{"field_name": "custom_field_21__c", "value": '"待领取"'}],
            "probation_days": 180,
            "withdrawn_reason": "候选人放弃入职" if status == "withdrawn" else "",
            "created_ms": changed - 10 * DAY_MS,
            "updated_ms": changed,
        },
        number,
    )


def add_offboardings(
    build: Builder, lists: Catalogues, places: list[Place], hires: list[CoreHrHire]
) -> None:
    """Every third open departure is of somebody who came through Hire, the rest of long-standing staff."""
    leaving = iter(hires)
    for n in range(max(12, build.people // 12)):
        status = _STATUSES[n % len(_STATUSES)]
        gone = status == "Offboarded"
        days = -build.rng.randrange(2, 200) if gone else build.rng.randrange(3, 60)
        hire = next(leaving, None) if n % 3 == 0 and not gone else None
        if hire is not None:
            person, employment = hire.person, hire.employment
        else:
            left: dict[str, Any] = {"left_on": build.today + timedelta(days=days)} if gone else {}
            person, employment = add_staff(build, lists, build.rng.choice(places), **left)
        add_offboarding(build, employment, status=status, days=days, initiator=person.open_id)


def add_offboarding(
    build: Builder,
    employment: str,
    *,
    status: str,
    days: int,
    initiator: str,
    facts: dict[str, Any] | None = None,
) -> str:
    position = build.draw("offboardings")
    offboarding = build.ids.number("offboardings", position)
    day = build.today + timedelta(days=days)
    started = min(day, build.today) - timedelta(days=build.rng.randrange(3, 30))
    decided = started + timedelta(days=2)
    finished = stamp(decided, 9, 30) if status not in ("Approving", "Withdrawn") else ""
    build.add(
        "offboardings",
        {
            "id": offboarding,
            "employment_id": employment,
            "initiating_type": _INITIATORS.get(status, "offboarding_initiated_by_self"),
            "status": status,
            "initiator": "" if status == "NoNeedApproval" else initiator,
            "apply_initiating_time": stamp(started, 10),
            "apply_finish_time": finished,
            "process_id": ""
            if status == "NoNeedApproval"
            else build.ids.number("processes", position),
            "info": _departure(build, iso(day)),
            "custom": {
                "custom_field_3__c": "false",
                "custom_field_5__c": build.rng.choice(("opt_peer", "opt_study")),
            },
            "checklist_status": "Finished" if status == "Offboarded" else "AntiBegin",
            "facts": facts or {},
            "updated_ms": midnight_ms(decided),
        },
        position,
    )
    return offboarding


def _departure(build: Builder, day: str) -> dict[str, Any]:
    return {
        "offboarding_date": day,
        "expected_offboarding_date": day,
        "last_attendance_date": day,
        "reason": build.rng.choice(_LEAVING_REASONS),
        "reason_explanation": build.rng.choice(("", "已与直属上级沟通", "希望回老家发展")),
        "employee_reason": build.rng.choice(_LEAVING_REASONS),
        "employee_reason_explanation": "",
        "add_block_list": "false",
        "block_reason": "",
        "block_reason_explanation": "",
        "retain_account": "false",
        "is_transfer_with_workforce": "false",
        "enforce_noncompete_agreement": "false",
        "noncompete_agreement_company": "",
        "noncompete_agreement_start_date": "",
        "noncompete_agreement_end_date": "",
        "social_insurance_end_date": day[:7],
        "provident_fund_end_date": day[:7],
    }
