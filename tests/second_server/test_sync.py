"""Everything the mirror holds, read from the second server."""

from __future__ import annotations

import pytest

from lifecycle.models import (
    Application,
    CatalogueEntry,
    Contact,
    Department,
    Employee,
    Employment,
    Offboarding,
    PreHire,
    SyncRun,
    Talent,
    UnreadableRecord,
)
from lifecycle.services import sync

from .company import OFFBOARDING_FIELDS
from .server import SecondServer

pytestmark = pytest.mark.thorough


class TestSync:
    @pytest.mark.parametrize("kind", list(sync.KINDS))
    def test_of_one_kind_on_an_empty_mirror(self, feishu: SecondServer, db, kind):
        run = sync.sync_kind(kind)
        assert (run.state, run.unreadable) == (SyncRun.State.DONE, 0)
        assert feishu.writes == []

    def test_brings_every_record(self, synced: SecondServer):
        company = synced.company
        assert UnreadableRecord.objects.count() == 0
        for model, records in (
            (Talent, company.talents),
            (Application, company.applications),
            (Employee, company.employees),
            (PreHire, company.pre_hires),
            (Offboarding, company.offboardings),
        ):
            found = set(model.objects.values_list("feishu_id", flat=True))
            assert found == set(records), model
        ids = {one.ids["open_department_id"] for one in company.departments}
        assert set(Department.objects.values_list("feishu_id", flat=True)) == ids

    def test_reads_an_employee_as_it_is(self, synced: SecondServer):
        for theirs in synced.company.employees.values():
            ours = Employee.objects.get(feishu_id=theirs.id)
            assert ours.person.name == theirs.application.talent.name
            assert ours.has_left == (theirs.onboard_status == 2)
            assert ours.is_converted == (theirs.conversion_status == 2)
            assert ours.leader_open_id == theirs.leader.ids["open_id"]
            assert ours.department_id == theirs.department.ids["open_department_id"]
            assert bool(ours.employment_id) == theirs.synced_to_corehr

    def test_follows_leaders_to_the_top(self, synced: SecondServer):
        names = set(Contact.objects.values_list("name", flat=True))
        assert {"赵敏", "钱进", "在职01", "在职02"} <= names

    def test_ties_everybody_in_core_hr_to_the_account(self, synced: SecondServer):
        for ours in Employment.objects.select_related("person"):
            theirs = synced.company.employments[ours.feishu_id]
            assert ours.person.open_id == theirs.user.ids["open_id"]

    def test_brings_every_catalogue(self, synced: SecondServer):
        company = synced.company
        kinds = CatalogueEntry.Kind
        for kind, ids in (
            (kinds.CORE_HR_EMPLOYEE_TYPE, {one.ids["id"] for one in company.employee_types}),
            (
                kinds.EMPLOYEE_TYPE,
                {one.ids["employee_type_enum_id"] for one in company.employee_types},
            ),
            (kinds.JOB_LEVEL, {one.ids["job_level_id"] for one in company.levels}),
            (kinds.JOB_FAMILY, {one.ids["job_family_id"] for one in company.families}),
            (kinds.LOCATION, set(company.locations)),
            (kinds.JOB_REQUIREMENT, set(company.job_requirements)),
            (kinds.COST_CENTER, set(company.cost_centers)),
            (kinds.OFFBOARDING_REASON, set(company.reasons)),
            (kinds.PRE_HIRE_FIELD, {"badge__c"}),
        ):
            found = CatalogueEntry.objects.filter(kind=kind).values_list("feishu_id", flat=True)
            assert set(found) == ids, kind

    def test_brings_custom_and_standard_fields_of_offboardings(self, synced: SecondServer):
        kind = CatalogueEntry.Kind.OFFBOARDING_FIELD
        found = set(CatalogueEntry.objects.filter(kind=kind).values_list("feishu_id", flat=True))
        standard = {one.api_name for one in OFFBOARDING_FIELDS}
        assert {"next_step__c", "note__c"} <= found <= {"next_step__c", "note__c"} | standard

    def test_pages_through_long_lists(self, feishu: SecondServer, db):
        for number in range(230):
            talent = feishu.company.talent(f"很多{number:03d}")
            feishu.company.application(talent, stage=4)
        sync.sync_kind("talents")
        sync.sync_kind("applications")
        assert set(Talent.objects.values_list("feishu_id", flat=True)) == set(
            feishu.company.talents
        )
        assert set(Application.objects.values_list("feishu_id", flat=True)) == set(
            feishu.company.applications
        )
        assert len(feishu.asked("H1")) > 10
        assert len(feishu.asked("H5")) == 2

    def test_takes_an_empty_tenant(self, feishu: SecondServer, db):
        company = feishu.company
        for records in (company.talents, company.applications, company.employees):
            records.clear()
        run = sync.sync_kind("talents")
        assert run.state == SyncRun.State.DONE

    def test_fetches_another_token_when_the_first_is_no_longer_good(self, synced: SecondServer):
        synced.expire_token()
        assert sync.sync_kind("talents").state == SyncRun.State.DONE
        assert [request.name for request in synced.requests][:3] == ["H1", "B1", "H1"]
