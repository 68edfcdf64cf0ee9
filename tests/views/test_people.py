"""One page per person: every record, the steps that fit, what has happened, and who sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lifecycle.models import Employee
from tests.builders import a_change, a_department, a_person, an_employee
from tests.records import a_pre_hire, a_talent, an_application, an_employment, an_offboarding

pytestmark = pytest.mark.django_db


@pytest.fixture
def bo() -> Employee:
    return an_employee("柏小林", leader="ou_li", open_id="ou_bo")


def see(client, person):
    return client.get(reverse("person", args=[person.pk]))


def everything_about(person) -> None:
    a_talent(person, phone="13812341234", email="lin.wei@example.com")
    an_application(person)
    a_pre_hire(person)
    an_employment(person)
    an_offboarding(person)


class TestCards:
    def test_there_is_one_for_each_record(self, as_user, mei, bo):
        everything_about(bo.person)
        an_application(bo.person)
        page = see(as_user(mei), bo.person)
        titles = [str(item.card.title) for item in page.context["cards"]]
        assert titles == [
            "Employee",
            "Employment",
            "Offboarding",
            "Pre-hire",
            "Application",
            "Application",
            "Talent",
        ]
        assert page.text.count("Read 20") == 7

    def test_phone_and_email_are_masked(self, as_user, mei, bo):
        everything_about(bo.person)
        text = see(as_user(mei), bo.person).text
        assert "138****1234" in text
        assert "l***@example.com" in text
        assert "13812341234" not in text
        assert "lin.wei" not in text

    def test_a_step_that_fits_is_offered(self, as_user, mei, bo):
        text = see(as_user(mei), bo.person).text
        assert reverse("convert-employee", args=[bo.pk]) in text
        assert reverse("undo-conversion", args=[bo.pk]) not in text

    def test_a_step_hire_refuses_is_closed_and_says_where_instead(self, as_user, mei):
        employee = an_employee("任在人事", employment_id="7200000000000000001")
        text = see(as_user(mei), employee.person).text
        assert f'href="{reverse("convert-employee", args=[employee.pk])}"' not in text
        assert "disabled" in text
        assert "it has to be done in Feishu CoreHR" in text

    def test_nothing_is_offered_while_a_change_is_under_way(self, as_user, mei, bo):
        change = a_change(bo, by=mei)
        text = see(as_user(mei), bo.person).text
        assert reverse("convert-employee", args=[bo.pk]) not in text
        assert "Follow this change" in text
        assert reverse("change", args=[change.pk]) in text

    def test_says_when_feishu_has_nothing_any_more(self, as_user, mei):
        text = see(as_user(mei), a_person("无记录")).text
        assert "keeps no record of this person any more" in text

    def test_names_are_escaped(self, as_user, mei):
        employee = an_employee("<script>alert(1)</script>")
        assert "<script>alert" not in see(as_user(mei), employee.person).text


class TestContradictions:
    def test_left_here_and_working_there_is_said(self, as_user, mei):
        employee = an_employee("柏小林", onboard_status="left")
        an_employment(employee.person)
        text = see(as_user(mei), employee.person).text
        assert "contradict each other" in text
        assert "Left, according to the employee in Feishu Hire" in text

    def test_an_offboarding_that_is_done_contradicts_its_employment(self, as_user, mei):
        person = a_person()
        employment = an_employment(person)
        an_offboarding(person, status="Offboarded", employment_id=employment.feishu_id)
        assert "contradict each other" in see(as_user(mei), person).text

    def test_coming_back_is_none(self, as_user, mei):
        employee = an_employee("柏小林", onboard_status="left")
        Employee.objects.create(
            feishu_id="7199", person=employee.person, onboard_status="onboarded",
            asked_at=timezone.now(),
        )  # fmt: skip
        old = an_employment(employee.person, status="terminated")
        an_employment(employee.person)
        an_offboarding(employee.person, status="Offboarded", employment_id=old.feishu_id)
        assert "contradict each other" not in see(as_user(mei), employee.person).text


class TestTimeline:
    def test_tells_what_was_done_here_and_seen_in_feishu(self, as_user, mei, bo):
        change = a_change(bo, by=mei, status="succeeded")
        entered = int((timezone.now() - timedelta(days=2)).timestamp() * 1000)
        an_application(
            bo.person,
            payload={
                "stage": {"id": "6793", "zh_name": "待入职"},
                "stage_time_list": [{"stage_id": "6793", "enter_time": str(entered)}],
                "create_time": "1767000000000",
            },
        )
        an_offboarding(
            bo.person,
            payload={"application_info": {"apply_initiating_time": "2026-01-05 10:00:00"}},
        )
        timeline = see(as_user(mei), bo.person).context["shown"].timeline
        told = [str(h.title) or h.change.kind for h in timeline]
        assert timeline[0].change == change
        assert "Reached the stage “待入职”" in told
        assert "Application received" in told
        assert "Offboarding started" in told
        assert "Onboarded" in told
        assert [h.at for h in timeline] == sorted((h.at for h in timeline), reverse=True)

    def test_days_ahead_have_not_happened(self, as_user, mei):
        employee = an_employee("柏", onboarded_on=timezone.localdate() + timedelta(days=3))
        assert see(as_user(mei), employee.person).context["shown"].timeline == []

    @pytest.mark.parametrize(
        "payload",
        [
            {"stage_time_list": [None, 3, {"stage_id": None}], "create_time": "soon"},
            {"create_time": "9" * 30, "stage": None},
            {"create_time": [1]},
        ],
    )
    def test_odd_payloads_are_no_error(self, as_user, mei, bo, payload):
        an_application(bo.person, payload=payload)
        odd = {"application_info": {"apply_initiating_time": 5}, "offboarding_info": None}
        an_offboarding(bo.person, payload=odd)
        assert see(as_user(mei), bo.person).status_code == 200


class TestScope:
    def test_a_manager_sees_reports_only_and_no_steps(self, as_user, li, bo):
        stranger = an_employee("石小林", leader="ou_other")
        client = as_user(li)
        page = see(client, bo.person)
        assert page.status_code == 200
        assert reverse("convert-employee", args=[bo.pk]) not in page.text
        assert see(client, stranger.person).status_code == 404

    def test_hr_of_a_department_sees_its_own_and_no_record_from_elsewhere(self, as_user, mei):
        inside, outside = a_department("研发中心"), a_department("销售中心")
        employee = an_employee("柏小林", department=outside)
        client = as_user(mei)
        mei.department_ids = [inside.feishu_id]
        mei.save()
        assert see(client, employee.person).status_code == 404
        a_pre_hire(employee.person, department=inside)
        page = see(client, employee.person)
        assert [str(item.card.title) for item in page.context["cards"]] == ["Pre-hire"]
        assert employee.feishu_id not in page.text

    def test_an_auditor_sees_all_and_can_do_nothing(self, as_user, ana, bo):
        page = see(as_user(ana), bo.person)
        assert page.status_code == 200
        assert "<form" not in page.text.split("<main")[1].split("</main>")[0]
        assert reverse("convert-employee", args=[bo.pk]) not in page.text

    def test_an_administrator_sees_nobody(self, as_user, zhou, bo):
        assert see(as_user(zhou), bo.person).status_code == 404

    def test_no_such_person_is_not_found(self, as_user, mei):
        for pk in (424242, 10**30):
            assert as_user(mei).get(f"/people/{pk}/").status_code == 404


def test_the_old_address_of_an_employee_leads_here(as_user, mei, li, bo):
    answer = as_user(mei).get(reverse("employee", args=[bo.pk]))
    assert (answer.status_code, answer["Location"]) == (
        302,
        reverse("person", args=[bo.person_id]),
    )
    stranger = an_employee("石小林", leader="ou_other")
    assert as_user(li).get(reverse("employee", args=[stranger.pk])).status_code == 404


def test_asks_as_many_questions_for_many_records_as_for_one_of_each(as_user, mei, bo):
    client, counts = as_user(mei), []
    for _ in range(2):
        for _ in range(3):
            everything_about(bo.person)
            a_change(bo, by=mei, status="succeeded")
        department = a_department()
        an_employee("别人", department=department)
        with CaptureQueriesContext(connection) as captured:
            assert see(client, bo.person).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 20
