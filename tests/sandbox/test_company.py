from collections import Counter
from datetime import date
from typing import Any

import pytest

from lifecycle.sandbox.store import KINDS, Store
from lifecycle.sandbox.tenant import Tenant

TODAY = date(2026, 1, 15)
DAY_MS = 86_400_000


def company(people: int, seed: int = 1, today: date = TODAY) -> Store:
    return Tenant(seed=seed, people=people, today=today).store


@pytest.fixture(scope="module")
def store() -> Store:
    return company(600)


def current(store: Store) -> list[dict[str, Any]]:
    return [employee for employee in store.all("employees") if employee["onboard_status"] == 1]


class TestTheSameCompany:
    def test_comes_from_the_same_seed_size_and_day(self) -> None:
        first, second = company(40), company(40)
        for kind in KINDS:
            assert first.all(kind) == second.all(kind)

    @pytest.mark.parametrize("other", [{"seed": 2}, {"today": date(2026, 1, 16)}])
    def test_is_another_one_otherwise(self, other: dict[str, Any]) -> None:
        assert company(40).all("talents") != company(40, **other).all("talents")


@pytest.mark.thorough
class TestTheCompany:
    def test_has_as_many_people_as_asked_for(self, store: Store) -> None:
        assert len(current(store)) == 600

    def test_has_believable_names(self, store: Store) -> None:
        names = [talent["name"] for talent in company(3000).all("talents")]
        assert max(Counter(names).values()) > 5, "namesakes"
        assert any("·" in name for name in names)
        assert any(name.startswith(("欧阳", "上官", "司马")) for name in names)
        assert any(name.isascii() for name in names)

    def test_spreads_probation_dates_around_today(self, store: Store) -> None:
        today_ms = 1_768_406_400_000  # 2026-01-15 in Shanghai
        open_ones = [e for e in current(store) if e["conversion_status"] == 1]
        days = [(e["expected_conversion_time"] - today_ms) // DAY_MS for e in open_ones]
        for low, high in ((-10, -1), (0, 7), (8, 14), (15, 30), (31, 90)):
            assert sum(low <= day <= high for day in days) >= 10
        assert min(days) >= -10

    def test_is_partly_in_core_hr(self, store: Store) -> None:
        people = current(store)
        both = [e for e in people if e["external_employment_id"]]
        assert 0.10 < len(both) / len(people) < 0.20
        due = [e for e in people if e["conversion_status"] == 1]
        assert sum(not e["external_employment_id"] for e in due) > 0.83 * len(due)
        for employee in both:
            employment = store.get("employments", employee["external_employment_id"])
            assert employment is not None
            assert employment["ats_application_id"] == employee["application_id"]

    def test_has_a_contact_for_everybody_and_a_leader_tree(self, store: Store) -> None:
        contacts = {contact["id"]: contact for contact in store.all("contacts")}
        for employee in current(store):
            assert employee["leader"] in contacts
        tops = [contact for contact in contacts.values() if not contact["leader"]]
        assert [top["job_title"] for top in tops] == ["首席执行官"]
        for contact in contacts.values():
            seen, above = set(), contact
            while above["leader"]:
                assert above["id"] not in seen
                seen.add(above["id"])
                above = contacts[above["leader"]]

    def test_refers_only_to_what_exists(self, store: Store) -> None:
        references = {
            "employees": {"application_id": "applications", "talent_id": "talents", "department": "departments",
                          "leader": "contacts", "sequence": "job_families", "level": "job_levels",
                          "employee_type": "employee_types", "job_requirement_id": "job_requirements"},
            "applications": {"talent_id": "talents", "job_id": "jobs", "process_id": "job_processes"},
            "pre_hires": {"ats_application_id": "applications", "talent_id": "talents", "department": "departments"},
            "offboardings": {"employment_id": "employments"},
            "employments": {"open_id": "contacts", "department": "departments", "prehire_id": "pre_hires"},
            "contacts": {"department": "departments", "employment_id": "employments"},
            "departments": {"manager": "contacts", "parent_id": "departments", "cost_center_id": "cost_centers"},
        }  # fmt: skip
        for kind, fields in references.items():
            for record in store.all(kind):
                for field, target in fields.items():
                    assert not record[field] or store.get(target, record[field]), (
                        kind,
                        record["id"],
                        field,
                    )

    def test_has_recruiting_at_every_stage(self, store: Store) -> None:
        stages = Counter(application["stage_type"] for application in store.all("applications"))
        assert set(stages) == {1, 2, 3, 4, 5, 6, 7, 8, 255}
        assert {process["stage_list"][5]["type"] for process in store.all("job_processes")} == {6}

    def test_has_pre_hires_and_offboardings_in_every_status(self, store: Store) -> None:
        statuses = {record["onboarding_status"] for record in store.all("pre_hires")}
        assert statuses == {"preboarding", "day_one", "completed", "withdrawn", "deleted"}
        assert len({record["status"] for record in store.all("offboardings")}) == 6

    def test_grows_its_departments(self, store: Store) -> None:
        assert (
            company(40).count("departments")
            < store.count("departments")
            < company(3000).count("departments")
        )

    def test_has_cost_centers_in_three_states(self, store: Store) -> None:
        centers = store.all("cost_centers")
        assert any(not center["active"] for center in centers)
        assert (
            sum(center["active"] and center["expiration_time"] < "9999" for center in centers) == 1
        )

    def test_has_numbers_as_long_as_feishus(self, store: Store) -> None:
        for kind in (
            "talents",
            "applications",
            "employees",
            "pre_hires",
            "offboardings",
            "employments",
        ):
            assert {len(record["id"]) for record in store.all(kind)} == {19}
        assert all(
            len(contact["id"]) == 35 and contact["id"].startswith("ou_")
            for contact in store.all("contacts")
        )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("people", [10, 25])
def test_small_companies_have_every_special(people: int, seed: int) -> None:
    assert company(people, seed=seed).count("specials") == 58
