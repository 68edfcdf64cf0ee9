"""The other pages: the log, the sync, the codes, health, theme and language."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from lifecycle import action_log
from lifecycle.errors import feishu_codes
from lifecycle.views.action_log import EVENT_ICONS, EVENT_LABELS
from tests.builders import a_change, a_sync, an_attempt, an_employee
from tests.views.conftest import HTMX

pytestmark = pytest.mark.django_db


def entry_for(employee, by, event="change.cancelled", **data):
    change = a_change(employee, by=by, status="cancelled")
    return action_log.record(
        event, actor=by, change=change, data={"kind": "convert_employee"} | data
    )


class TestLog:
    def test_every_event_has_a_label_and_an_icon(self):
        assert set(EVENT_LABELS) == set(EVENT_ICONS) == set(action_log.EVENTS)

    def test_one_sentence_each_newest_first(self, as_user, ana, mei):
        first = entry_for(an_employee("柏小林"), mei)
        second = action_log.record("user.signed_in", actor=ana)
        page = as_user(ana).get(reverse("log"))
        listed = [line.entry.seq for line in page.context["lines"]]
        assert listed[-2:] == [second.seq, first.seq]
        assert "柏小林" in page.text

    def test_filters(self, as_user, ana, mei):
        bo = entry_for(an_employee("柏小林", search="baixiaolin"), mei)
        an_attempt(a_change(an_employee("甲"), by=mei), log_id="LOG-OTHER")
        an_attempt(bo_change := a_change(an_employee("乙"), by=mei), log_id="LOG-1")
        sent = action_log.record(
            "change.sending",
            actor=None,
            change=bo_change,
            data={"kind": "convert_employee", "number": 1},
        )
        client = as_user(ana)

        def seqs(**params: str) -> list[int]:
            return [line.entry.seq for line in client.get(reverse("log"), params).context["lines"]]

        assert seqs(q="baixiaolin") == [bo.seq]
        assert seqs(event="change.sending") == [sent.seq]
        assert seqs(log_id="LOG-1") == [sent.seq]
        assert seqs(change=str(bo.change_id)) == [bo.seq]
        assert seqs(since="2099-01-01") == []
        assert set(seqs(since="garbage", until="2026-99-99", event="no", change="x")) >= {
            bo.seq,
            sent.seq,
        }

    def test_an_entry_shows_its_hashes_its_attempt_and_its_neighbours(self, as_user, ana, mei):
        change = a_change(an_employee("柏小林"), by=mei)
        attempt = an_attempt(change, log_id="LOG-1", number=1)
        answer = attempt.answer() | {"number": 1, "via": "answer"}
        entries = [
            action_log.record(
                event,
                actor=mei,
                change=change,
                data={"kind": "convert_employee"} | data,
                private=private,
            )
            for event, data, private in (
                ("change.requested", {}, {"reason": "as agreed"}),
                ("change.sending", {"number": 1}, None),
                ("change.succeeded", answer, None),
            )
        ]
        client = as_user(ana)
        middle = client.get(reverse("log-entry", args=[entries[1].seq])).text
        assert entries[1].hash in middle
        assert entries[0].hash in middle
        assert attempt.log_id in middle
        for neighbour in (entries[0], entries[2]):
            assert reverse("log-entry", args=[neighbour.seq]) in middle
        assert "as agreed" in client.get(reverse("log-entry", args=[entries[0].seq])).text

    def test_an_entry_that_does_not_exist(self, as_user, ana):
        assert as_user(ana).get(reverse("log-entry", args=[999999])).status_code == 404


class TestSync:
    def test_shows_each_part_and_starts_a_pass(self, as_user, mei):
        a_sync()
        client = as_user(mei)
        assert "Up to date" in client.get(reverse("sync")).text
        assert client.post(reverse("start-sync")).status_code == 303
        assert "The sync starts within a few seconds" in client.get(reverse("sync")).text

    def test_htmx_gets_the_table(self, as_user, mei):
        answer = as_user(mei).get(reverse("sync"), **HTMX)
        assert 'id="sync-health"' in answer.text[:80]


class TestCodes:
    def test_lists_every_code(self, as_user, ana):
        text = as_user(ana).get(reverse("help-errors")).text
        assert all(f">{row.code}<" in text for row in feishu_codes.ALL)

    def test_finds_a_code(self, as_user, ana):
        page = as_user(ana).get(reverse("help-errors"), {"q": "1002908"})
        assert {item.row.code for item in page.context["rows"]} == {1002908}
        assert (
            "No documented code fits" in as_user(ana).get(reverse("help-errors"), {"q": "zzz"}).text
        )


class TestHealth:
    def test_alive(self):
        assert Client().get("/healthz").content == b"ok\n"

    def test_not_ready_says_why(self):
        answer = Client().get("/readyz")
        checks = {check["name"]: check["ok"] for check in json.loads(answer.content)["checks"]}
        assert answer.status_code == 503
        assert checks["database"]


class TestChoices:
    def test_theme(self, as_user, mei):
        client = as_user(mei)
        client.post(reverse("theme"), {"theme": "dark", "next": "/log/"})
        assert 'data-theme="dark"' in client.get(reverse("log")).text
        client.post(reverse("theme"), {"theme": "<script>"})
        assert 'data-theme="dark"' in client.get(reverse("log")).text

    def test_language(self, mei):
        client = Client()
        client.force_login(mei)
        assert "员工" in client.get(reverse("employees")).text
        client.post(reverse("language"), {"language": "en", "next": "/employees/"})
        page = client.get(reverse("employees")).text
        assert '<html lang="en"' in page
        assert "Skip to the content" in page


class TestErrors:
    def test_a_missing_record_is_said_in_words(self, as_user, mei):
        page = as_user(mei).get(reverse("employee", args=[424242]))
        assert page.status_code == 404
        assert "outside what you may see" in page.text

    def test_htmx_gets_a_notice_for_the_toast(self, as_user, mei):
        answer = as_user(mei).get(reverse("employee", args=[424242]), **HTMX)
        assert answer.status_code == 404
        assert "data-notice" in answer.text
        assert "<html" not in answer.text

    def test_a_crash_is_said_in_words(self, as_user, mei, settings):
        client = as_user(mei)
        client.raise_request_exception = False
        settings.MIRROR_STALE_AFTER = "not a duration"
        a_sync()
        page = client.get(reverse("employees"))
        assert page.status_code == 500
        assert "Something went wrong in the portal" in page.text
