"""Hire employees: current ones spread around their probation dates, and those who left."""

from dataclasses import dataclass
from datetime import date, timedelta

from .builder import Builder
from .catalogues import Catalogues
from .days import DAY_MS, midnight_ms, months_later
from .people import Person, add_contact, add_employment, new_person
from .recruiting import Job, add_application, add_talent, make_offer

# One turn of the wheel is 25 people: days until the probation ends, or None for those already converted.
_DUE_WINDOWS: list[tuple[int, int] | None] = [
    (-10, -1), None, None, (0, 7), None, None, (8, 14), None, None, (15, 30), None, None, (31, 90),
    None, None, (31, 90), None, None, (15, 30), None, None, (31, 90), None, None, (91, 170),
]  # fmt: skip
_PROBATION_MONTHS = 6
_DUE_IN_CORE_HR = 0.10
_OTHERS_IN_CORE_HR = 0.18


@dataclass(frozen=True)
class CoreHrHire:
    """An employee who is in CoreHR as well."""

    person: Person
    employment: str
    application: str
    talent: str
    pre_hire_number: int
    job: Job
    joined: date


@dataclass(frozen=True)
class _Term:
    """When somebody came, is or was due for conversion, and left."""

    joined: date
    expected: date
    converted_on: date | None
    left_on: date | None = None


def add_employees(build: Builder, lists: Catalogues, jobs: list[Job]) -> list[CoreHrHire]:
    in_core_hr: list[CoreHrHire] = []
    for n in range(build.people):
        window = _DUE_WINDOWS[n % len(_DUE_WINDOWS)]
        share = _OTHERS_IN_CORE_HR if window is None or window[0] > 90 else _DUE_IN_CORE_HR
        # The first two are fixed, so that the smallest company has one person on each side.
        in_both = build.rng.random() < share if n > 1 else n == 1
        hire = _add_employee(build, lists, build.rng.choice(jobs), _term(build, window), in_both)
        if hire is not None:
            in_core_hr.append(hire)
    for _ in range(max(5, build.people // 8)):
        _add_employee(
            build, lists, build.rng.choice(jobs), _left_term(build), build.rng.random() < 0.15
        )
    return in_core_hr


def _term(build: Builder, window: tuple[int, int] | None) -> _Term:
    if window is None:
        joined = build.today - timedelta(days=build.rng.randrange(200, 1500))
        expected = months_later(joined, _PROBATION_MONTHS)
        return _Term(
            joined,
            expected,
            min(build.today, expected + timedelta(days=build.rng.randrange(-15, 4))),
        )
    expected = build.today + timedelta(days=build.rng.randint(*window))
    return _Term(months_later(expected, -_PROBATION_MONTHS), expected, None)


def _left_term(build: Builder) -> _Term:
    left_on = build.today - timedelta(days=build.rng.randrange(2, 400))
    joined = left_on - timedelta(days=build.rng.randrange(40, 900))
    expected = months_later(joined, _PROBATION_MONTHS)
    return _Term(joined, expected, expected if expected < left_on else None, left_on)


def _add_employee(
    build: Builder, lists: Catalogues, job: Job, term: _Term, in_core_hr: bool
) -> CoreHrHire | None:
    person, city = new_person(build), build.rng.randrange(len(lists.cities))
    changed = midnight_ms(term.left_on or term.converted_on or term.joined) + 10 * 3_600_000
    talent = _add_employed_talent(build, person, term, changed)
    application = _add_finished_application(build, lists, talent, job, term)
    employment, number = "", 0
    if in_core_hr:
        if term.left_on is None and (build.today - term.joined).days < 200:
            number = build.draw("pre_hires")
        employment = add_employment(
            build, lists, person, job.place, title=job.title, joined=term.joined, city=city, left_on=term.left_on,
            converted=term.converted_on is not None, application=application,
            pre_hire=build.ids.number("pre_hires", number) if number else "",
        )  # fmt: skip
    _add_hire_employee(build, lists, talent, application, job, term, employment, lists.cities[city])
    add_contact(
        build, person, job.place, title=job.title, joined=term.joined, employment=employment,
        left=term.left_on is not None,
    )  # fmt: skip
    if not in_core_hr or term.left_on is not None:
        return None
    return CoreHrHire(person, employment, application, talent, number, job, term.joined)


def _add_employed_talent(build: Builder, person: Person, term: _Term, changed: int) -> str:
    return add_talent(
        build,
        person,
        state="onboarded" if term.left_on is None else "left",
        changed_ms=changed,
        onboard_time=midnight_ms(term.joined),
        overboard_time=0 if term.left_on is None else midnight_ms(term.left_on),
    )


def _add_finished_application(
    build: Builder, lists: Catalogues, talent: str, job: Job, term: _Term
) -> str:
    offer = None
    if term.converted_on is None and term.left_on is None:
        offer = make_offer(build, lists, job, onboard_on=term.joined, status=7)
    entered = midnight_ms(term.joined) + 9 * 3_600_000
    return add_application(build, lists, talent, job, stage=7, changed_ms=entered, offer=offer)


def _add_hire_employee(
    build: Builder,
    lists: Catalogues,
    talent: str,
    application: str,
    job: Job,
    term: _Term,
    employment: str,
    city: str,
) -> None:
    position = build.draw("employees")
    build.add(
        "employees",
        {
            "id": build.ids.number("employees", position),
            "application_id": application,
            "talent_id": talent,
            "onboard_status": 1 if term.left_on is None else 2,
            "conversion_status": 1 if term.converted_on is None else 2,
            "onboard_time": midnight_ms(term.joined),
            "expected_conversion_time": midnight_ms(term.expected),
            "actual_conversion_time": 0
            if term.converted_on is None
            else midnight_ms(term.converted_on),
            "overboard_time": 0 if term.left_on is None else midnight_ms(term.left_on),
            "overboard_note": ""
            if term.left_on is None
            else build.rng.choice(("职业发展考虑", "家庭原因", "返校深造")),
            "onboard_city_code": city,
            "department": job.place.department,
            "leader": job.place.manager,
            "sequence": job.place.family,
            "level": build.rng.choice(lists.levels[:11]),
            "employee_type": lists.types[0 if build.rng.random() < 0.9 else 3],
            "job_requirement_id": job.requirement,
            "external_employment_id": employment,
            "updated_ms": midnight_ms(term.joined) + DAY_MS,
        },
        position,
    )
