"""Who sees whom: the same answer in a list, a search, a figure and a guessed address."""

from __future__ import annotations

import pytest
from django.urls import reverse

from lifecycle import action_log, policies
from lifecycle.errors.problems import NotFound
from lifecycle.models import (
    Application,
    Employee,
    Employment,
    Offboarding,
    PreHire,
    Role,
    Talent,
    User,
)
from tests.builders import a_change, a_department, a_person, an_employee
from tests.records import a_pre_hire, a_talent, an_application, an_employment, an_offboarding

pytestmark = pytest.mark.django_db


@pytest.fixture
def bo() -> Employee:
    """Bo reports to Li."""
    return an_employee("柏小林", leader="ou_li", open_id="ou_bo", search="baixiaolin bxl")


@pytest.fixture
def stranger() -> Employee:
    """Somebody in another line."""
    return an_employee("石小林", leader="ou_other", search="shixiaolin sxl")


class TestManager:
    def test_sees_reports_and_the_reports_of_reports_only(self, li, bo, stranger):
        further = an_employee("甄远", leader="ou_below")
        assert set(policies.visible_employees(li)) == {bo, further}

    def test_never_sees_himself_as_subject(self, li):
        an_employee("李经理", leader="ou_li", open_id="ou_li")
        assert not policies.visible_employees(li).exists()

    def test_without_a_feishu_account_sees_nobody(self, bo):
        nobody = User.objects.create_user("nn", role=Role.MANAGER)
        assert not policies.visible_employees(nobody).exists()

    def test_search_and_figures_stay_within_the_line(self, as_user, li, bo, stranger):
        page = as_user(li).get(reverse("employees"), {"q": "xiaolin"})
        assert "柏小林" in page.text
        assert "石小林" not in page.text
        assert page.context["counts"]["probation"] == 1

    @pytest.mark.parametrize("name", ["employee", "convert-employee", "undo-conversion"])
    def test_a_guessed_employee_does_not_exist(self, as_user, li, stranger, name):
        assert as_user(li).get(reverse(name, args=[stranger.pk])).status_code == 404

    def test_a_guessed_change_does_not_exist(self, as_user, li, mei, stranger):
        change = a_change(stranger, by=mei)
        for name in ("change", "change-live"):
            assert as_user(li).get(reverse(name, args=[change.pk])).status_code == 404
        for name in ("cancel-change", "decide-change"):
            assert as_user(li).post(reverse(name, args=[change.pk])).status_code == 404

    def test_guessed_rows_are_left_out(self, as_user, li, bo, stranger):
        page = as_user(li).get(
            reverse("employee-rows"), {"ids": [bo.pk, stranger.pk, "x", "9" * 30]}
        )
        assert f'id="employee-{bo.pk}"' in page.text
        assert f'id="employee-{stranger.pk}"' not in page.text

    def test_sees_but_cannot_ask(self, as_user, li, bo):
        client = as_user(li)
        address = reverse("convert-employee", args=[bo.pk])
        assert address not in client.get(reverse("employees")).text
        assert address not in client.get(reverse("employee", args=[bo.pk])).text
        assert client.get(address).status_code == 403
        assert client.post(address, {"step": "confirm"}).status_code == 403

    def test_reads_the_log_of_reports_only(self, as_user, li, mei, bo, stranger):
        mine = action_log.record(
            "change.cancelled", actor=mei, person=bo.person, data={"kind": "convert_employee"}
        )
        other = action_log.record(
            "change.cancelled", actor=mei, person=stranger.person, data={"kind": "convert_employee"}
        )
        client = as_user(li)
        assert list(policies.visible_entries(li)) == [mine]
        assert client.get(reverse("log-entry", args=[other.seq])).status_code == 404
        assert client.get(reverse("log-entry", args=[mine.seq])).status_code == 200


class TestHumanResources:
    def test_without_departments_sees_the_whole_company(self, mei, bo, stranger):
        assert set(policies.visible_employees(mei)) == {bo, stranger}

    def test_with_departments_sees_them_and_all_below(self, mei):
        top = a_department("研发中心")
        below = a_department("平台部", below=top)
        beside = a_department("销售中心")
        inside = an_employee("内", department=below)
        outside = an_employee("外", department=beside)
        mei.department_ids = [top.feishu_id]
        assert list(policies.visible_employees(mei)) == [inside]
        assert policies.can_request(mei, "convert_employee", inside)
        assert not policies.can_request(mei, "convert_employee", outside)
        assert set(policies.visible_departments(mei)) == {top, below}

    def test_a_department_is_not_found_by_the_start_of_its_id(self, mei):
        short, long = a_department("甲"), a_department("乙")
        long.path = f"{short.path.rstrip('/')}9/"
        long.save()
        outside = an_employee("外", department=long)
        mei.department_ids = [short.feishu_id]
        assert outside not in policies.visible_employees(mei)

    def test_cannot_ask_for_oneself(self, as_user, mei):
        mei.open_id = "ou_mei"
        mei.save()
        herself = an_employee("梅", open_id="ou_mei")
        client = as_user(mei)
        assert client.get(reverse("convert-employee", args=[herself.pk])).status_code == 403
        assert (
            reverse("convert-employee", args=[herself.pk])
            not in client.get(reverse("employees")).text
        )

    def test_cannot_decide_what_one_asked_for(self, as_user, mei, hua, bo):
        change = a_change(bo, by=mei, status="needs_attention", next_run_at=None)
        address = reverse("decide-change", args=[change.pk])
        assert address not in as_user(mei).get(reverse("change", args=[change.pk])).text
        assert address in as_user(hua).get(reverse("change", args=[change.pk])).text
        answer = as_user(mei).post(address, {"verdict": "applied", "reason": "seen"})
        assert answer.status_code == 422
        change.refresh_from_db()
        assert change.needs_attention


