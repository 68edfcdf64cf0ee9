"""Contacts and CoreHR employments: the parts every kind of person shares."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from .builder import Builder
from .catalogues import TITLES, Catalogues
from .days import iso, midnight_ms, months_later
from .names import person_name


@dataclass(frozen=True)
class Person:
    """One human being with the ids all systems share."""

    n: int
    name: str
    gender: int
    mobile: str
    email: str
    open_id: str
    birthday: date


@dataclass(frozen=True)
class Place:
    """Where somebody works: department, its manager and what is usual there."""

    department: str
    manager: str
    family: str
    cost_center: str


def new_person(build: Builder) -> Person:
    name, gender = person_name(build.rng)
    n = build.draw("persons")
    mobile = f"1{build.rng.choice('3578')}{build.rng.randrange(10**9):09d}"
    birthday = build.today - timedelta(days=365 * 21 + build.rng.randrange(365 * 30))
    return Person(n, name, gender, mobile, f"p{n}@mail.example.com", build.ids.open_id(n), birthday)


def add_contact(
    build: Builder,
    person: Person,
    place: Place,
    *,
    title: str,
    joined: date,
    employment: str,
    left: bool = False,
) -> None:
    english = person.name if person.name.isascii() else ""
    build.add(
        "contacts",
        {
            "id": person.open_id,
            "union_id": build.ids.union_id(person.n),
            "user_id": build.ids.user_id(person.n),
            "name": person.name,
            "en_name": english,
            "mobile": "+86" + person.mobile,
            "email": f"user{person.n}@galaxy.example.com",
            "department": place.department,
            "leader": place.manager if place.manager != person.open_id else "",
            "employment_id": employment,
            "job_title": title,
            "employee_no": f"G{person.n:07d}",
            "join_time": midnight_ms(joined) // 1000,
            "employee_type": 1,
            "is_resigned": left,
        },
    )


def add_employment(
    build: Builder,
    lists: Catalogues,
    person: Person,
    place: Place,
    *,
    title: str,
    joined: date,
    converted: bool,
    city: int,
    left_on: date | None = None,
    application: str = "",
    pre_hire: str = "",
    facts: dict[str, Any] | None = None,
) -> str:
    """A CoreHR employment. Its `facts` are what the rules of an offboarding edit look at; no read shows them."""
    position = build.draw("employments")
    employment = build.ids.number("employments", position)
    probation_end = months_later(joined, 6)
    usual_facts = {
        "contracts": [
            {"start": iso(joined), "end": iso(months_later(joined, 12 * 30)), "actual_end": ""}
        ],
        "job_changes": [],
    }
    build.add(
        "employments",
        {
            "id": employment,
            "open_id": person.open_id,
            "person_id": build.ids.number("persons", person.n),
            "name": person.name,
            "gender": person.gender,
            "phone_number": "+86" + person.mobile,
            "email": f"user{person.n}@galaxy.example.com",
            "employee_number": f"G{person.n:07d}",
            "department": place.department,
            "manager": place.manager if place.manager != person.open_id else "",
            "job_title": title,
            "job_level": build.rng.choice(lists.levels[:11]),
            "job_family": place.family,
            "employee_type": lists.types[0],
            "location": lists.locations[city],
            "company": lists.companies[city % len(lists.companies)],
            "employment_status": "hired"
            if left_on is None or left_on >= build.today
            else "terminated",
            "effective_date": iso(joined),
            "probation_start_date": iso(joined),
            "probation_end_date": iso(probation_end),
            "probation_months": 6,
            "converted": converted,
            "expiration_date": "" if left_on is None else iso(left_on),
            "reason": "" if left_on is None else "reason_for_offboarding_option9",
            "ats_application_id": application,
            "prehire_id": pre_hire,
            "cost_center_rate": [{"cost_center_id": place.cost_center, "rate": 100}],
            "updated_ms": midnight_ms(
                max(joined, build.today - timedelta(days=build.rng.randrange(1, 400)))
            ),
            "facts": {**usual_facts, **(facts or {})},
        },
        position,
    )
    return employment


def title_in(build: Builder, lists: Catalogues, place: Place) -> str:
    family = next(
        (name for name, family in lists.families.items() if family == place.family), "职能序列"
    )
    return build.rng.choice(TITLES[family])


def add_staff(build: Builder, lists: Catalogues, place: Place, **facts: Any) -> tuple[Person, str]:
    """Somebody who was here before Hire was: in CoreHR and in the contacts only."""
    person = new_person(build)
    name, open_id = facts.pop("known_as", (person.name, person.open_id))
    person = replace(person, name=name, open_id=open_id)
    joined = build.today - timedelta(days=build.rng.randrange(500, 3000))
    title = title_in(build, lists, place)
    left_on = facts.pop("left_on", None)
    employment = add_employment(
        build, lists, person, place, title=title, joined=joined, converted=True,
        city=build.rng.randrange(len(lists.cities)), left_on=left_on, facts=facts,
    )  # fmt: skip
    gone = left_on is not None and left_on < build.today
    add_contact(build, person, place, title=title, joined=joined, employment=employment, left=gone)
    return person, employment
