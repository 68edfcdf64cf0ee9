"""Odd answers that once broke a page or a job, each by itself."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lifecycle import mirror, organisation, pickers
from lifecycle.models import (
    Application,
    CatalogueEntry,
    Contact,
    Department,
    Employment,
    Offboarding,
    Person,
    PreHire,
    SyncRun,
    Talent,
    UnreadableRecord,
)
from lifecycle.organisation import Entry
from lifecycle.services import pushes, sync
from tests.changes.test_wire_table import HIRE
from tests.conftest import MIRRORED
from tests.mirror.test_store import BO_TALENT, NOW
from tests.offboardings import KINDS, an_approved_offboarding
from tests.polling.test_pushes import KEY, TOKEN, an_event, encrypted, signed

pytestmark = pytest.mark.django_db


def answering(items: list) -> dict[str, str]:
    body = {"code": 0, "msg": "ok", "data": {"items": items, "has_more": False}}
    return {"body": json.dumps(body), "content_type": "application/json"}


@pytest.fixture
def pages(client, mei, settings) -> Client:
    """Mei's browser on this machine: plain HTTP, and files as they lie in the checkout."""
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    client.force_login(mei)
    return client


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


def test_a_batch_of_the_same_nonsense_is_kept_once():
    stored = mirror.store_talents([7] * 50, asked_at=NOW)
    assert len(stored.unreadable) == 50
    assert UnreadableRecord.objects.count() == 1


class TestNestedTooDeeply:
    """It can be read, and each step on the way to the database takes more of Python's stack."""

    @pytest.mark.parametrize("levels", [90, 110, 500, 900, 920, 940])
    def test_is_kept_or_put_aside(self, levels):
        deep = json.loads("[" * levels + "]" * levels)
        talent = {"id": "68009", "is_onboarded": False, "basic_info": {"name": "A"}, "x": deep}
        assert not mirror.store_talents([talent, BO_TALENT], asked_at=NOW).skipped
        organisation.store_departments([{"id": "od-1", "x": deep}, deep], asked_at=NOW)
        entries = [Entry("71", deep, {"x": deep}), Entry("72", "P2", {})]
        organisation.store_catalogue("job_level", entries, asked_at=NOW)
        assert CatalogueEntry.objects.filter(feishu_id="72").exists()
        aside = set(UnreadableRecord.objects.values_list("kind", flat=True))
        assert aside == (
            {"talent", "department", "catalogueentry"} if levels > 100 else {"department"}
        )


class TestCatalogue:
    @pytest.fixture(autouse=True)
    def synced(self, mirrored):
        self.tenant = mirrored("catalogues")

    def offered(self, kind: str = "job_requirement") -> set[str]:
        rows = CatalogueEntry.objects.filter(kind=kind, is_active=True)
        return set(rows.values_list("feishu_id", flat=True))

    def sync(self, items: list, endpoint: str = "job_requirements") -> SyncRun:
        self.tenant.clear_faults()
        self.tenant.fault("garbage", endpoint=endpoint, times=None, **answering(items))
        return sync.sync_kind("catalogues")

    def test_that_is_no_list_leaves_the_others_alone(self):
        self.tenant.fault("garbage", endpoint="R10", times=None, body='{"code":0,"data":[]}')
        run = sync.sync_kind("catalogues")
        assert (run.state, run.problem) == (SyncRun.State.FAILED, "no-answer")
        assert run.stored > 0

    def test_of_nothing_readable_stays_as_it_was(self):
        offered = self.offered()
        run = self.sync([7, {"name": "x"}])
        assert (run.state, run.unreadable) == (SyncRun.State.DONE, 2)
        assert self.offered() == offered

    def test_keeps_an_entry_that_cannot_be_read_by_now(self):
        first, second, *gone = sorted(self.offered())
        deep = json.loads("[" * 200 + "]" * 200)
        run = self.sync([{"id": first, "name": deep}, {"id": second, "name": "new"}])
        assert (run.state, run.unreadable) == (SyncRun.State.DONE, 1)
        aside = UnreadableRecord.objects.get()
        assert (aside.kind, aside.feishu_id) == ("catalogueentry", f"job_requirement {first}")
        # The others are no longer in the list; of this one nobody knows what has become of it.
        assert gone
        assert self.offered() == {first, second}
        self.sync([{"id": first, "name": "mended"}, {"id": second, "name": "new"}])
        assert not UnreadableRecord.objects.exists()

    def test_keeps_all_while_an_entry_does_not_say_which_it_is(self):
        offered = self.offered()
        run = self.sync([{"id": min(offered), "name": "new"}, {"id": ["x"], "name": "odd"}])
        assert (run.state, run.unreadable) == (SyncRun.State.DONE, 1)
        assert self.offered() == offered
        assert CatalogueEntry.objects.get(feishu_id=min(offered)).name == "new"

    def test_keeps_all_while_an_id_of_the_directory_cannot_be_read(self):
        offered = self.offered("job_level")
        self.sync([7, {"id": ["x"]}, {"id": "71001", "target_id": 7}], endpoint="R12")
        assert self.offered("job_level") == offered
        assert UnreadableRecord.objects.filter(feishu_id__startswith="job_level ").count() == 2

    @pytest.mark.parametrize("endpoint", ["R3", "O2", "R6", "locations", "R9"])
    def test_of_every_shape_is_stored_without_what_makes_no_sense(self, endpoint):
        ids = ["id", "custom_api_name", "offboarding_reason_unique_identifier", "cost_center_id"]
        odd = [None, 7, [], {}, {"city": 7}, {"city": {"code": []}}, *({one: {}} for one in ids)]
        run = self.sync(odd, endpoint)
        assert run.state == SyncRun.State.DONE
        assert run.unreadable >= 3

    def test_of_families_nobody_can_name_goes_on(self):
        for number, family in enumerate([[7], 7, {"id": []}, {"id": {}}, None, {}]):
            Employment.objects.create(
                feishu_id=f"69{number}", person=Person.objects.create(), asked_at=NOW,
                payload={"job_family": family},
            )  # fmt: skip
        run = sync.sync_kind("catalogues")
        assert (run.state, run.unreadable) == (SyncRun.State.DONE, 4)

    def test_has_names_of_its_own_for_what_it_puts_aside(self):
        for kind in ("job_level", "location"):
            organisation.store_catalogue(kind, [Entry("7", "", 7), Entry(7, "", {})], asked_at=NOW)
        assert UnreadableRecord.objects.count() == 4
        organisation.store_catalogue("location", [Entry("7", "", {})], asked_at=NOW)
        assert UnreadableRecord.objects.filter(feishu_id="job_level 7").exists()
        assert not UnreadableRecord.objects.filter(feishu_id="location 7").exists()


