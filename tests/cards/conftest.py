"""Mei asks, Li leads Bo and has a phone, Qin stands in; messages are switched on."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lifecycle.models import ConversionRequest, Employee, FeishuMessage, Role, User
from lifecycle.sandbox.control import SandboxControl
from lifecycle.sandbox.phone import find_button
from lifecycle.services import messages, reminders, requests
from tests.polling.test_pushes import KEY, TOKEN, encrypted, signed


@pytest.fixture(autouse=True)
def _switched_on(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.FEISHU_MESSAGES = True
    settings.PORTAL_URL = "https://hr.example.com"
    settings.FEISHU_EVENT_ENCRYPT_KEY, settings.FEISHU_EVENT_TOKEN = KEY, TOKEN
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def a_leader(username: str, name: str, open_id: str) -> User:
    return User.objects.create_user(username, role=Role.MANAGER, last_name=name, open_id=open_id)


@pytest.fixture
def li(bo) -> User:
    return a_leader("li", "李", bo.leader_open_id)


@pytest.fixture
def qin(bo) -> User:
    """Somebody else the tenant knows."""
    others = Employee.objects.filter(onboard_status="onboarded").exclude(
        leader_open_id__in=["", bo.leader_open_id, bo.person.open_id]
    )
    # In one order whatever the mirror was filled by; somebody who leads works here.
    return a_leader("qin", "秦", others.order_by("leader_open_id")[0].leader_open_id)


class Feishu:
    """The tenant's side: what arrived, and pressing it as Feishu passes it on."""

    def __init__(self, control: SandboxControl) -> None:
        self.control = control
        self._number = 0

    def cards(self, user: User) -> list[dict[str, Any]]:
        return self.control.messages(user.open_id)

    def card(self, user: User) -> dict[str, Any]:
        (message,) = self.cards(user)
        return message

    def callback(self, user: User, name: str, *, message=None, **action: Any) -> dict[str, Any]:
        message = message or self.cards(user)[-1]
        button = find_button(message["card"], name)
        value = button["behaviors"][0]["value"] if button else {"step": name}
        self._number += 1
        return {
            "schema": "2.0",
            "header": {
                "event_id": f"press-{self._number}",
                "event_type": "card.action.trigger",
                "token": TOKEN,
            },
            "event": {
                "operator": {"open_id": user.open_id},
                "action": {"value": value, "name": name, "tag": "button", **action},
                "context": {"open_message_id": message["id"]},
            },
        }

    def press(self, user: User, name: str, *, form=None, message=None, by=None) -> dict[str, Any]:
        """The answer of the portal; the card of it is put where the sandbox keeps the card."""
        action = {"form_value": form} if form is not None else {}
        event = self.callback(user, name, message=message, **action)
        if by is not None:
            event["event"]["operator"]["open_id"] = by
        return self.post(event)

    def post(self, event: dict[str, Any]) -> dict[str, Any]:
        response = post(encrypted(event))
        assert response.status_code == 200, response.status_code
        return response.json()


def post(body: bytes, **headers: str):
    client = Client(enforce_csrf_checks=True)
    return client.post(
        reverse("feishu-cards"),
        body,
        content_type="application/json",
        headers=signed(body) | headers,
    )


@pytest.fixture
def feishu(mirror: SandboxControl) -> Feishu:
    return Feishu(mirror)


@pytest.fixture
def asked(bo, mei, li) -> ConversionRequest:
    """Mei has asked, and Li has been told."""
    request = requests.ask(bo, acting_user=mei, at=timezone.now(), note="表现优秀")
    told()
    return request


def told(*, at: datetime | None = None) -> None:
    """What the worker does: remind, send, bring up to date."""
    now = at or timezone.now()
    reminders.remind(now)
    messages.send_due(timezone.now() if at is None else at)
    messages.update_due(timezone.now() if at is None else at)


def later(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def words_of(card: dict[str, Any]) -> str:
    return json.dumps(card, ensure_ascii=False)


def the_message() -> FeishuMessage:
    return FeishuMessage.objects.get()
