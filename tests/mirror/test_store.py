"""One batch of payloads on its way to rows."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle import mirror
from lifecycle.models import (
    Application,
    Employee,
    Employment,
    Offboarding,
    Person,
    PreHire,
    Talent,
    UnreadableRecord,
)
from lifecycle.unreadable import name_of

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
SECOND = timedelta(seconds=1)

BO_TALENT = {"id": "68001", "is_onboarded": True, "basic_info": {"name": "单博", "mobile": "138"}}
BO_APPLICATION = {"id": "73001", "talent_id": "68001", "stage": {"id": "9", "type": 7}}
BO_EMPLOYEE = {
    "id": "74001",
    "application_id": "73001",
    "onboard_status": 1,
    "conversion_status": 1,
    "onboard_time": 1767052800000,
    "expected_conversion_time": 1782604800000,
    "external_employment_id": "69001",
}
BO_PRE_HIRE = {
    "pre_hire_id": "75001",
    "person_info": {"talent_id": "68001", "preferred_name": "单博"},
    "onboarding_info": {"ats_application_id": "73001", "onboarding_date": "2026-01-05"},
}
BO_EMPLOYMENT = {
    "employment_id": "69001",
    "employment_id_v2": "69001",
    "ats_application_id": "73001",
    "person_info": {"preferred_name": "单博"},
}
BO_OFFBOARDING = {
    "offboarding_id": "72001",
    "status": "Approved",
    "offboarding_info": {"employment_id": "69001", "offboarding_date": "2026-12-07"},
}

STORES = {
    mirror.store_talents: (Talent, BO_TALENT),
    mirror.store_applications: (Application, BO_APPLICATION),
    mirror.store_employees: (Employee, BO_EMPLOYEE),
    mirror.store_pre_hires: (PreHire, BO_PRE_HIRE),
    mirror.store_employments: (Employment, BO_EMPLOYMENT),
    mirror.store_offboardings: (Offboarding, BO_OFFBOARDING),
}
EACH_STORE = pytest.mark.parametrize(
    "store", STORES, ids=[model.__name__ for model, _ in STORES.values()]
)


def of(model):
    return model._base_manager


class TestNewestQuestion:
    @EACH_STORE
    def test_wins_whatever_comes_in_last(self, store):
        model, payload = STORES[store]
        store([payload | {"seen": "new"}], asked_at=NOW)
        late = store([payload | {"seen": "old"}], asked_at=NOW - SECOND)
        assert (late.stored, late.skipped) == (0, 1)
        row = of(model).get()
        assert row.asked_at == NOW
        assert row.payload.get("seen", "new") == "new"

    def test_is_a_writes_answer_when_a_poll_had_asked_before(self):
        poll_asked_at = NOW
        mirror.store_employees([BO_EMPLOYEE | {"conversion_status": 2}], asked_at=NOW + SECOND)
        mirror.store_employees([BO_EMPLOYEE], asked_at=poll_asked_at)
        assert Employee.objects.get().is_converted

    def test_is_believed_when_it_takes_something_back(self):
        mirror.store_employees([BO_EMPLOYEE | {"conversion_status": 2}], asked_at=NOW)
        mirror.store_employees([BO_EMPLOYEE], asked_at=NOW + SECOND)
        assert not Employee.objects.get().is_converted

    def test_counts_for_each_record_of_a_batch_alone(self):
        other = BO_TALENT | {"id": "68002"}
        mirror.store_talents([other], asked_at=NOW + SECOND)
        stored = mirror.store_talents([BO_TALENT, other], asked_at=NOW)
        assert (stored.stored, stored.skipped) == (1, 1)


class TestAsKnown:
    @EACH_STORE
    def test_only_the_time_of_the_reading_is_written(self, store):
        model, payload = STORES[store]
        store([payload], asked_at=NOW)
        with CaptureQueriesContext(connection) as queries:
            again = store([payload], asked_at=NOW + SECOND)
        assert (again.stored, again.skipped) == (1, 0)
        assert of(model).get().asked_at == NOW + SECOND
        assert not [one["sql"] for one in queries if one["sql"].startswith("INSERT")]

    @pytest.mark.parametrize(
        "store", [mirror.store_employees, mirror.store_pre_hires, mirror.store_offboardings]
    )
    def test_a_record_that_was_missing_is_back(self, store):
        model, payload = STORES[store]
        store([payload], asked_at=NOW)
        of(model).update(missing_since=NOW, gone_at=NOW)
        store([payload], asked_at=NOW + SECOND)
        assert (of(model).get().missing_since, of(model).get().gone_at) == (None, None)

    def test_a_record_comes_to_its_person_once_that_one_is_known(self):
        mirror.store_employees([BO_EMPLOYEE], asked_at=NOW)
        mirror.store_talents([BO_TALENT], asked_at=NOW)
        mirror.store_applications([BO_APPLICATION], asked_at=NOW)
        assert Employee.objects.get().person.talent_id is None
        mirror.store_employees([BO_EMPLOYEE], asked_at=NOW + SECOND)
        bo = Employee.objects.get().person
        assert (bo.talent_id, bo.employment_id) == ("68001", "69001")


class TestEmploymentId:
    def test_is_kept_when_an_answer_leaves_it_out(self):
        mirror.store_employees([BO_EMPLOYEE], asked_at=NOW)
        answer = {k: v for k, v in BO_EMPLOYEE.items() if k != "external_employment_id"}
        mirror.store_employees([answer | {"conversion_status": 2}], asked_at=NOW + SECOND)
        row = Employee.objects.get()
        assert row.is_converted
        assert row.employment_id == row.payload["external_employment_id"] == "69001"

    def test_is_dropped_when_feishu_says_that_there_is_none(self):
        mirror.store_employees([BO_EMPLOYEE], asked_at=NOW)
        answer = BO_EMPLOYEE | {"external_employment_id": ""}
        mirror.store_employees([answer], asked_at=NOW + SECOND)
        assert Employee.objects.get().employment_id == ""

    def test_belongs_to_one_person_though_two_records_name_it(self):
        """Two talents of one human being: Feishu lets that happen, the portal goes on."""
        twin = BO_EMPLOYEE | {"id": "74002", "application_id": "73002"}
        stored = mirror.store_employees([BO_EMPLOYEE, twin], asked_at=NOW)
        assert stored.stored == 2
        assert Person.objects.filter(employment_id="69001").count() == 1


class TestPerson:
    def store_everything(self) -> None:
        for store, (_, payload) in STORES.items():
            assert store([payload], asked_at=NOW).stored == 1

    def test_joins_all_records_of_one_human_being(self):
        self.store_everything()
        bo = Person.objects.get()
        assert (bo.name, bo.talent_id, bo.employment_id) == ("单博", "68001", "69001")
        for model, _ in STORES.values():
            assert of(model).get().person_id == bo.pk

    def test_is_the_same_after_everything_is_stored_again(self):
        self.store_everything()
        self.store_everything_later()
        assert Person.objects.count() == 1

    def store_everything_later(self) -> None:
        for store, (_, payload) in STORES.items():
            store([payload], asked_at=NOW + SECOND)

    def test_is_found_by_name_pinyin_initials_and_every_id(self):
        self.store_everything()
        text = Person.objects.get().search_text.split("\n")
        for wanted in ("单博", "shanbo", "sb", "68001", "69001", "73001", "74001", "72001"):
            assert wanted in text

    def test_of_two_applications_is_one(self):
        mirror.store_talents([BO_TALENT], asked_at=NOW)
        again = BO_APPLICATION | {"id": "73002"}
        mirror.store_applications([BO_APPLICATION, again], asked_at=NOW)
        assert Person.objects.count() == 1

    def test_is_renamed_with_the_talent(self):
        mirror.store_talents([BO_TALENT], asked_at=NOW)
        renamed = BO_TALENT | {"basic_info": {"name": "单博文"}}
        mirror.store_talents([renamed], asked_at=NOW + SECOND)
        person = Person.objects.get()
        assert person.name == "单博文"
        assert "shanbowen" in person.search_text
        assert "shanbo" not in person.search_text.split("\n")

    def test_known_from_core_hr_first_is_joined_when_hire_names_the_employment(self):
        """The offboarding was read while the employee's record did not name it yet."""
        mirror.store_talents([BO_TALENT], asked_at=NOW)
        mirror.store_applications([BO_APPLICATION], asked_at=NOW)
        unbridged = BO_EMPLOYEE | {"external_employment_id": ""}
        mirror.store_employees([unbridged], asked_at=NOW)
        mirror.store_offboardings([BO_OFFBOARDING], asked_at=NOW)
        assert Offboarding.objects.get().person != Employee.objects.get().person
        mirror.store_employees([BO_EMPLOYEE], asked_at=NOW + SECOND)
        bo = Employee.objects.get().person
        assert Offboarding.objects.get().person == bo
        assert bo.employment_id == "69001"
        assert "72001" in bo.search_text.split("\n")


