"""The lists that forms are filled in from: under the ids the forms send."""

from __future__ import annotations

from datetime import date

import pytest

from lifecycle import pickers
from lifecycle.models import CatalogueEntry, Contact, Employee, SyncRun
from lifecycle.services import sync
from tests.mirror.test_sync import without_scope

pytestmark = pytest.mark.django_db


def entries(kind: str) -> dict[str, str]:
    return dict(CatalogueEntry.objects.filter(kind=kind).values_list("feishu_id", "name"))


def named(records, id_column: str) -> dict[str, str]:
    return {record[id_column]: record["name"][0]["value"] for record in records}


class TestCatalogues:
    @pytest.fixture(autouse=True)
    def synced(self, mirror):
        assert sync.sync_kind("catalogues").state == SyncRun.State.DONE
        self.tenant = mirror

    def test_hold_levels_and_types_under_the_ids_hire_uses(self):
        levels, types = self.tenant.records("job_levels"), self.tenant.records("employee_types")
        assert entries("job_level") == named(levels, "job_level_id")
        assert entries("employee_type") == named(types, "employee_type_enum_id")

    def test_hold_the_types_of_core_hr_under_its_own(self):
        assert entries("corehr_employee_type") == named(self.tenant.records("employee_types"), "id")

    def test_name_each_family_that_somebody_in_core_hr_holds(self):
        held = {record["job_family"] for record in self.tenant.records("employments")}
        families = [r for r in self.tenant.records("job_families") if r["id"] in held]
        known = entries("job_family")
        assert known
        assert named(families, "job_family_id").items() >= {
            (feishu_id, name) for feishu_id, name in known.items() if name
        }

    def test_hold_each_family_an_employee_of_hire_has(self):
        used = set(Employee.objects.values_list("job_family_id", flat=True)) - {""}
        assert used
        assert used <= entries("job_family").keys()

    def test_hold_cities_by_the_code_that_onboarding_takes(self):
        assert entries("location") == {
            record["code"]: record["zh"] for record in self.tenant.records("locations")
        }

    def test_hold_job_requirements_with_their_short_code(self):
        first = self.tenant.records("job_requirements")[0]
        (found,) = pickers.matches("job_requirement", first["short_code"]).choices
        assert (found.value, found.title) == (first["id"], first["name"])

    def test_know_the_last_day_of_a_cost_center(self):
        ends = dict(
            CatalogueEntry.objects.filter(kind="cost_center").values_list("feishu_id", "ends_on")
        )
        assert ends == {
            record["id"]: None
            if record["expiration_time"].startswith("9999")
            else date.fromisoformat(record["expiration_time"])
            for record in self.tenant.records("cost_centers")
        }
        assert any(ends.values())

    def test_do_not_offer_what_is_deactivated(self):
        inactive = {r["id"] for r in self.tenant.records("cost_centers") if not r["active"]}
        offered = {choice.value for choice in pickers.matches("cost_center", "").choices}
        assert inactive
        assert not inactive & offered
        assert pickers.matches("job_level", "P12").choices == []

    def test_stop_offering_what_is_gone(self):
        gone = self.tenant.records("job_levels")[0]["job_level_id"]
        self.tenant.patch("job_levels", self.tenant.records("job_levels")[0]["id"], job_level_id="")
        sync.sync_kind("catalogues")
        assert not pickers.find("job_level", gone).is_active


class TestRefused:
    @pytest.mark.parametrize(
        ("endpoint", "lost"),
        [("R12", {"job_level", "employee_type"}), ("R6", {"employee_type", "corehr_employee_type"}),
         ("locations", {"location"}), ("job_requirements", {"job_requirement"})],
    )  # fmt: skip
    def test_one_list_leaves_the_others_alone(self, endpoint, lost, mirror):
        without_scope(mirror, endpoint, "some:scope")
        run = sync.sync_kind("catalogues")
        assert (run.state, run.problem) == (SyncRun.State.FAILED, "scope-missing")
        empty = {kind for kind in CatalogueEntry.Kind.values if not entries(kind)}
        assert lost <= empty <= lost | {"job_family"}


class TestColleagues:
    def test_everybody_with_a_known_account_can_be_picked(self, mirror):
        known = {
            record["open_id"]
            for record in mirror.records("employments")
            if record["id"]
            in Employee.objects.exclude(employment_id="").values_list("employment_id", flat=True)
        }
        assert known <= set(Contact.objects.values_list("feishu_id", flat=True))

    def test_are_found_by_pinyin_and_shown_with_their_department(self, mirror):
        somebody = Contact.objects.filter(is_active=True).order_by("pk")[0]
        reading = somebody.search_text.split("\n")[1]
        found = {choice.value: choice for choice in pickers.matches("contact", reading).choices}
        assert found[somebody.feishu_id].title == somebody.name
        assert found[somebody.feishu_id].hint
