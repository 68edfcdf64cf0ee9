"""Contacts and CoreHR employments: the parts every kind of person shares."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from .builder import Builder
from .catalogues import TITLES, Catalogues
from .days import iso, midnight_ms, months_later
from .names import person_name

PROBATION_MONTHS = 6


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

    @property
    def phone_number(self) -> str:
        return f"+86{self.mobile}"

    @property
    def work_email(self) -> str:
        return f"user{self.n}@galaxy.example.com"

    @property
    def employee_number(self) -> str:
        return f"G{self.n:07d}"


@dataclass(frozen=True)
class Place:
    """Where somebody works: department, its manager and what is usual there."""

    department: str
    manager: str
    family: str
    cost_center: str

    def leader_of(self, person: Person) -> str:
        """Nobody leads themselves."""
        return self.manager if self.manager != person.open_id else ""


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
            "mobile": person.phone_number,
            "email": person.work_email,
            "department": place.department,
            "leader": place.leader_of(person),
            "employment_id": employment,
            "job_title": title,
            "employee_no": person.employee_number,
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
    build.add(
        "employments",
        {
            "id": employment,
            "open_id": person.open_id,
            "person_id": build.ids.number("persons", person.n),
            "name": person.name,
            "gender": person.gender,
            "phone_number": person.phone_number,
            "email": person.work_email,
            "employee_number": person.employee_number,
            "department": place.department,
            "manager": place.leader_of(person),
            "job_title": title,
            "job_level": build.rng.choice(lists.levels[:11]),
            "job_family": place.family,
            "employee_type": lists.types[0],
            "location": lists.locations[city],
            "company": lists.companies[city % len(lists.companies)],
            **_course(joined, converted, left_on, build.today),
            "ats_application_id": application,
            "prehire_id": pre_hire,
            "cost_center_rate": [{"cost_center_id": place.cost_center, "rate": 100}],
            "updated_ms": midnight_ms(
                max(joined, build.today - timedelta(days=build.rng.randrange(1, 400)))
            ),
            "facts": {**_usual_facts(joined), **(facts or {})},
        },
        position,
    )
    return employment


def _course(joined: date, converted: bool, left_on: date | None, today: date) -> dict[str, Any]:
    """From the first day to the last one, as an employment tells it."""
    has_left = left_on is not None and left_on < today
    return {
        "employment_status": "terminated" if has_left else "hired",
        "effective_date": iso(joined),
        "probation_start_date": iso(joined),
        "probation_end_date": iso(months_later(joined, PROBATION_MONTHS)),
        "probation_months": PROBATION_MONTHS,
        "converted": converted,
        "expiration_date": "" if left_on is None else iso(left_on),
        "reason": "" if left_on is None else "reason_for_offboarding_option9",
    }


def _usual_facts(joined: date) -> dict[str, Any]:
    contract = {"start": iso(joined), "end": iso(months_later(joined, 12 * 30)), "actual_end": ""}
    return {"contracts": [contract], "job_changes": []}


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