class TestUnreadableRecord:
    def test_is_put_aside_and_the_others_are_stored(self):
        odd = BO_EMPLOYEE | {"id": "74002", "onboard_status": "1"}
        stored = mirror.store_employees([odd, BO_EMPLOYEE, None], asked_at=NOW)
        assert stored.stored == Employee.objects.count() == 1
        assert stored.unreadable[0] == ("74002", "onboard_status is not a whole number")
        assert UnreadableRecord.objects.count() == 2

    def test_without_an_id_does_not_take_anothers_place(self):
        mirror.store_talents([{"basic_info": {"name": "A"}}, {"basic_info": {}}], asked_at=NOW)
        assert UnreadableRecord.objects.count() == 2

    def test_seen_again_is_still_one_record(self):
        odd = BO_EMPLOYEE | {"onboard_status": None}
        for seconds in range(3):
            mirror.store_employees([odd], asked_at=NOW + seconds * SECOND)
        aside = UnreadableRecord.objects.get()
        assert (aside.first_seen_at, aside.last_seen_at) == (NOW, NOW + 2 * SECOND)

    def test_is_not_forgotten_because_of_an_older_answer(self):
        mirror.store_employees([BO_EMPLOYEE | {"onboard_status": 9}], asked_at=NOW)
        mirror.store_employees([BO_EMPLOYEE], asked_at=NOW - SECOND)
        assert UnreadableRecord.objects.exists()
        mirror.store_employees([BO_EMPLOYEE], asked_at=NOW + SECOND)
        assert not UnreadableRecord.objects.exists()

    @pytest.mark.parametrize(
        "value",
        ["\x00", "\ud800", "x" * 65, {"a": float("nan")}],
        ids=["nul", "half", "long", "nan"],
    )
    def test_may_hold_what_no_column_takes(self, value):
        """Neither database may lose the batch over one record."""
        payload = BO_EMPLOYEE | {"department": value}
        other = BO_EMPLOYEE | {"id": "74002"}
        stored = mirror.store_employees([payload, other], asked_at=NOW)
        assert stored.stored == 1
        aside = UnreadableRecord.objects.get()
        assert aside.feishu_id == "74001"
        assert "74001" in json.dumps(aside.payload)