ODD = [[], {}, 7, "9" * 100, {"lang": []}, [{"lang": {}, "value": "x"}], None, True]
UNKEPT = ["a\x00", "\ud800", float("nan")]


class TestDepartmentsAndColleagues:
    def test_may_hold_anything(self):
        departments = [{"id": f"od-{number}", "department_name": value, "manager": value,
                        "code": value, "parent_department_id": value}
                       for number, value in enumerate(ODD)]  # fmt: skip
        contacts = [{"open_id": f"ou_{number}", "name": value, "status": value,
                     "employee_no": value, "leader_user_id": value, "department_ids": value}
                    for number, value in enumerate(ODD)]  # fmt: skip
        organisation.store_departments(departments, asked_at=NOW)
        organisation.store_contacts(contacts, asked_at=NOW)
        organisation.rebuild_department_paths()
        organisation.rebuild_reporting_lines()
        assert Department.objects.count() == Contact.objects.count() == len(ODD)
        assert not UnreadableRecord.objects.exists()

    @pytest.mark.parametrize(
        ("store", "model", "id_field"),
        [(organisation.store_departments, Department, "id"),
         (organisation.store_contacts, Contact, "open_id")],
    )  # fmt: skip
    def test_are_put_aside_when_they_cannot_be_read(self, store, model, id_field):
        nameless = [{id_field: value} for value in ODD]
        unkept = [{id_field: f"o{number}", "x": value} for number, value in enumerate(UNKEPT)]
        stored = store([*nameless, *unkept, 7, None, {id_field: "good"}], asked_at=NOW)
        assert (stored.stored, len(stored.unreadable)) == (1, len(ODD) + len(UNKEPT) + 2)
        aside = UnreadableRecord.objects.filter(kind=model._meta.model_name)
        assert aside.count() == len(stored.unreadable)
        store([{id_field: "o0"}], asked_at=NOW)
        assert not aside.filter(feishu_id="o0").exists()
        assert aside.filter(feishu_id="o1").exists()

    def test_listed_twice_are_stored_once(self):
        twice = [{"id": "od-1", "code": "A"}, {"id": "od-1", "code": "B"}]
        assert organisation.store_departments(twice, asked_at=NOW).stored == 1
        assert Department.objects.get().payload["code"] == "B"

    @pytest.mark.parametrize(("kind", "endpoint"), [("departments", "R7"), ("contacts", "R13")])
    def test_are_counted_and_shown(self, kind, endpoint, mirrored, pages):
        tenant = mirrored(*MIRRORED)
        known = sync.KINDS[kind].model.objects.count()
        odd = [7, None, {"id": ["x"], "open_id": 3}]
        tenant.fault("garbage", endpoint=endpoint, **answering(odd))
        run = sync.sync_kind(kind)
        assert (run.state, run.unreadable) == (SyncRun.State.DONE, 3)
        assert sync.KINDS[kind].model.objects.count() == known
        page = pages.get(reverse("sync")).content.decode()
        assert page.count('<tr id="unreadable-') == 3

    @pytest.mark.parametrize("item", [7, {"id": 7}, {"id": "69001", "target_id": "9" * 65}])
    def test_are_linked_in_spite_of_an_account_that_makes_no_sense(self, item, mirrored):
        tenant = mirrored(*MIRRORED)
        tenant.fault("garbage", endpoint="R12", **answering([item]))
        run = sync.sync_kind("employments")
        assert (run.state, run.unreadable) == (SyncRun.State.DONE, 1)
        assert UnreadableRecord.objects.get().feishu_id.startswith("account ")


