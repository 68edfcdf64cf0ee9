"""Jobs, headcount, talents and applications: everything before somebody is an employee."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from .builder import Builder
from .catalogues import TITLES, Catalogues
from .days import DAY_MS, iso, midnight_ms
from .people import Person, Place, new_person

_STAGE_NAMES_BEFORE = {
    1: [1],
    2: [1, 2],
    3: [1, 2, 3],
    4: [1, 2, 4],
    5: [1, 2, 4, 5],
    6: [1, 2, 4, 5, 6],
}
_CANDIDATE_STAGES = [1, 1, 2, 2, 3, 4, 4, 4, 5, 5, 8, 255]


@dataclass(frozen=True)
class Job:
    id: str
    title: str
    requirement: str
    place: Place


@dataclass
class Recruiting:
    """What the CoreHR half of the seeding needs to know about the recruiting half."""

    jobs: list[Job]
    waiting: list[tuple[Person, str, str, Job]]
    terminated: list[tuple[Person, str, str, Job]]
    offered: list[tuple[Person, str, str, Job]]


def add_jobs(build: Builder, lists: Catalogues, places: list[Place]) -> list[Job]:
    job_count, requirement_count = max(8, build.people // 10), max(8, build.people // 15)
    requirements = []
    for n in range(requirement_count):
        filled_by = [
            build.ids.number("jobs", job)
            for job in range(n or requirement_count, job_count + 1, requirement_count)
        ]
        requirements.append(_add_requirement(build, lists, places, n + 1, filled_by))
    jobs = []
    for n in range(1, job_count + 1):
        place = places[n % len(places)]
        family = next(name for name, family in lists.families.items() if family == place.family)
        title = build.rng.choice(TITLES[family])
        job = Job(build.ids.number("jobs", n), title, requirements[n % len(requirements)], place)
        build.add(
            "jobs",
            {"id": job.id, "name": title, "code": f"J{n:05d}", "department": place.department},
        )
        jobs.append(job)
    return jobs


def _add_requirement(
    build: Builder, lists: Catalogues, places: list[Place], n: int, jobs: list[str]
) -> str:
    requirement = build.ids.number("job_requirements", n)
    place = places[n % len(places)]
    created = build.today - timedelta(days=build.rng.randrange(30, 700))
    build.add(
        "job_requirements",
        {
            "id": requirement,
            "short_code": f"HC{n:05d}",
            "name": f"编制需求 {n:03d}",
            "head_count": build.rng.randrange(2, 12),
            "onboarded_count": build.rng.randrange(0, 2),
            "department": place.department,
            "leader": place.manager,
            "family": place.family,
            "level": lists.levels[n % 11],
            "employee_type": lists.types[0],
            "job_id_list": jobs,
            "created_ms": midnight_ms(created),
            "updated_ms": midnight_ms(created) + DAY_MS,
        },
    )
    return requirement


def add_talent(
    build: Builder,
    person: Person,
    *,
    state: str,
    changed_ms: int,
    onboard_time: int = 0,
    overboard_time: int = 0,
) -> str:
    """A talent in one of three states: none, onboarded, left. No read shows "left" (not documented)."""
    position = build.draw("talents")
    talent = build.ids.number("talents", position)
    age = (build.today - person.birthday).days // 365
    build.add(
        "talents",
        {
            "id": talent,
            "name": person.name,
            "gender": person.gender,
            "mobile": person.mobile,
            "email": person.email,
            "birthday": midnight_ms(person.birthday) // 1000,
            "age": age,
            "experience_years": max(0, age - 23),
            "city": build.rng.choice(("CT_2", "CT_11", "CT_128", "CT_52")),
            "degree": build.rng.choice((6, 6, 7, 7, 7, 8)),
            "state": state,
            "is_onboarded": state == "onboarded",
            "onboard_time": onboard_time,
            "overboard_time": overboard_time,
            "created_ms": changed_ms - build.rng.randrange(20, 90) * DAY_MS,
            "updated_ms": changed_ms,
        },
        position,
    )
    return talent


def add_application(
    build: Builder,
    lists: Catalogues,
    talent: str,
    job: Job,
    *,
    stage: int,
    changed_ms: int,
    **more: Any,
) -> str:
    position = build.draw("applications")
    application = build.ids.number("applications", position)
    process, stages = lists.processes[0 if build.rng.random() < 0.8 else 1]
    build.add(
        "applications",
        {
            "id": application,
            "talent_id": talent,
            "job_id": job.id,
            "process_id": process,
            "stage_id": stages[stage],
            "stage_type": stage,
            "stage_times": _stage_times(stages, stage, changed_ms),
            "active_status": 1,
            "lock_status": 1,
            "delivery_type": 1 + position % 2,
            "owner": job.place.manager,
            "created_ms": changed_ms - 60 * DAY_MS,
            "updated_ms": changed_ms,
            **more,
        },
        position,
    )
    return application


def _stage_times(stages: dict[int, str], stage: int, changed_ms: int) -> list[list[str]]:
    before = _STAGE_NAMES_BEFORE.get(stage) or [*_STAGE_NAMES_BEFORE[6], stage]
    entered = [changed_ms - (len(before) - 1 - n) * 7 * DAY_MS for n in range(len(before))]
    leaving = [str(ms) for ms in entered[1:]] + [""]
    return [[stages[s], str(at), out] for s, at, out in zip(before, entered, leaving, strict=True)]


def make_offer(
    build: Builder, lists: Catalogues, job: Job, *, onboard_on: date, status: int
) -> dict[str, Any]:
    return {
        "id": build.ids.number("offers", build.draw("offers")),
        "status": status,
        "leader": job.place.manager,
        "department": job.place.department,
        "family": job.place.family,
        "level": build.rng.choice(lists.levels[2:9]),
        "employee_type": lists.types[0],
        "company": lists.companies[0],
        "requirement": job.requirement,
        "probation_month": 6,
        "contract_period": 36,
        "onboard_date": iso(onboard_on),
        "city": build.rng.choice(lists.cities),
    }


def add_candidates(build: Builder, lists: Catalogues, jobs: list[Job]) -> Recruiting:
    """People who are not employees: candidates at all stages, those who wait for day one, those who dropped out."""
    made = Recruiting(jobs, [], [], [])
    for n in range(max(12, build.people * 2 // 5)):
        _add_candidate(build, lists, made, _CANDIDATE_STAGES[n % len(_CANDIDATE_STAGES)])
    for n in range(max(10, build.people // 12)):
        _add_waiting(build, lists, made, locked=n % 9 == 4)
    for _ in range(max(6, build.people // 10)):
        _add_terminated(build, lists, made)
    for _ in range(max(4, build.people // 20)):
        add_talent(build, new_person(build), state="none", changed_ms=_changed(build))
    return made


def _changed(build: Builder) -> int:
    return midnight_ms(build.today) - build.rng.randrange(1, 250 * 24) * 3_600_000


def _add_candidate(build: Builder, lists: Catalogues, made: Recruiting, stage: int) -> None:
    person, job, changed = new_person(build), build.rng.choice(made.jobs), _changed(build)
    talent = add_talent(build, person, state="none", changed_ms=changed)
    offer = None
    if stage == 5:
        onboard_on = build.today + timedelta(days=build.rng.randrange(10, 50))
        offer = make_offer(
            build, lists, job, onboard_on=onboard_on, status=build.rng.choice((2, 4, 6))
        )
    application = add_application(
        build, lists, talent, job, stage=stage, changed_ms=changed, offer=offer
    )
    if stage == 5:
        made.offered.append((person, talent, application, job))


def _add_waiting(build: Builder, lists: Catalogues, made: Recruiting, *, locked: bool) -> None:
    person, job = new_person(build), build.rng.choice(made.jobs)
    changed = midnight_ms(build.today) - build.rng.randrange(1, 20 * 24) * 3_600_000
    talent = add_talent(build, person, state="none", changed_ms=changed)
    onboard_on = build.today + timedelta(days=build.rng.randrange(-3, 28))
    offer = make_offer(build, lists, job, onboard_on=onboard_on, status=7)
    application = add_application(
        build,
        lists,
        talent,
        job,
        stage=6,
        changed_ms=changed,
        offer=offer,
        lock_status=2 if locked else 1,
    )
    made.waiting.append((person, talent, application, job))


def _add_terminated(build: Builder, lists: Catalogues, made: Recruiting) -> None:
    person, job, changed = new_person(build), build.rng.choice(made.jobs), _changed(build)
    talent = add_talent(build, person, state="none", changed_ms=changed)
    termination = build.rng.choice((1, 22, 27))
    application = add_application(
        build, lists, talent, job, stage=build.rng.choice((2, 4, 5, 6)), changed_ms=changed,
        active_status=2, termination_type=termination,
        termination_note="候选人已有其他选择" if termination == 22 else "",
    )  # fmt: skip
    made.terminated.append((person, talent, application, job))
