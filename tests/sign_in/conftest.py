"""People who sign in at the portal's own pages, with the sandbox as their Feishu."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client

from lifecycle.models import ActionEntry, Role, User
from lifecycle.sandbox.control import SandboxControl
from tests.views.conftest import _a_browser_on_this_machine, as_user

__all__ = ["_a_browser_on_this_machine", "as_user"]
PASSWORD = "correct horse"
TENANT_KEY = "2f6b1c0d9e8a4751"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0.0.0 Safari/537.36"


class Browser(Client):
    """A browser that reads English and can be sent to the sandbox and back."""

    def __init__(self, **options) -> None:
        # The sandbox sends browsers back to this machine only.
        options = {"SERVER_NAME": "127.0.0.1"} | options
        super().__init__(headers={"user-agent": CHROME}, **options)
        self.cookies["hrportal_language"] = "en"

    def type_password(self, username: str, password: str = PASSWORD, **more: str):
        return self.post("/sign-in/", {"username": username, "password": password, **more})

    def leave(self, **query: str) -> str:
        """Feishu's address this browser is sent to."""
        answer = self.get("/sign-in/feishu/", query)
        assert answer.status_code == 302, answer.text
        return answer["Location"]

    def agree(self, address: str, open_id: str) -> str:
        """Somebody agrees at Feishu's page: the address they are sent back to."""
        answer = requests.get(f"{address}&choose={open_id}", allow_redirects=False, timeout=5)
        there = urlsplit(answer.headers["Location"])
        assert there.netloc == "127.0.0.1"
        return f"{there.path}?{there.query}"

    def sign_in_with_feishu(self, open_id: str, **query: str):
        return self.get(self.agree(self.leave(**query), open_id))

    @property
    def is_signed_in(self) -> bool:
        return self.get("/account/").status_code == 200


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def feishu(sandbox: SandboxControl, settings, db) -> SandboxControl:
    """Sign-in with Feishu, switched on. The sandbox takes redirects to this machine only."""
    settings.FEISHU_TENANT_KEY = TENANT_KEY
    settings.FEISHU_ACCOUNTS_URL = settings.FEISHU_BASE_URL
    return sandbox


@pytest.fixture
def zhou(db) -> User:
    """Zhou administers."""
    return User.objects.create_user("zhou", password="correct horse", role=Role.ADMINISTRATOR)


@pytest.fixture
def logged() -> Callable[[str], list[dict]]:
    """What the log says of one event, oldest first, without where it came from."""

    def entries(event: str) -> list[dict]:
        rows = ActionEntry.objects.filter(event=event).order_by("seq")
        said = [json.loads(row.body)["data"] for row in rows]
        return [{key: one[key] for key in one if key != "private_address"} for one in said]

    return entries


def told(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