# -- anything that is JSON ----------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "68001", "2026-01-05", "9999-12-31", "\x00", "\ud800", "1767052800000"])
    | st.sampled_from([1, 2, 7, 1767052800000, 10**15, -1, 253402300800000])
)
NAMES = st.text(max_size=5) | st.sampled_from(
    sorted(
        {
            key
            for _, payload in STORES.values()
            for key in [*payload, *(k for v in payload.values() if isinstance(v, dict) for k in v)]
        }
    )
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)


@st.composite
def almost(draw, payload):
    """A good record with some fields, or fields of fields, replaced by anything."""
    odd = json.loads(json.dumps(payload))
    for name in draw(st.lists(st.sampled_from(sorted(odd)), max_size=3)):
        if isinstance(odd[name], dict) and odd[name] and draw(st.booleans()):
            odd[name][draw(st.sampled_from(sorted(odd[name])))] = draw(ANY_JSON)
        else:
            odd[name] = draw(ANY_JSON)
    return odd


@pytest.mark.thorough
class TestAnyAnswer:
    """Hypothesis sends records of any shape; nothing is raised and nothing is lost."""

    @EACH_STORE
    @settings(
        max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")),
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(data=st.data())
    def test_is_stored_or_put_aside(self, store, data, db):
        model, payload = STORES[store]
        records = data.draw(st.lists(almost(payload) | ANY_JSON, max_size=5))
        of(model).all().delete()
        UnreadableRecord.objects.all().delete()
        stored = store(records, asked_at=NOW)
        names = set(of(model).values_list("feishu_id", flat=True))
        aside = set(UnreadableRecord.objects.values_list("feishu_id", flat=True))
        assert stored.stored == len(names)
        assert {name for name, _ in stored.unreadable} >= aside
        for record in records:
            known = name_of(record, mirror.ID_FIELDS[model])
            talent = record.get("talent_id") if isinstance(record, dict) else None
            assert known in names | aside or talent in names

    @EACH_STORE
    def test_leaves_a_good_neighbour_stored(self, store):
        model, payload = STORES[store]
        stored = store([[], "x", 3, None, {}, payload], asked_at=NOW)
        assert stored.stored == of(model).count() == 1
        assert len(stored.unreadable) == 5


# SQLite takes 999 values in one statement, so a long batch is written in a few of them.
MORE_STATEMENTS = 2


class TestQueries:
    @EACH_STORE
    def test_hardly_grow_with_the_batch(self, store):
        assert self.queries(store, 100) <= self.queries(store, 10) + MORE_STATEMENTS

    @EACH_STORE
    def test_hardly_grow_when_all_are_known(self, store):
        self.queries(store, 100)
        few = self.queries(store, 10, first=0)
        assert self.queries(store, 100, first=0) <= few + MORE_STATEMENTS

    def queries(self, store, count: int, *, first: int | None = None) -> int:
        start = count * 1000 if first is None else first
        _, payload = STORES[store]
        batch = [renumbered(payload, start + n) for n in range(count)]
        self.asked_at = getattr(self, "asked_at", NOW) + SECOND
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert store(batch, asked_at=self.asked_at).stored == count
        return len(captured)


def renumbered(payload, number: int):
    """The same record of somebody else."""
    text = json.dumps(payload)
    for prefix in ("68", "69", "72", "73", "74", "75"):
        text = text.replace(f'"{prefix}001"', f'"{prefix}{number:08d}"')
    return json.loads(text)