def test_colleagues_nobody_has_asked_for_do_not_keep_a_pass_going(mirrored):
    tenant = mirrored(*MIRRORED)
    somebody_else = {"open_id": "ou_else", "leader_user_id": "ou_nobody"}
    tenant.fault("garbage", endpoint="R13", times=None, **answering([somebody_else]))
    run = sync.sync_kind("contacts")
    assert run.state == SyncRun.State.DONE
    assert Contact.objects.filter(feishu_id="ou_else").exists()


class TestAnnounced:
    """Records that are read because Feishu has pushed an event."""

    @pytest.mark.parametrize("event_type", ["pre_hire.updated_v1", "offboarding.updated_v2"])
    def test_are_put_aside_when_they_cannot_be_read(self, event_type, mirrored, settings, pages):
        tenant = mirrored(*HIRE, "pre_hires", "offboardings")
        settings.FEISHU_EVENT_ENCRYPT_KEY, settings.FEISHU_EVENT_TOKEN = KEY, TOKEN
        known = PreHire.everyone.count(), Offboarding.everyone.count()
        body = encrypted(an_event(f"corehr.{event_type}", pre_hire_id="73", employment_id="69"))
        address = reverse("feishu-events")
        answer = pages.post(address, body, content_type="application/json", headers=signed(body))
        assert answer.status_code == 200
        odd = [7, None, {"pre_hire_id": {}, "offboarding_id": []}]
        for endpoint in ("P3", "O1"):
            tenant.fault("garbage", endpoint=endpoint, **answering(odd))
        assert pushes.read_due(at=timezone.now()) == 1
        assert UnreadableRecord.objects.count() == 3
        assert pages.get(reverse("sync")).content.decode().count('<tr id="unreadable-') == 3
        assert known == (PreHire.everyone.count(), Offboarding.everyone.count())


def test_an_application_without_an_id_is_put_aside(mirrored):
    tenant = mirrored("talents")
    known = {record["id"] for record in tenant.records("applications")}
    body = {"code": 0, "data": {"items": ["", "../x", 7, *sorted(known)[:3]], "has_more": False}}
    tenant.fault("garbage", endpoint="H5", body=json.dumps(body))
    run = sync.sync_kind("applications")
    assert (run.state, run.stored) == (SyncRun.State.DONE, 3)
    assert UnreadableRecord.objects.count() == run.unreadable >= 2


@pytest.mark.parametrize("odd", [*ODD, [True], "x"], ids=repr)
def test_the_page_of_a_person_shows_whatever_is_stored(odd, mirrored, pages):
    mirrored("talents", "applications", "offboardings")
    application = Application.objects.exclude(person=None).first()
    for model, names in (
        (Application, ("stage_time_list", "create_time")),
        (Offboarding, ("application_info",)),
    ):
        payload = dict.fromkeys(names, odd)
        model._base_manager.update(person=application.person, payload=payload)
    page = pages.get(reverse("person", args=[application.person_id]))
    assert page.status_code == 200


@pytest.mark.parametrize("kind", ["departments", "talents"])
def test_a_list_that_never_ends_is_given_up(kind, mirrored):
    tenant = mirrored(*MIRRORED)
    body = {"code": 0, "data": {"items": [], "has_more": True, "page_token": "again"}}
    for endpoint in ("R7", "H1"):
        tenant.fault("garbage", endpoint=endpoint, times=None, body=json.dumps(body))
    run = sync.sync_kind(kind)
    assert (run.state, run.detail) == (SyncRun.State.FAILED, "page-token-repeats")


class TestPickers:
    """They read what is stored, from before it was looked at as closely as now."""

    @pytest.mark.parametrize("odd", [*ODD, ["x", []], [None]], ids=repr)
    def test_show_whatever_is_stored(self, odd, pages):
        text = str(odd)[:100]
        payload = {"department_ids": odd, "employee_no": odd, "code": odd, "short_code": odd}
        common = {"name": text, "search_text": f"{text}\nodd", "asked_at": NOW, "payload": payload}
        Contact.objects.create(feishu_id="ou_1", **common)
        Department.objects.create(feishu_id="od-1", full_name=text, path=text, **common)
        person = Person.objects.create(name=text, search_text="odd")
        Employment.objects.create(feishu_id="69", person=person, payload=payload, asked_at=NOW)
        for kind in CatalogueEntry.Kind:
            CatalogueEntry.objects.create(kind=kind, feishu_id="7", **common)
        for what in pickers.SOURCES:
            for asked in ("", "odd", text):
                page = pages.get(reverse("pick", args=[what]), {"q": asked})
                assert page.status_code == 200
            assert pickers.matches(what, "odd").choices
