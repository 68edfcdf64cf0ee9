"""Odd answers that once broke a page or a job, each by itself."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from lifecycle import organisation
from lifecycle.models import Contact, Department, SyncRun, Talent, UnreadableRecord
from lifecycle.services import sync
from tests.mirror.test_store import NOW
from tests.offboardings import KINDS, an_approved_offboarding

pytestmark = pytest.mark.django_db


def answering(items: list) -> dict[str, str]:
    body = {"code": 0, "msg": "ok", "data": {"items": items, "has_more": False}}
    return {"body": json.dumps(body), "content_type": "application/json"}


class TestOffboardingsThatAreNoRecords:
    """They are not "there is none": an edit would fail for good, or be called a conflict."""

    @pytest.fixture
    def change(self, mirrored, asking):
        self.tenant = mirrored(*KINDS)
        record = an_approved_offboarding(self.tenant)
        day = record.offboards_on + timedelta(days=7)
        return asking.ask(record, "edit_offboarding", operator_id="", field_offboarding_date=day)

    def test_put_the_edit_off(self, change, worker):
        self.tenant.fault("garbage", endpoint="O1", times=None, **answering([7]))
        assert worker(change).status == "approved"
        assert change.problem == "feishu.unreadable"
        self.tenant.clear_faults()
        assert worker(change, later=timedelta(minutes=5)).status == "succeeded"

    def test_are_read_again_when_nobody_knows_whether_it_took(self, change, worker):
        self.tenant.fault("drop_after", endpoint="A4")
        assert worker(change).status == "verifying"
        self.tenant.fault("garbage", endpoint="O1", times=None, **answering([7]))
        assert worker(change, later=timedelta(minutes=10)).status == "verifying"
        self.tenant.clear_faults()
        assert worker(change, later=timedelta(minutes=20)).status == "succeeded"


def test_a_list_with_something_else_in_it_is_stored_without_it(mirrored):
    tenant = mirrored("talents")
    known = Talent.objects.count()
    listed = [{"id": Talent.objects.earliest("pk").feishu_id}, 7, None, {"id": ["x"]}]
    tenant.fault("garbage", endpoint="H1", **answering(listed))
    run = sync.sync_kind("talents")
    assert (run.state, run.read, run.unreadable) == (SyncRun.State.DONE, 4, 3)
    assert Talent.objects.count() == known
    assert UnreadableRecord.objects.count() == 3


def test_one_catalogue_that_makes_no_sense_leaves_the_others_alone(mirrored):
    tenant = mirrored("catalogues")
    tenant.fault("garbage", endpoint="R10", times=None, **answering([7]))
    run = sync.sync_kind("catalogues")
    assert (run.state, run.problem) == (SyncRun.State.FAILED, "no-answer")
    assert run.stored > 0


def test_departments_and_colleagues_may_hold_anything():
    odd = [[], {}, 7, "9" * 100, {"lang": []}, [{"lang": {}, "value": "x"}], None, True]
    departments = [{"id": f"od-{number}", "department_name": value, "manager": value, "code": value,
                    "parent_department_id": value} for number, value in enumerate(odd)]  # fmt: skip
    contacts = [{"open_id": f"ou_{number}", "name": value, "status": value, "employee_no": value,
                 "leader_user_id": value} for number, value in enumerate(odd)]  # fmt: skip
    nameless = [{"id": value, "open_id": value} for value in odd]
    organisation.store_departments([*departments, *nameless], asked_at=NOW)
    organisation.store_contacts([*contacts, *nameless], asked_at=NOW)
    organisation.rebuild_department_paths()
    organisation.rebuild_reporting_lines()
    assert Department.objects.count() == Contact.objects.count() == len(odd)
