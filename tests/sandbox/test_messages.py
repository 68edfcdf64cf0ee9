"""Messages and cards as the sandbox takes them, and the phone that shows them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from lifecycle.sandbox.aes import encrypt_block, encrypted
from lifecycle.sandbox.card_shape import BadCard, checked

from .tenant_under_test import TenantUnderTest

M1 = "im/v1/messages?receive_id_type=open_id"
WORDS = {"tag": "plain_text", "content": "转正", "i18n_content": {"en_us": "Convert"}}
BUTTON = {
    "tag": "button",
    "name": "yes",
    "type": "primary",
    "text": WORDS,
    "behaviors": [{"type": "callback", "value": {"step": "yes"}}],
}


def a_card(*elements: Any) -> dict[str, Any]:
    return {
        "schema": "2.0",
        "config": {"update_multi": True},
        "header": {"template": "blue", "title": WORDS},
        "body": {"elements": list(elements or [{"tag": "markdown", "content": "请决定"}, BUTTON])},
    }


def somebody(tenant: TenantUnderTest) -> str:
    return str(tenant.first("contacts", is_resigned=False)["id"])


def body(receiver: str, *, uuid: str = "u-1", card: Any = None) -> dict[str, str]:
    content = json.dumps(a_card() if card is None else card)
    return {"receive_id": receiver, "msg_type": "interactive", "content": content, "uuid": uuid}


class TestSending:
    def test_the_same_uuid_is_one_message(self, tenant: TenantUnderTest) -> None:
        who = somebody(tenant)
        first = tenant.data("POST", M1, json=body(who))
        again = tenant.data("POST", M1, json=body(who))
        other = tenant.data("POST", M1, json=body(who, uuid="u-2"))
        assert first["message_id"] == again["message_id"] != other["message_id"]
        assert len(tenant.control.messages(who)) == 2
        assert tenant.control.operations("u-1") == ["send_message"]

    def test_an_hour_later_it_is_another(self, tenant: TenantUnderTest) -> None:
        who = somebody(tenant)
        first = tenant.data("POST", M1, json=body(who))
        tenant.control.settings(clock_offset_s=3601)
        assert tenant.data("POST", M1, json=body(who))["message_id"] != first["message_id"]

    @pytest.mark.parametrize(
        ("change", "tenant_settings", "code"),
        [
            ({"receive_id": ""}, {}, 230001),
            ({"msg_type": "audio"}, {}, 230001),
            ({"uuid": "u" * 51}, {}, 230001),
            ({"receive_id": "ou_nobody"}, {}, 230034),
            ({"content": "{"}, {}, 230099),
            ({"content": "x" * 31_000}, {}, 230025),
            ({}, {"bot_enabled": False}, 230006),
            ({}, {"unreachable": ["WHO"]}, 230013),
            ({}, {"blocked_by": ["WHO"]}, 230053),
        ],
    )
    def test_refuses(self, tenant: TenantUnderTest, change, tenant_settings, code) -> None:
        who = somebody(tenant)
        for name, value in tenant_settings.items():
            tenant.control.settings(**{name: [who] if value == ["WHO"] else value})
        assert tenant.call("POST", M1, json=body(who) | change) == (400, code)
        assert tenant.control.messages() == []

    def test_refuses_those_who_left(self, tenant: TenantUnderTest) -> None:
        who = somebody(tenant)
        tenant.control.patch("contacts", who, is_resigned=True)
        assert tenant.call("POST", M1, json=body(who)) == (400, 230029)

    def test_five_a_second_to_one_receiver(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(rate_scale=1)
        who = somebody(tenant)
        codes = [tenant.call("POST", M1, json=body(who, uuid=f"u-{n}"))[1] for n in range(6)]
        assert codes == [0] * 5 + [230020]

    def test_a_group(self, tenant: TenantUnderTest) -> None:
        text = {"msg_type": "text", "content": json.dumps({"text": "x"})}
        there = "im/v1/messages?receive_id_type=chat_id"
        sent = tenant.data("POST", there, json=text | {"receive_id": "oc_auditors"})
        assert sent["chat_id"] == "oc_auditors"
        assert tenant.call("POST", there, json=text | {"receive_id": "oc_x"})[1] == 230034


class TestUpdating:
    def test_replaces_the_card(self, tenant: TenantUnderTest) -> None:
        sent = tenant.data("POST", M1, json=body(somebody(tenant)))["message_id"]
        new = json.dumps(a_card({"tag": "markdown", "content": "已同意"}))
        tenant.data("PATCH", f"im/v1/messages/{sent}", json={"content": new})
        (message,) = tenant.control.messages()
        assert message["card"]["body"]["elements"][0]["content"] == "已同意"

    @pytest.mark.parametrize(
        ("change", "code"),
        [({"state": "recalled"}, 230011), ({"state": "deleted"}, 230110), ({"sent_ms": 1}, 230031)],
    )
    def test_refuses(self, tenant: TenantUnderTest, change, code) -> None:
        sent = tenant.data("POST", M1, json=body(somebody(tenant)))["message_id"]
        tenant.control.patch("messages", sent, **change)
        new = {"content": json.dumps(a_card())}
        assert tenant.call("PATCH", f"im/v1/messages/{sent}", json=new) == (400, code)
        assert tenant.call("PATCH", "im/v1/messages/om_x", json=new) == (400, 230001)


class TestCards:
    @pytest.mark.parametrize(
        "card",
        [
            {**a_card(), "schema": "1.0"},
            {**a_card(), "elements": []},
            {**a_card(), "config": {"update_multi": False}},
            a_card({"tag": "action", "actions": []}),
            a_card({"tag": "markdown", "content": 1}),
            a_card(BUTTON, BUTTON),
            a_card({**BUTTON, "form_action_type": "submit"}),
            a_card({"tag": "form", "name": "f", "elements": [{**BUTTON, "name": ""}]}),
            a_card(
                {
                    "tag": "form",
                    "name": "f",
                    "elements": [{"tag": "form", "name": "g", "elements": []}],
                }
            ),
        ],
    )
    def test_refused_as_in_json_2(self, card) -> None:
        with pytest.raises(BadCard):
            checked(card)


class TestPhone:
    def test_shows_the_messages_in_both_languages(self, tenant: TenantUnderTest) -> None:
        who = somebody(tenant)
        tenant.data("POST", M1, json=body(who))
        page = tenant.http.get(f"{tenant.base_url}/sandbox/phone?who={who}", timeout=5)
        assert "Feishu on a phone" in page.text
        assert ">Convert<" in page.text
        chinese = tenant.http.get(
            f"{tenant.base_url}/sandbox/phone", headers={"Accept-Language": "zh-CN"}, timeout=5
        )
        assert ">转正<" in chinese.text

    def test_shows_what_people_typed_as_text(self, tenant: TenantUnderTest) -> None:
        evil = {"tag": "markdown", "content": "<script>x</script> &#60;b&#62; **粗**"}
        tenant.data("POST", M1, json=body(somebody(tenant), card=a_card(evil)))
        text = tenant.http.get(f"{tenant.base_url}/sandbox/phone", timeout=5).text
        assert "<script>x" not in text
        assert "&lt;b&gt; <strong>粗</strong>" in text

    def test_without_an_address_a_press_shows_its_code(self, tenant: TenantUnderTest) -> None:
        sent = tenant.data("POST", M1, json=body(somebody(tenant)))["message_id"]
        assert tenant.control.press(sent, "yes")["error"] == 200340

    def test_is_not_for_other_pages(self, tenant: TenantUnderTest) -> None:
        there = f"{tenant.base_url}/sandbox/phone/press"
        answer = tenant.http.post(there, headers={"Origin": "https://evil.example"}, timeout=5)
        assert answer.status_code == 403


def test_aes_as_in_fips_197() -> None:
    key, block = bytes(range(32)), bytes.fromhex("00112233445566778899aabbccddeeff")
    assert encrypt_block(key, block).hex() == "8ea2b7ca516745bfeafc49904b496089"


def test_encrypts_as_in_the_published_vector() -> None:
    vector = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="
    iv = base64.b64decode(vector)[:16]
    assert encrypted(b"hello world", "test key", iv) == vector
