"""How the copy stands: on the page, on every page that shows it, and for Prometheus."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lifecycle import queries
from lifecycle.models import SyncRun
from lifecycle.services import polling, sync
from tests.builders import an_employee
from tests.polling.test_polling import a_run

pytestmark = pytest.mark.django_db


class TestMetrics:
    def get(self, token: str = ""):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Client().get(reverse("metrics"), headers=headers)

    def test_are_off_by_default(self, db):
        assert self.get("anything").status_code == 404

    @pytest.mark.parametrize("token", ["", "wrong", "é"])
    def test_need_their_token(self, settings, token):
        settings.METRICS_TOKEN = "s3cret"
        assert self.get(token).status_code == 401

    def test_tell_each_kind(self, settings, hua):
        settings.METRICS_TOKEN = "s3cret"
        a_run("talents", ago=timedelta(minutes=1))
        polling.pause("contacts", is_paused=True, acting_user=hua, at=timezone.now())
        lines = self.get("s3cret").text.splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        assert 59 < float(values['hrportal_sync_age_seconds{kind="talents"}']) < 90
        assert values['hrportal_sync_paused{kind="contacts"}'] == "1"
        assert 'hrportal_sync_next_seconds{kind="contacts"}' not in values
        assert values["hrportal_sync_cases_open"] == "0"
        for kind in sync.KINDS:
            assert f'hrportal_mirror_rows{{kind="{kind}"}}' in values


class TestStaleness:
    def test_is_that_of_the_kind_that_waited_longest(self, django_assert_num_queries):
        a_run("employees", ago=timedelta(minutes=1))
        a_run("pre_hires", ago=timedelta(hours=3))
        at = timezone.now()
        with django_assert_num_queries(2):
            assert queries.oldest_mirror_state(["employees", "pre_hires"], at=at).is_stale
        assert not queries.oldest_mirror_state(["employees"], at=at).is_stale
        never = queries.oldest_mirror_state(["employees", "talents"], at=at)
        assert never.last_success_at is None

    def test_stands_on_the_page_of_a_person(self, as_user, mei):
        employee = an_employee("李雷")
        a_run("employees", ago=timedelta(hours=3))
        address = reverse("person", args=[employee.person_id])
        assert "may be out of date" in as_user(mei).get(address).text
        a_run("employees", ago=timedelta(0))
        assert "may be out of date" not in as_user(mei).get(address).text


class TestMissingPermission:
    def test_is_named_with_its_link_and_stops_nothing_else(self, sandbox, as_user, mei):
        link = "https://open.feishu.cn/app/cli_sandbox/auth"
        refusal = {
            "code": 99991672,
            "msg": "Access denied.",
            "error": {
                "permission_violations": [
                    {"type": "action_scope_required", "subject": "corehr:pre_hire:read"}
                ],
                "helps": [{"url": link}],
            },
        }
        sandbox.fault(
            "garbage",
            endpoint="P3",
            body=json.dumps(refusal),
            content_type="application/json",
            times=None,
        )
        polling.poll(polling.OFTEN, at=timezone.now())
        states = dict(SyncRun.objects.values_list("kind", "state"))
        assert states == {"pre_hires": "failed", "offboardings": "done"}
        text = as_user(mei).get(reverse("sync")).text
        assert "corehr:pre_hire:read" in text
        assert f'href="{link}"' in text
        assert "lacks a permission" in text