class TestAuditor:
    def test_sees_all_and_can_do_nothing(self, as_user, ana, mei, bo):
        change = a_change(bo, by=mei, status="approved")
        client = as_user(ana)
        page = client.get(reverse("change", args=[change.pk]))
        assert "<form" not in page.text.split("<main")[1].split("</main>")[0]
        assert client.post(reverse("cancel-change", args=[change.pk])).status_code == 403
        assert client.post(reverse("start-sync")).status_code == 403
        assert (
            reverse("convert-employee", args=[bo.pk]) not in client.get(reverse("employees")).text
        )


class TestAdministrator:
    def test_sees_no_people(self, as_user, zhou, mei, bo):
        client = as_user(zhou)
        change = a_change(bo, by=mei)
        assert "柏小林" not in client.get(reverse("employees"), {"status": "all"}).text
        assert client.get(reverse("employee", args=[bo.pk])).status_code == 404
        assert client.get(reverse("change", args=[change.pk])).status_code == 404

    def test_reads_account_events_only(self, zhou, mei, bo):
        account = action_log.record("user.signed_in", actor=mei)
        action_log.record(
            "change.cancelled", actor=mei, person=bo.person, data={"kind": "convert_employee"}
        )
        assert list(policies.visible_entries(zhou)) == [account]


class TestNobody:
    def test_a_user_without_a_role_sees_nothing(self, as_user, bo):
        user = User.objects.create_user("new")
        assert not policies.visible_employees(user).exists()
        assert as_user(user).get(reverse("home")).status_code == 403

    def test_a_deactivated_user_sees_nothing(self, mei, bo):
        mei.is_active = False
        assert not policies.visible_employees(mei).exists()

    def test_somebody_gone_from_feishu_leaves_the_list_and_keeps_the_history(self, mei, bo):
        change = a_change(bo, by=mei)
        Employee.everyone.filter(pk=bo.pk).update(gone_at=bo.asked_at)
        mei.department_ids = []
        assert not policies.visible_employees(mei).exists()
        assert change in policies.visible_changes(mei)


RECORDS = (Talent, Application, Employee, PreHire, Employment, Offboarding)


def records_of(employee: Employee) -> dict[type, object]:
    """One record of each kind, all of one person."""
    person = employee.person
    return {
        Talent: a_talent(person),
        Application: an_application(person),
        Employee: employee,
        PreHire: a_pre_hire(person),
        Employment: an_employment(person),
        Offboarding: an_offboarding(person),
    }


@pytest.mark.parametrize("model", RECORDS)
class TestRecords:
    """Every kind of record is seen by whoever sees the person, and by nobody else."""

    def test_a_manager_sees_those_of_reports(self, li, bo, stranger, model):
        mine, other = records_of(bo), records_of(stranger)
        assert list(policies.visible(li, model)) == [mine[model]]
        assert policies.record_for(li, model, mine[model].pk) == mine[model]
        with pytest.raises(NotFound):
            policies.record_for(li, model, other[model].pk)

    def test_hr_and_the_auditor_see_all(self, mei, ana, bo, model):
        record = records_of(bo)[model]
        for user in (mei, ana):
            assert list(policies.visible(user, model)) == [record]

    def test_hr_of_a_department_sees_those_of_its_employees(self, mei, bo, stranger, model):
        inside = a_department("研发中心")
        Employee.objects.filter(pk=bo.pk).update(department_id=inside.feishu_id)
        mine = records_of(bo)
        records_of(stranger)
        mei.department_ids = [inside.feishu_id]
        assert list(policies.visible(mei, model)) == [mine[model]]

    def test_the_administrator_and_nobody_see_none(self, zhou, bo, model):
        record = records_of(bo)[model]
        for user in (zhou, User.objects.create_user("new")):
            assert not policies.visible(user, model).exists()
            with pytest.raises(NotFound):
                policies.record_for(user, model, record.pk)


class TestHumanResourcesOfADepartment:
    """They also reach whom no employee record names: who starts there, who works there."""

    @pytest.mark.parametrize("known_from", [a_pre_hire, an_employment])
    def test_reaches_people_by_where_they_start_or_work(self, mei, known_from):
        top, beside = a_department("研发中心"), a_department("销售中心")
        below = a_department("平台部", below=top)
        inside, outside = a_person("内"), a_person("外")
        known_from(inside, department=below)
        known_from(outside, department=beside)
        talent = a_talent(inside)
        a_talent(outside)
        mei.department_ids = [top.feishu_id]
        assert list(policies.visible_people(mei)) == [inside]
        assert list(policies.visible_talents(mei)) == [talent]
        assert policies.person_for(mei, inside.pk) == inside
        with pytest.raises(NotFound):
            policies.person_for(mei, outside.pk)

    def test_a_manager_is_no_hr(self, li):
        department = a_department("研发中心")
        li.department_ids = [department.feishu_id]
        a_pre_hire("外", department=department)
        assert not policies.visible_people(li).exists()

    def test_an_employee_record_elsewhere_stays_unseen(self, mei, bo):
        inside, beside = a_department("研发中心"), a_department("销售中心")
        Employee.objects.filter(pk=bo.pk).update(department_id=beside.feishu_id)
        a_pre_hire(bo.person, department=inside)
        mei.department_ids = [inside.feishu_id]
        assert list(policies.visible_people(mei)) == [bo.person]
        assert not policies.visible_employees(mei).exists()
