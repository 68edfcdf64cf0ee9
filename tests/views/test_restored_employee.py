"""What still opens once an employee is back at pre-hire and the record is gone."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from lifecycle.models import Application

pytestmark = pytest.mark.django_db


class TestRestoredEmployee:
    def test_breaks_neither_the_change_nor_the_person_nor_the_log(
        self, asking, bo, worker, as_user, mei
    ):
        change = worker(asking.ask(bo, "restore_to_pre_hire"))
        client = as_user(mei)
        page = client.get(reverse("change", args=[change.pk]))
        assert page.status_code == 200
        assert "Restore to pre-hire" in page.content.decode()
        # The way back: onboard the application again.
        assert f"?undo={change.pk}" in page.content.decode()
        assert client.get(reverse("person", args=[bo.person_id])).status_code == 200
        log = client.get(reverse("log"), {"change": change.pk})
        assert log.status_code == 200
        assert "undo the onboarding of" in log.content.decode()

    def test_offers_its_verb_no_more(self, asking, bo, worker, as_user, mei):
        worker(asking.ask(bo, "restore_to_pre_hire"))
        address = reverse("restore-to-pre-hire", args=[bo.pk])
        assert as_user(mei).get(address).status_code == 404


class TestOnboardingForm:
    def test_is_answered_by_a_plan_with_names(self, mirror, as_user, mei):
        (record, *_) = mirror.records("applications", stage_type=6, active_status=1, lock_status=1)
        application = Application.objects.get(feishu_id=record["id"])
        client, address = as_user(mei), reverse("onboard-application", args=[application.pk])
        assert client.get(address).status_code == 200
        posted = {"step": "plan", "onboarded_on": timezone.localdate().isoformat()}
        plan = client.post(address, posted)
        assert plan.status_code == 200
        assert "Employee record" in plan.content.decode()

    def test_refuses_bad_input_beside_the_field(self, mirror, as_user, mei):
        (record, *_) = mirror.records("applications", stage_type=6, active_status=1, lock_status=1)
        application = Application.objects.get(feishu_id=record["id"])
        address = reverse("onboard-application", args=[application.pk])
        bad = {"step": "plan", "onboarded_on": "9999-12-31", "leader": "<script>alert(1)</script>"}
        answer = as_user(mei).post(address, bad)
        assert answer.status_code == 422
        assert "<script>alert(1)" not in answer.content.decode()
        assert "1950" in answer.content.decode()
