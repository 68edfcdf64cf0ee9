"""A pass over Feishu: the mirror equals the tenant, whatever goes wrong on the way."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from django.utils import timezone

from lifecycle import action_log
from lifecycle.mirror import store_employees
from lifecycle.models import (
    ActionEntry,
    Application,
    CatalogueEntry,
    Contact,
    Department,
    Employee,
    Employment,
    Offboarding,
    Person,
    PreHire,
    ReportingLine,
    SyncRun,
    Talent,
    UnreadableRecord,
)
from lifecycle.services import sync

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")
STAGES = {
    1: "screening", 2: "evaluation", 3: "written_test", 4: "interview", 5: "offer",
    6: "pre_hire", 7: "onboarded", 8: "other", 255: "other",
}  # fmt: skip
NEVER = date(9999, 12, 31)


def day_of(ms: int) -> date | None:
    return datetime.fromtimestamp(ms / 1000, SHANGHAI).date() if ms else None


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def moment_of(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def columns_of(rows, *names: str) -> dict[str, dict]:
    return {row.pop("feishu_id"): row for row in rows.values("feishu_id", *names)}


def without_scope(sandbox, endpoint: str, scope: str) -> None:
    """What Feishu answers for one endpoint to an app that lacks a permission."""
    refusal = {
        "code": 99991672,
        "msg": f"Access denied. One of the following scopes is required: [{scope}].",
        "error": {
            "permission_violations": [{"type": "action_scope_required", "subject": scope}],
            "helps": [{"url": "https://open.feishu.cn/app/cli_sandbox/auth"}],
        },
    }
    sandbox.fault(
        "garbage",
        endpoint=endpoint,
        body=json.dumps(refusal),
        content_type="application/json",
        times=None,
    )


class CutOff(BaseException):
    """The process was killed."""


def cut_off_after(steps: int):
    """A progress callback that ends the process after so many stored steps."""
    seen = []

    def progress(run, of):
        seen.append(run.cursor)
        if len(seen) == steps:
            raise CutOff

    return progress


def paths(sandbox) -> list[str]:
    return [request["path"] for request in sandbox.requests()]


class TestFullSync:
    @pytest.fixture(autouse=True)
    def synced(self, sandbox, db):
        runs = sync.sync_all()
        assert [run.kind for run in runs] == list(sync.KINDS)
        assert {run.state for run in runs} == {SyncRun.State.DONE}
        assert not UnreadableRecord.objects.exists()
        self.tenant = sandbox

    def test_has_every_talent(self):
        names = ("person__name", "is_onboarded", "phone", "email", "updated_at")
        assert columns_of(Talent.objects, *names) == {
            record["id"]: {
                "person__name": record["name"],
                "is_onboarded": record["is_onboarded"],
                "phone": record["mobile"],
                "email": record["email"],
                "updated_at": moment_of(record["updated_ms"]),
            }
            for record in self.tenant.records("talents")
        }

    def test_has_every_application(self):
        names = ("talent_id", "job_id", "stage_id", "stage_type", "is_active", "updated_at")
        assert columns_of(Application.objects, *names) == {
            record["id"]: {
                "talent_id": record["talent_id"],
                "job_id": record["job_id"],
                "stage_id": record["stage_id"],
                "stage_type": STAGES[record["stage_type"]],
                "is_active": record["active_status"] == 1,
                "updated_at": moment_of(record["updated_ms"]),
            }
            for record in self.tenant.records("applications")
        }

    def test_has_every_employee(self):
        names = (
            "application_id", "employment_id", "onboard_status", "conversion_status",
            "onboarded_on", "expected_conversion_on", "converted_on", "left_on",
            "department_id", "leader_open_id", "due_sort_on",
        )  # fmt: skip
        assert columns_of(Employee.objects, *names) == {
            record["id"]: {
                "application_id": record["application_id"],
                "employment_id": record["external_employment_id"],
                "onboard_status": {1: "onboarded", 2: "left"}[record["onboard_status"]],
                "conversion_status": {1: "not_converted", 2: "converted"}[
                    record["conversion_status"]
                ],
                "onboarded_on": day_of(record["onboard_time"]),
                "expected_conversion_on": day_of(record["expected_conversion_time"]),
                "converted_on": day_of(record["actual_conversion_time"]),
                "left_on": day_of(record["overboard_time"]),
                "department_id": record["department"],
                "leader_open_id": record["leader"],
                "due_sort_on": (
                    day_of(record["expected_conversion_time"]) or NEVER
                    if (record["onboard_status"], record["conversion_status"]) == (1, 1)
                    else NEVER
                ),
            }
            for record in self.tenant.records("employees")
        }

    def test_translates_the_ids_of_levels_families_and_types(self):
        inner = {
            kind: {record["id"]: record for record in self.tenant.records(kind)}
            for kind in ("job_levels", "job_families", "employee_types")
        }
        names = ("job_level_id", "job_family_id", "employee_type_id")
        assert columns_of(Employee.objects, *names) == {
            record["id"]: {
                "job_level_id": inner["job_levels"][record["level"]]["job_level_id"],
                "job_family_id": inner["job_families"][record["sequence"]]["job_family_id"],
                "employee_type_id": inner["employee_types"][record["employee_type"]][
                    "employee_type_enum_id"
                ],
            }
            for record in self.tenant.records("employees")
        }

    def test_has_every_pre_hire(self):
        names = (
            "person__name", "person__talent_id", "application_id", "onboarding_status",
            "onboards_on", "department_id",
        )  # fmt: skip
        assert columns_of(PreHire.objects, *names) == {
            record["id"]: {
                "person__name": record["name"],
                "person__talent_id": record["talent_id"] or None,
                "application_id": record["ats_application_id"],
                "onboarding_status": record["onboarding_status"],
                "onboards_on": day(record["hire_date"]),
                "department_id": record["department"],
            }
            for record in self.tenant.records("pre_hires")
        }

    def test_has_every_offboarding(self):
        names = ("employment_id", "initiating_type", "status", "offboards_on", "expected_on")
        assert columns_of(Offboarding.objects, *names) == {
            record["id"]: {
                "employment_id": record["employment_id"],
                "initiating_type": record["initiating_type"],
                "status": record["status"],
                "offboards_on": day(record["info"]["offboarding_date"]),
                "expected_on": day(record["info"]["expected_offboarding_date"]),
            }
            for record in self.tenant.records("offboardings")
        }

    def test_has_the_employment_of_everybody_known_to_be_in_core_hr(self):
        known = {record["external_employment_id"] for record in self.tenant.records("employees")}
        known |= {record["employment_id"] for record in self.tenant.records("offboardings")}
        names = (
            "person__name", "person__open_id", "application_id", "number", "status",
            "department_id", "started_on", "ends_on",
        )  # fmt: skip
        assert columns_of(Employment.objects, *names) == {
            record["id"]: {
                "person__name": record["name"],
                "person__open_id": record["open_id"],
                "application_id": record["ats_application_id"],
                "number": record["employee_number"],
                "status": record["employment_status"],
                "department_id": record["department"],
                "started_on": day(record["effective_date"]),
                "ends_on": day(record["expiration_date"]),
            }
            for record in self.tenant.records("employments")
            if record["id"] in known
        }

    def test_has_every_department_with_its_way_down_from_the_root(self):
        records = {record["id"]: record for record in self.tenant.records("departments")}
        for row in Department.objects.all():
            record = records.pop(row.feishu_id)
            assert (row.name, row.parent_id) == (record["name"], record["parent_id"])
            assert row.path.endswith(f"/{record['parent_id']}/{row.feishu_id}/") or (
                not record["parent_id"] and row.path == f"/{row.feishu_id}/"
            )
        assert not records

    def test_knows_every_leader_by_name(self):
        contacts = {record["id"]: record["name"] for record in self.tenant.records("contacts")}
        leaders = {record["leader"] for record in self.tenant.records("employees")} - {""}
        known = dict(Contact.objects.values_list("feishu_id", "name"))
        assert leaders <= known.keys()
        assert all(contacts[open_id] == name for open_id, name in known.items())

    def test_knows_the_leader_of_a_leader_whom_nobody_else_names(self):
        contacts = {record["id"]: record for record in self.tenant.records("contacts")}
        known = set(Contact.objects.values_list("feishu_id", flat=True))
        top = next(open_id for open_id in known if not contacts[open_id]["leader"])
        investor, owner = sorted(contacts.keys() - known)[:2]
        self.tenant.patch("contacts", top, leader=investor)
        self.tenant.patch("contacts", investor, leader=owner)
        sync.sync_kind("contacts")
        assert {investor, owner} <= set(Contact.objects.values_list("feishu_id", flat=True))
        below = ReportingLine.objects.filter(leader_open_id=owner)
        assert below.filter(report_open_id=top).exists()

    def test_asks_for_those_colleagues_only_whom_it_had_not_met_when_it_was_cut_off(self):
        Person.objects.bulk_create(Person(open_id=f"ou_zz{number:02d}") for number in range(60))
        with pytest.raises(CutOff):
            sync.sync_kind("contacts", progress=cut_off_after(1))
        met = SyncRun.objects.filter(kind="contacts").latest("pk").cursor
        SyncRun.objects.update(lease_until=timezone.now())
        self.tenant.clear_requests()
        sync.sync_kind("contacts")
        asked = [
            open_id
            for request in self.tenant.requests()
            if request["path"].endswith("/contact/v3/users/batch")
            for open_id in request["query"]["user_ids"]
        ]
        assert asked
        assert min(asked) > met

    def test_forgets_whom_somebody_reported_to_before(self):
        line = ReportingLine.objects.exclude(leader_open_id=F("report_open_id")).first()
        self.tenant.patch("contacts", line.report_open_id, leader="")
        others = ReportingLine.objects.exclude(report_open_id=line.report_open_id)
        before = set(others.exclude(leader_open_id=line.leader_open_id).values_list("pk"))
        sync.sync_kind("contacts")
        above = ReportingLine.objects.filter(report_open_id=line.report_open_id)
        assert list(above.values_list("leader_open_id", flat=True)) == [line.report_open_id]
        assert before <= set(others.values_list("pk"))

    def test_moves_a_department_with_all_below_it(self):
        moved = Department.objects.exclude(parent_id="").first()
        below = moved.path
        self.tenant.patch("departments", moved.feishu_id, parent_id="")
        sync.sync_kind("departments")
        assert Department.objects.get(pk=moved.pk).path == f"/{moved.feishu_id}/"
        assert not Department.objects.filter(path__startswith=below).exists()

    def test_has_every_catalogue(self):
        counts = {
            kind: CatalogueEntry.objects.filter(kind=kind).count()
            for kind in CatalogueEntry.Kind.values
        }
        assert counts["employee_type"] == len(self.tenant.records("employee_types"))
        assert counts["job_level"] == len(self.tenant.records("job_levels"))
        assert counts["offboarding_reason"] == len(self.tenant.records("reasons"))
        assert min(counts.values()) > 0

    def test_is_logged_once_for_each_kind(self):
        entries = ActionEntry.objects.filter(event="sync.finished").order_by("seq")
        assert entries.count() == len(sync.KINDS)
        told = action_log.sentence(entries[3])
        assert told.en.startswith("Sync of employees finished: ")
        assert told.zh.startswith("同步完成：员工，读取 ")

    def test_changes_nothing_the_second_time(self):
        before = list(Employee.objects.order_by("pk").values("pk", "person_id", "payload"))
        assert {run.state for run in sync.sync_all()} == {SyncRun.State.DONE}
        after = list(Employee.objects.order_by("pk").values("pk", "person_id", "payload"))
        assert after == before


class TestOneKind:
    def test_without_permission_fails_alone_and_names_the_scope(self, sandbox, db):
        without_scope(sandbox, "P3", "corehr:pre_hire.search:read")
        runs = {run.kind: run for run in sync.sync_all()}
        failed = runs.pop("pre_hires")
        assert (failed.state, failed.problem) == (SyncRun.State.FAILED, "scope-missing")
        assert failed.detail.startswith("corehr:pre_hire.search:read ")
        assert {run.state for run in runs.values()} == {SyncRun.State.DONE}
        health = {kind.kind: kind for kind in sync.mirror_health()}
        assert health["pre_hires"].problem == "scope-missing"
        assert ActionEntry.objects.filter(event="sync.failed").count() == 1

    @pytest.mark.parametrize("kind", ["throttle", "expired_token"])
    def test_is_not_called_done_when_the_app_itself_is_refused(self, kind, sandbox, db):
        """Not a record that cannot be read: nothing can be read at all."""
        sandbox.fault(kind, endpoint="H6", times=None, delay_s=9)
        run = sync.sync_kind("applications")
        assert run.state == SyncRun.State.FAILED

    def test_whose_answer_makes_no_sense_does_not_stop_the_others(self, sandbox, db):
        odd = '{"code":0,"msg":"","data":{"has_more":false,"items":{"active":true}}}'
        sandbox.fault("garbage", endpoint="O2", body=odd, content_type="application/json")
        runs = {run.kind: run for run in sync.sync_all()}
        assert (runs["catalogues"].state, runs["catalogues"].problem) == ("failed", "no-answer")
        assert runs["employees"].state == SyncRun.State.DONE

    def test_goes_on_after_a_record_it_cannot_read(self, sandbox, db):
        sync.sync_kind("applications")
        broken = sandbox.records("employees")[3]
        sandbox.patch("employees", broken["id"], onboard_status=9)
        run = sync.sync_kind("employees")
        assert (run.state, run.unreadable) == (SyncRun.State.DONE, 1)
        assert Employee.objects.count() == len(sandbox.records("employees")) - 1
        aside = UnreadableRecord.objects.get()
        assert (aside.kind, aside.feishu_id) == ("employee", broken["id"])
        assert "onboard_status" in aside.problem
        assert aside.payload["onboard_status"] == 9

    def test_stores_the_record_once_it_is_put_right(self, sandbox, db):
        sync.sync_kind("applications")
        broken = sandbox.records("employees")[3]
        sandbox.patch("employees", broken["id"], onboard_status=9)
        sync.sync_kind("employees")
        sandbox.patch("employees", broken["id"], onboard_status=1)
        assert sync.sync_kind("employees").unreadable == 0
        assert Employee.objects.filter(feishu_id=broken["id"]).exists()
        assert not UnreadableRecord.objects.exists()
        health = {kind.kind: kind for kind in sync.mirror_health()}
        assert health["employees"].unreadable == 0


class TestCutOffRun:
    def test_goes_on_from_where_it_had_stored(self, sandbox, db):
        with pytest.raises(CutOff):
            sync.sync_kind("talents", progress=cut_off_after(2))
        assert Talent.objects.count() == 40
        SyncRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        sandbox.clear_requests()
        run = sync.sync_kind("talents")
        assert run.state == SyncRun.State.DONE
        assert SyncRun.objects.count() == 1
        assert Talent.objects.count() == run.read == len(sandbox.records("talents"))
        assert paths(sandbox).count("/open-apis/hire/v1/talents") == 3

    def test_does_not_read_again_what_takes_a_read_each(self, sandbox, db):
        sync.sync_kind("applications")
        with pytest.raises(CutOff):
            sync.sync_kind("employees", progress=cut_off_after(1))
        SyncRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        sandbox.clear_requests()
        assert sync.sync_kind("employees").state == SyncRun.State.DONE
        assert paths(sandbox) == []

    def test_is_left_alone_while_its_lease_lasts(self, sandbox, db):
        with pytest.raises(CutOff):
            sync.sync_kind("talents", progress=cut_off_after(1))
        assert sync.sync_kind("talents") is None

    def test_goes_on_though_it_was_begun_long_ago(self, sandbox, db):
        with pytest.raises(CutOff):
            sync.sync_kind("talents", progress=cut_off_after(2))
        now = timezone.now()
        SyncRun.objects.update(
            lease_until=now - timedelta(minutes=1), started_at=now - timedelta(hours=30)
        )
        sandbox.clear_requests()
        assert sync.sync_kind("talents").state == SyncRun.State.DONE
        assert paths(sandbox).count("/open-apis/hire/v1/talents") == 3

    def test_starts_over_when_it_is_too_old_to_trust_its_place(self, sandbox, db):
        with pytest.raises(CutOff):
            sync.sync_kind("talents", progress=cut_off_after(2))
        long_ago = timezone.now() - timedelta(hours=3)
        SyncRun.objects.update(lease_until=long_ago, started_at=long_ago)
        sandbox.clear_requests()
        sync.sync_kind("talents")
        assert paths(sandbox).count("/open-apis/hire/v1/talents") == 5

    def test_stops_when_another_process_has_taken_it_over(self, sandbox, db):
        def taken_over(run, of):
            SyncRun.objects.update(lease_until=timezone.now() + timedelta(hours=1))

        assert sync.sync_kind("talents", progress=taken_over) is None
        assert SyncRun.objects.get().state == SyncRun.State.RUNNING
        assert Talent.objects.count() <= 40


@pytest.mark.thorough
class TestFailedRun:
    @pytest.fixture
    def stopped(self, sandbox, db):
        """Two of five pages were read, then this went wrong; now it works again."""

        def stop(fault: str, **how) -> SyncRun:
            pages = []

            def progress(run, of):
                pages.append(run.cursor)
                if len(pages) == 2:
                    sandbox.fault(fault, endpoint="H1", times=None, **how)

            failed = sync.sync_kind("talents", progress=progress)
            assert (failed.state, failed.read) == (SyncRun.State.FAILED, 40)
            sandbox.clear_faults()
            sandbox.clear_requests()
            return failed

        return stop

    def test_is_gone_on_with_when_nothing_had_answered(self, sandbox, stopped):
        failed = stopped("drop_before")
        run = sync.sync_kind("talents")
        assert (run.state, run.started_at) == (SyncRun.State.DONE, failed.started_at)
        assert run.pk != failed.pk
        assert Talent.objects.count() == run.read == len(sandbox.records("talents"))
        assert paths(sandbox).count("/open-apis/hire/v1/talents") == 3

    def test_begins_anew_when_feishu_refused(self, sandbox, stopped):
        stopped("code", code=1002001)
        assert sync.sync_kind("talents").state == SyncRun.State.DONE
        assert paths(sandbox).count("/open-apis/hire/v1/talents") == 5

    def test_begins_anew_when_only_what_has_changed_is_asked_for(self, sandbox, stopped):
        stopped("drop_before")
        run = sync.sync_kind("talents", since=timezone.now() - timedelta(minutes=1))
        assert not run.is_whole
        assert "page_token" not in sandbox.requests()[0]["query"]

    def test_begins_anew_after_hours(self, sandbox, stopped):
        stopped("drop_before")
        SyncRun.objects.update(finished_at=timezone.now() - timedelta(hours=3))
        sync.sync_kind("talents")
        assert paths(sandbox).count("/open-apis/hire/v1/talents") == 5


class TestTwoAtOnce:
    def test_one_runs(self, sandbox, db):
        seconds = []

        def meanwhile(run, of):
            if not seconds:
                seconds.append(sync.sync_kind("talents"))

        first = sync.sync_kind("talents", progress=meanwhile)
        assert seconds == [None]
        assert first.state == SyncRun.State.DONE
        assert SyncRun.objects.count() == 1


class TestEmployeeBackInPreHire:
    @pytest.fixture
    def returned(self, mirror) -> Employee:
        """Restored to pre-hire in Feishu's console: H11 knows no such employee any more."""
        employee = Employee.objects.filter(onboard_status="onboarded").first()
        mirror.delete("employees", employee.feishu_id)
        return employee

    @staticmethod
    def later() -> None:
        Employee.everyone.update(missing_since=timezone.now() - timedelta(minutes=5))

    def test_stays_until_a_second_pass_confirms_it(self, returned):
        sync.sync_kind("employees")
        assert Employee.objects.filter(pk=returned.pk).exists()
        Employee.everyone.filter(pk=returned.pk).update(
            missing_since=timezone.now() - timedelta(minutes=5)
        )
        sync.sync_kind("employees")
        assert not Employee.objects.filter(pk=returned.pk).exists()
        assert Employee.everyone.get(pk=returned.pk).gone_at is not None

    def test_is_not_confirmed_by_a_question_of_the_same_minute(self, returned):
        sync.sync_kind("employees")
        sync.sync_kind("employees")
        assert Employee.objects.filter(pk=returned.pk).exists()

    def test_comes_back_with_the_next_onboarding(self, returned, mirror):
        record = dict(returned.payload)
        Employee.everyone.filter(pk=returned.pk).update(gone_at=timezone.now())
        store_employees([record], asked_at=timezone.now())
        row = Employee.objects.get(pk=returned.pk)
        assert (row.gone_at, row.missing_since) == (None, None)

    def test_is_not_believed_when_too_many_go_at_once(self, mirror):
        everybody = list(Employee.objects.all())
        for employee in everybody:
            mirror.delete("employees", employee.feishu_id)
        sync.sync_kind("employees")
        self.later()
        sync.sync_kind("employees")
        assert Employee.objects.count() == len(everybody)
