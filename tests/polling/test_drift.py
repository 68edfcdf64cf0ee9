"""Contradictions are found for everybody, close by themselves, and stay dismissed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from lifecycle import rules
from lifecycle.action_log import data_in
from lifecycle.models import (
    ActionEntry,
    Application,
    DriftCase,
    Employee,
    Employment,
    Person,
    PreHire,
)
from lifecycle.rules import Drift, EmployeeState, EmploymentState, PersonState
from lifecycle.services import drift
from tests.builders import a_sync, an_employee

pytestmark = pytest.mark.django_db

ACTIVE = EmployeeState("onboarded", "not_converted", "70")
LEFT = EmployeeState("left", "not_converted", "70")
HIRED = EmploymentState("68", "hired")
GONE = EmploymentState("68", "terminated")


class TestRule:
    @pytest.mark.parametrize(
        ("state", "found"),
        [
            (PersonState(), set()),
            (PersonState(employees=(ACTIVE,), employments=(HIRED,)), set()),
            (PersonState(employees=(LEFT,), employments=(HIRED,)), {Drift.LEFT_AND_ACTIVE}),
            (PersonState(employees=(ACTIVE,), employments=(GONE,)), {Drift.LEFT_AND_ACTIVE}),
            (PersonState(employees=(LEFT, ACTIVE), employments=(HIRED,)), set()),
            (
                PersonState(employments=(HIRED,), offboardings=(("68", "Offboarded"),)),
                {Drift.LEFT_AND_ACTIVE},
            ),
            (PersonState(employments=(HIRED,), offboardings=(("69", "Offboarded"),)), set()),
            (
                PersonState(
                    employees=(EmployeeState("onboarded", "converted"),),
                    employments=(EmploymentState("68", "hired", on_probation=True),),
                ),
                {Drift.CONVERTED_ON_PROBATION},
            ),
            (
                PersonState(
                    employees=(EmployeeState("onboarded", "converted"),), employments=(HIRED,)
                ),
                set(),
            ),
            (PersonState(started=True), {Drift.COMPLETED_NOT_EMPLOYED}),
            (PersonState(started=True, employees=(ACTIVE,)), set()),
            (PersonState(onboarded=("71",), employees=(ACTIVE,)), {Drift.ONBOARDED_NO_EMPLOYEE}),
            (PersonState(onboarded=("70",), employees=(ACTIVE,)), set()),
        ],
    )
    def test_of_a_person(self, state, found):
        assert set(rules.drifts(state)) == found


def record(model, person: Person, feishu_id: str, **columns):
    return model.objects.create(
        person=person, feishu_id=feishu_id, asked_at=timezone.now(), **columns
    )


@pytest.fixture
def synced(db):
    for kind in drift.NEEDED:
        a_sync(kind=kind)


@pytest.fixture
def lei(synced):
    """Left in Hire, working in CoreHR."""
    employee = an_employee("李雷", onboard_status="left", leader="ou_li")
    record(Employment, employee.person, "68", status="hired")
    return employee


def look() -> int:
    return drift.tend(timezone.now())


class TestCases:
    def test_are_opened_once(self, lei):
        assert look() == look() == 1
        case = DriftCase.objects.get()
        assert (case.person, case.rule, case.state) == (lei.person, "left-and-active", "open")

    def test_wait_for_everything_to_be_read(self, db):
        employee = an_employee("李雷", onboard_status="left")
        record(Employment, employee.person, "68", status="hired")
        assert look() == 0

    def test_close_by_themselves(self, lei):
        look()
        Employee.objects.update(onboard_status="onboarded")
        assert look() == 0
        assert DriftCase.objects.get().state == "resolved"
        Employee.objects.update(onboard_status="left")
        assert look() == 1

    def test_stay_dismissed_until_the_records_say_something_else(self, lei, mei):
        look()
        case = DriftCase.objects.get()
        drift.dismiss(case, reason="返聘", acting_user=mei, at=timezone.now())
        assert look() == 0
        Employee.objects.update(onboard_status="onboarded")
        Employment.objects.update(status="terminated")
        assert look() == 1

    def test_of_a_pre_hire_that_never_started(self, synced):
        person = Person.objects.create(name="韩梅梅")
        day = timezone.localdate() - timedelta(days=5)
        record(PreHire, person, "73", onboarding_status="completed", onboards_on=day)
        assert look() == 1

    def test_of_an_application_without_an_employee(self, synced):
        person = Person.objects.create(name="韩梅梅")
        record(Application, person, "70", stage_type="onboarded")
        assert look() == 1

    def test_cost_the_same_for_many_people(self, lei, django_assert_max_num_queries):
        for number in range(50):
            employee = an_employee(f"员工{number}", onboard_status="left")
            record(Employment, employee.person, f"69{number}", status="hired")
        with django_assert_max_num_queries(16):
            assert look() == 51


class TestPage:
    @pytest.fixture
    def case(self, lei):
        look()
        return DriftCase.objects.get()

    def test_says_what_to_do(self, as_user, mei, case):
        text = as_user(mei).get(reverse("drift")).text
        assert "Left, according to the employee in Feishu Hire" in text
        assert "correct the side that is wrong" in text

    def test_is_taken_by_one_of_hr(self, as_user, mei, case):
        as_user(mei).post(reverse("take-drift", args=[case.pk]))
        case.refresh_from_db()
        assert case.owner == mei
        assert ActionEntry.objects.get(event="drift.taken").person_ref == case.person_id

    def test_says_whom_it_was_taken_from_and_nothing_of_who_has_it_already(
        self, as_user, mei, hua, case
    ):
        for user in (mei, hua, hua):
            as_user(user).post(reverse("take-drift", args=[case.pk]))
        taken = ActionEntry.objects.filter(event="drift.taken").order_by("seq")
        assert [(one.actor_id, data_in(one.body).get("was")) for one in taken] == [
            (mei.pk, None),
            (hua.pk, mei.pk),
        ]

    def test_who_came_too_late_is_in_the_log(self, as_user, mei, hua, case):
        drift.dismiss(case, reason="返聘", acting_user=mei, at=timezone.now())
        client = as_user(hua)
        client.post(reverse("take-drift", args=[case.pk]))
        client.post(reverse("dismiss-drift", args=[case.pk]), {"reason": " "})
        (entry,) = ActionEntry.objects.filter(event="user.refused")
        assert (entry.actor_id, entry.person_ref) == (hua.pk, case.person_id)
        assert data_in(entry.body)["problem"] == "change.step-not-allowed"

    def test_is_dismissed_with_a_reason_only(self, as_user, mei, case):
        address = reverse("dismiss-drift", args=[case.pk])
        as_user(mei).post(address, {"reason": " \x00"})
        case.refresh_from_db()
        assert case.is_open
        as_user(mei).post(address, {"reason": "返聘"})
        case.refresh_from_db()
        assert (case.state, case.reason, case.closed_by) == ("dismissed", "返聘", mei)
        assert as_user(mei).post(address, {"reason": "再次"}).status_code == 303
        assert "返聘" in as_user(mei).get(f"{reverse('drift')}?state=dismissed").text

    def test_is_for_hr_and_auditors(self, as_user, mei, ana, li, case):
        assert "李雷" in as_user(ana).get(reverse("drift")).text
        assert as_user(ana).post(reverse("take-drift", args=[case.pk])).status_code == 403
        assert as_user(li).get(reverse("drift")).status_code == 403

    def test_reaches_as_far_as_the_user(self, as_user, mei, case):
        mei.department_ids = ["od-elsewhere"]
        mei.save()
        assert "李雷" not in as_user(mei).get(reverse("drift")).text
        assert as_user(mei).post(reverse("take-drift", args=[case.pk])).status_code == 404
