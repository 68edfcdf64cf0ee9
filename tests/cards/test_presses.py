"""Pressing a button of a card: proven, taken once, and the same decision as on the page."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle import action_log
from lifecycle.changes import invariants
from lifecycle.feishu.cards import picked_day, plain
from lifecycle.feishu.errors import InvalidValue
from lifecycle.feishu.events import BadEvent, CardPress, Forged, Secrets, read_card_press
from lifecycle.models import ActionEntry, ConversionRequest, FeishuMessage, StatusChange
from lifecycle.models import CardPress as Pressed
from lifecycle.services import messages, reminders, requests
from tests.cards.conftest import later, post, the_message, told, words_of
from tests.polling.test_pushes import KEY, TOKEN, encrypted, signed

pytestmark = pytest.mark.django_db
NOW = timezone.now
SECRETS = Secrets(KEY, TOKEN)
PRESS = {
    "schema": "2.0",
    "header": {"event_id": "e", "event_type": "card.action.trigger", "token": TOKEN},
    "event": {
        "operator": {"open_id": "ou_1"},
        "action": {"value": {"step": "approve"}, "name": "approve", "form_value": {"reason": "x"}},
        "context": {"open_message_id": "om_1"},
    },
}


class TestReading:
    def test_says_who_pressed_what(self):
        body = encrypted(PRESS)
        press = read_card_press(body, signed(body, at=10), secrets=SECRETS, now_s=10)
        assert press == CardPress(
            "e", "ou_1", "om_1", "approve", {"step": "approve"}, {"reason": "x"}
        )

    def test_every_byte_changed_is_refused(self):
        body = encrypted(PRESS)
        headers = signed(body, at=10)
        for at in range(len(body)):
            changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
            with pytest.raises((BadEvent, Forged)):
                read_card_press(changed, headers, secrets=SECRETS, now_s=10)

    @pytest.mark.parametrize("name", signed(b"", at=10))
    def test_every_character_of_a_header_changed_is_refused(self, name):
        body = encrypted(PRESS)
        headers = signed(body, at=1_700_000_000)
        for at, letter in enumerate(headers[name]):
            other = "1" if letter != "1" else "2"
            changed = headers | {name: headers[name][:at] + other + headers[name][at + 1 :]}
            with pytest.raises(Forged):
                read_card_press(body, changed, secrets=SECRETS, now_s=1_700_000_000)

    @pytest.mark.parametrize("skew", [-301, 301])
    def test_not_out_of_its_time(self, skew):
        body = encrypted(PRESS)
        with pytest.raises(Forged):
            read_card_press(body, signed(body, at=10_000), secrets=SECRETS, now_s=10_000 + skew)

    @pytest.mark.parametrize("where", ["header", "plain", "key"])
    def test_not_without_token_encryption_and_key(self, where):
        event = PRESS | ({"header": PRESS["header"] | {"token": "x"}} if where == "header" else {})
        body = json.dumps(event).encode() if where == "plain" else encrypted(event)
        headers = signed(body, at=10, key="other" if where == "key" else KEY)
        with pytest.raises((Forged, BadEvent)):
            read_card_press(body, headers, secrets=SECRETS, now_s=10)

    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        )
    )
    def test_anything_inside_is_read_or_refused(self, inner):
        for event in (
            PRESS | {"event": inner},
            PRESS | {"event": {"operator": inner, "action": inner, "context": inner}},
            PRESS | {"event": {"action": {"value": inner, "name": inner, "form_value": inner}}},
        ):
            body = encrypted(event)
            press = read_card_press(body, signed(body, at=10), secrets=SECRETS, now_s=10)
            assert isinstance(press, CardPress)

    @given(st.text())
    def test_a_picked_day_is_a_day_or_refused(self, text):
        try:
            found = picked_day(text)
        except InvalidValue:
            return
        assert (found is None) == (text == "")

    def test_a_picked_day_as_feishu_writes_it(self):
        assert str(picked_day("2024-04-01 +0800")) == "2024-04-01"

    @given(st.text())
    def test_what_was_typed_has_no_mark_left(self, text):
        assert not set(plain(text).replace("<br>", "")) & set("\\`*_~[]()<>!|$\n\r")


class TestAddress:
    def test_is_not_there_unless_switched_on(self, settings):
        settings.FEISHU_EVENT_TOKEN = ""
        assert post(encrypted(PRESS)).status_code == 404

    def test_answers_the_challenge(self):
        body = encrypted({"type": "url_verification", "challenge": "c-1", "token": TOKEN})
        assert post(body).json() == {"challenge": "c-1"}

    def test_refuses(self):
        body = encrypted(PRESS)
        assert post(body, **{"X-Lark-Signature": "0" * 64}).status_code == 403
        assert post(b"\xff").status_code == 400
        assert post(b"x" * 300_000).status_code == 413
        event = PRESS | {"header": PRESS["header"] | {"event_type": "im.message.receive_v1"}}
        assert post(encrypted(event)).status_code == 400
        assert Client().get(reverse("feishu-cards")).status_code == 405
        assert not Pressed.objects.exists()


def open_request() -> ConversionRequest:
    return ConversionRequest.objects.get(status="open")


class TestApproving:
    def test_is_the_same_decision_as_on_the_page(self, asked, feishu, li, mei, bo, worker):
        answer = feishu.press(li, "approve")
        assert answer["toast"]["type"] == "success"
        assert "将在当天发送到飞书" in words_of(answer["card"]["data"])
        change = StatusChange.objects.get()
        assert (change.requested_by, change.status) == (mei, "approved")
        assert [approval.by for approval in change.approvals.all()] == [li]
        worker(change, later=timedelta(days=200))
        assert feishu.control.operations(bo.feishu_id) == ["convert"]
        said = action_log.sentence(ActionEntry.objects.get(event="request.approved")).zh
        assert said.startswith(f"{li.name}（在飞书卡片上）同意{bo.person.name}")
        assert list(invariants.violations()) == []

    def test_says_where_it_did_not_come_from(self, asked, feishu, li):
        feishu.press(li, "approve")
        entry = ActionEntry.objects.get(event="request.approved")
        assert action_log.private_values(entry) == {}

    def test_twice_is_told_the_outcome(self, asked, feishu, li):
        message = feishu.card(li)
        feishu.press(li, "approve", message=message)
        answer = feishu.press(li, "approve", message=message)
        assert answer["toast"] == {
            "type": "info",
            "content": "这项审批已经有了结果。",
            "i18n": {"zh_cn": "这项审批已经有了结果。", "en_us": "This has been decided already."},
        }
        assert li.name in words_of(answer["card"]["data"])
        assert StatusChange.objects.count() == 1

    def test_a_repeated_push_does_nothing(self, asked, feishu, li):
        event = feishu.callback(li, "approve")
        feishu.post(event)
        assert "已经处理过" in feishu.post(event)["toast"]["content"]
        assert Pressed.objects.count() == StatusChange.objects.count() == 1

    def test_pressed_after_the_answer_of_the_sending_was_lost(self, bo, mei, li, feishu):
        feishu.control.fault("drop_after", endpoint="M1")
        requests.ask(bo, acting_user=mei, at=NOW())
        told()
        assert the_message().message_id == ""
        assert feishu.press(li, "approve")["toast"]["type"] == "success"
        message = the_message()
        assert (message.state, message.message_id) == ("sent", feishu.card(li)["id"])
        messages.send_due(later(1))
        assert len(feishu.cards(li)) == 1

    def test_over_changed_facts_is_void_and_asked_anew(self, asked, feishu, li, bo):
        feishu.control.patch("employees", bo.feishu_id, expected_conversion_time=1893456000000)
        message = feishu.card(li)
        answer = feishu.press(li, "approve")
        assert answer["toast"]["type"] == "warning"
        assert "飞书中的信息有变化" in words_of(answer["card"]["data"])
        assert StatusChange.objects.count() == 0
        told()
        messages.update_due(later(1))
        old, new = feishu.cards(li)
        assert old["id"] == message["id"]
        assert "已作废" in words_of(old["card"])
        assert feishu.press(li, "approve", message=new)["toast"]["type"] == "success"

    def test_when_feishu_gives_no_answer_within_its_own_patience(self, asked, feishu, li):
        feishu.control.fault("hang", on="reads", times=None, delay_s=10)
        began = timezone.now()
        answer = feishu.press(li, "approve")
        assert timezone.now() - began < timedelta(seconds=2.5)
        assert answer["toast"]["type"] == "success"
        feishu.control.clear_faults()

    def test_is_made_sure_of_afterwards(self, asked, feishu, li):
        feishu.press(li, "approve")
        assert "同意转正" in words_of(feishu.card(li)["card"])
        messages.update_due(later(1))
        assert "button" not in words_of(feishu.card(li)["card"])


class TestExtendingAndDeclining:
    def test_extends_to_the_day_picked(self, asked, feishu, li):
        until = asked.due_on + timedelta(days=20)
        form = {"until": f"{until} +0800", "reason": "再观察"}
        answer = feishu.press(li, "extend", form=form)
        assert str(until) in words_of(answer["card"]["data"])
        asked.refresh_from_db()
        assert (asked.status, asked.extended_to, asked.reason) == ("extended", until, "再观察")

    def test_declines_with_the_reason(self, asked, feishu, li):
        assert feishu.press(li, "decline", form={"reason": "不合适"})["toast"]["type"] == "success"
        asked.refresh_from_db()
        assert (asked.status, asked.decided_by) == ("declined", li)

    @pytest.mark.parametrize(
        ("step", "form", "words"),
        [
            ("extend", {"until": "", "reason": "x"}, "日期"),
            ("extend", {"until": "2020-01-01 +0800", "reason": "x"}, "日期"),
            ("extend", {"until": ["x"], "reason": "x"}, "日期"),
            ("extend", {"until": "2030-01-01 +0800", "reason": " "}, "原因"),
            ("decline", {"reason": ""}, "原因"),
            ("decline", {}, "原因"),
            ("decline", {"reason": ["x"]}, "原因"),
        ],
    )
    def test_says_what_is_missing_and_leaves_the_card(self, asked, feishu, li, step, form, words):
        answer = feishu.press(li, step, form=form)
        assert answer["toast"]["type"] == "error"
        assert words in answer["toast"]["content"]
        assert "card" not in answer
        assert open_request() == asked


class TestWhoMayPress:
    def test_nobody_unknown(self, asked, feishu, li):
        for by in ("ou_stranger", "", "x" * 500):
            answer = feishu.press(li, "approve", by=by)
            assert "没有可用的账号" in answer["toast"]["content"]
        assert open_request() == asked

    def test_nobody_whose_account_is_off_or_of_another_role(self, asked, feishu, li, mei):
        type(li).objects.filter(pk=mei.pk).update(open_id="ou_mei")
        assert "没有权限" in feishu.press(li, "approve", by="ou_mei")["toast"]["content"]
        type(li).objects.filter(pk=li.pk).update(is_active=False)
        assert "没有可用的账号" in feishu.press(li, "approve")["toast"]["content"]
        assert open_request() == asked
        refused = ActionEntry.objects.filter(event="user.refused").order_by("seq")
        assert [entry.actor_id for entry in refused] == [mei.pk, li.pk]
        assert {entry.person_ref for entry in refused} == {asked.person_id}

    def test_nobody_else_with_a_forwarded_card(self, asked, feishu, li, qin):
        answer = feishu.press(li, "approve", by=qin.open_id)
        assert answer["toast"]["type"] == "error"
        assert "没有权限" in answer["toast"]["content"]
        assert "card" not in answer
        assert open_request() == asked

    def test_whoever_stands_in(self, asked, feishu, li, qin, bo):
        today = timezone.localdate()
        requests.delegate(qin, first_day=today, last_day=today, acting_user=li, at=NOW())
        told()
        assert feishu.press(qin, "approve")["toast"]["type"] == "success"
        asked.refresh_from_db()
        assert (asked.decided_by, asked.decided_for) == (qin, li)
        messages.update_due(later(1))
        assert f"{qin.name}（代{li.name}）" in words_of(feishu.card(li)["card"])

    def test_never_the_one_who_asked_nor_the_subject(self, asked, feishu, li, mei, bo):
        type(li).objects.filter(pk=mei.pk).update(open_id="ou_mei", role="manager")
        ConversionRequest.objects.update(approver=mei)
        assert feishu.press(li, "approve", by="ou_mei")["toast"]["type"] == "error"
        bo.person.open_id = li.open_id
        bo.person.save()
        ConversionRequest.objects.update(approver=li)
        assert feishu.press(li, "approve")["toast"]["type"] == "error"
        assert open_request() == asked

    def test_not_on_a_card_that_is_not_ours(self, asked, feishu, li):
        event = feishu.callback(li, "approve")
        event["event"]["context"]["open_message_id"] = "om_other"
        event["event"]["action"]["value"] = {"step": "approve", "message": "x"}
        assert "不认识这张卡片" in feishu.post(event)["toast"]["content"]
        event["event"]["action"]["value"] = {
            "step": "approve",
            "message": "00000000-0000-0000-0000-000000000000",
        }
        event["header"]["event_id"] = "another"
        assert "不认识这张卡片" in feishu.post(event)["toast"]["content"]

    @pytest.mark.parametrize("value", [{"step": "delete"}, {}, {"step": ["approve"]}])
    def test_not_a_button_the_card_has_not(self, asked, feishu, li, value):
        event = feishu.callback(li, "approve")
        event["event"]["action"] |= {"value": value, "name": "other"}
        assert "不认识这张卡片" in feishu.post(event)["toast"]["content"]
        assert open_request() == asked

    def test_a_card_of_another_request_stays_of_that_one(self, asked, feishu, li, mei):
        """The value comes from the reader's client; the message decides."""
        reminders.remind(NOW())
        other = FeishuMessage.objects.create(
            kind="request", request=None, state="dropped", created_at=NOW()
        )
        event = feishu.callback(li, "approve")
        event["event"]["action"]["value"]["message"] = str(other.uuid)
        assert feishu.post(event)["toast"]["type"] == "success"
        asked.refresh_from_db()
        assert asked.status == "approved"


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def portal_address(lifted_log) -> Iterator[str]:
    """The portal on a port, with the settings of this test."""
    with make_server("127.0.0.1", 0, WSGIHandler(), handler_class=Quiet) as server:

        def serve() -> None:
            server.serve_forever(0.05)
            connections.close_all()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.django_db(transaction=True)
class TestOverRealHttp:
    def test_the_sandbox_presses_and_shows_the_outcome(
        self, portal_address, mirror, bo, mei, li, feishu
    ):
        callback = {"url": f"{portal_address}/feishu/cards/", "encrypt_key": KEY, "token": TOKEN}
        mirror.options(callback=callback)
        try:
            requests.ask(bo, acting_user=mei, at=NOW())
            told()
            message = feishu.card(li)
            seen = mirror.press(message["id"], "approve")
            assert seen["error"] == 0
            assert (seen["toast"]["type"], seen["updated"]) == ("success", True)
            assert "同意" in words_of(feishu.card(li)["card"])
            mirror.options(callback={**callback, "encrypt_key": "other"})
            mirror.patch("messages", message["id"], content=message["content"])
            assert mirror.press(message["id"], "approve")["error"] == 200671
        finally:
            mirror.options(callback={})
        assert StatusChange.objects.count() == 1
