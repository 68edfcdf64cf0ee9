"""Signing in with Feishu: the page where somebody agrees (L1), the token (L2), who it is (L4).

L1 is a page in the real Feishu, so its looks are ours here: it asks whom to sign in as, since
nobody in this company has a browser of their own. Sources, as of 2026-11:
L1 https://open.feishu.cn/document/common-capabilities/sso/api/obtain-oauth-code (获取授权码),
L2 https://open.feishu.cn/document/authentication-management/access-token/get-user-access-token
(获取 user_access_token), L4 https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/authen-v1/user_info/get
(获取用户信息). A redirect URL counts as registered when it is on this machine.
"""

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from . import login_page
from .calls import Refusal
from .store import Record
from .tenant import Tenant
from .tokens import Tokens

AUTHORIZE_PATH = "/open-apis/authen/v1/authorize"
TOKEN_PATH = "/open-apis/authen/v2/oauth/token"  # noqa: S105 - an address
USER_INFO_PATH = "/open-apis/authen/v1/user_info"
KEYS = {TOKEN_PATH: "L2", USER_INFO_PATH: "L4"}
METHODS = {TOKEN_PATH: "POST", USER_INFO_PATH: "GET"}

_CODE_LIFE_S = 300
_TOKEN_LIFE_S = 7200
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}")
_MOST_KEPT = 10_000
# `error` beside `code`: RFC 6749 section 5.2, which L2's page says it follows.
_GRANT_CODES = {20003, 20004, 20024, 20049, 20064, 20065, 20071}
_CLIENT_CODES = {20002, 20048}


@dataclass
class _Grant:
    """One code that was handed out."""

    open_id: str
    redirect_uri: str
    challenge: str
    method: str
    ends: float
    used: bool = False


class Login:
    """The codes and the tokens of people; all in memory."""

    def __init__(self, tenant: Tenant, tokens: Tokens) -> None:
        self._tenant, self._tokens = tenant, tokens
        self._grants: dict[str, _Grant] = {}
        self._people: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    # -- L1 ---------------------------------------------------------------------------------------

    def authorize(
        self, target: str, language: str
    ) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
        """Status, page and headers. `choose` and `refuse` are what the page itself adds."""
        parts = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        wrong = self._wrong(asked)
        if wrong:
            return 400, login_page.refused(*wrong, language=language), ()
        if "refuse" in asked:
            return _back(asked, error="access_denied")
        if "choose" in asked:
            return self._agreed(asked)
        with self._tenant.lock:
            people = [
                person for person in self._tenant.store.all("contacts") if not _is_gone(person)
            ]
        return 200, login_page.choice(people, asked, language=language), ()

    def _wrong(self, asked: dict[str, str]) -> tuple[int, str] | None:
        if asked.get("client_id") != self._tokens.app_id:
            return 20048, "there is no such app"
        if asked.get("response_type") != "code":
            return 20001, "response_type has to be code"
        if not _is_here(asked.get("redirect_uri", "")):
            return 20029, "redirect_uri is not among the app's redirect URLs"
        method = asked.get("code_challenge_method", "plain")
        challenge = asked.get("code_challenge", "")
        if method not in ("plain", "S256") or (challenge and not _CHALLENGE.fullmatch(challenge)):
            return 20001, "code_challenge is malformed"
        return None

    def _agreed(self, asked: dict[str, str]) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
        code = secrets.token_urlsafe(48)
        grant = _Grant(
            open_id=asked["choose"],
            redirect_uri=asked["redirect_uri"],
            challenge=asked.get("code_challenge", ""),
            method=asked.get("code_challenge_method", "plain"),
            ends=time.monotonic() + _CODE_LIFE_S,
        )
        with self._lock:
            self._forget()
            self._grants[code] = grant
        return _back(asked, code=code)

    # -- L2 ---------------------------------------------------------------------------------------

    def token(self, body: Any) -> tuple[int, dict[str, Any]]:
        """Answers lie at the top level, failures with the words of RFC 6749."""
        try:
            return 200, self._token(body if isinstance(body, dict) else {})
        except Refusal as refusal:
            word = "invalid_request"
            if refusal.code in _GRANT_CODES:
                word = "invalid_grant"
            elif refusal.code in _CLIENT_CODES:
                word = "invalid_client"
            answer = {"code": refusal.code, "error": word, "error_description": refusal.description}
            return 400, answer

    def _token(self, body: dict[str, Any]) -> dict[str, Any]:
        for name in ("grant_type", "client_id", "client_secret", "code"):
            if not isinstance(body.get(name), str) or not body[name]:
                raise Refusal(20001, f"{name} is required")
        if body["grant_type"] != "authorization_code":
            raise Refusal(20036, "this grant_type is not supported")
        if body["client_id"] != self._tokens.app_id:
            raise Refusal(20048, "there is no such app")
        if not self._tokens.is_secret(body["client_secret"]):
            raise Refusal(20002, "client_secret is wrong")
        with self._lock:
            grant = self._grants.get(body["code"])
            if grant is None:
                raise Refusal(20003, "the code is not known")
            _check(grant, body)
            grant.used = True
            token = "eyJhbGciOiJFUzI1NiJ9." + secrets.token_urlsafe(64)
            self._people[token] = (grant.open_id, time.monotonic() + _TOKEN_LIFE_S)
        return {
            "code": 0,
            "access_token": token,
            "expires_in": _TOKEN_LIFE_S,
            "token_type": "Bearer",
            "scope": "auth:user.id:read",
        }

    # -- L4 ---------------------------------------------------------------------------------------

    def user_info(self, authorization: str | None) -> dict[str, Any]:
        """Refusals come with HTTP 200 (codes.py). No field that needs a scope of its own."""
        scheme, _, token = (authorization or "").partition(" ")
        with self._lock:
            open_id, ends = self._people.get(token, ("", 0.0))
        if scheme != "Bearer" or ends <= time.monotonic():
            raise Refusal(20005, "the user access token is not valid")
        with self._tenant.lock:
            person = self._tenant.store.get("contacts", open_id)
            tenant_key = self._tenant.settings().get("tenant_key") or login_page.TENANT_KEY
        if person is None:
            raise Refusal(20008, "there is no such user")
        if _is_gone(person):
            raise Refusal(20021, "the user has left")
        avatar = f"https://sandbox.example.com/avatars/{person['user_id']}.png"
        return {
            "open_id": person["id"],
            "union_id": person["union_id"],
            "name": person["name"],
            "en_name": person["en_name"],
            "avatar_url": avatar,
            "avatar_thumb": avatar,
            "avatar_middle": avatar,
            "avatar_big": avatar,
            "tenant_key": tenant_key,
        }

    def _forget(self) -> None:
        """What is long over; the lock is held."""
        now = time.monotonic()
        if len(self._grants) + len(self._people) > _MOST_KEPT:
            self._grants = {key: grant for key, grant in self._grants.items() if grant.ends > now}
            self._people = {key: person for key, person in self._people.items() if person[1] > now}


def _check(grant: _Grant, body: dict[str, Any]) -> None:
    if grant.used:
        raise Refusal(20065, "the code has been used")
    if grant.ends <= time.monotonic():
        raise Refusal(20004, "the code has expired")
    if body.get("redirect_uri") not in (None, grant.redirect_uri):
        raise Refusal(20071, "redirect_uri is not the one the code was given to")
    verifier = body.get("code_verifier")
    if not grant.challenge and verifier is None:
        return
    if not isinstance(verifier, str) or not _VERIFIER.fullmatch(verifier):
        raise Refusal(20049, "code_verifier is missing or malformed")
    if grant.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if not hmac.compare_digest(verifier, grant.challenge):
        raise Refusal(20049, "code_verifier does not fit code_challenge")


def _back(asked: dict[str, str], **told: str) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    uri = asked["redirect_uri"]
    state = {"state": asked["state"]} if "state" in asked else {}
    address = f"{uri}{'&' if '?' in uri else '?'}{urlencode(told | state)}"
    return 302, b"", (("Location", address),)


def _is_here(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        return parts.scheme in ("http", "https") and not re.search(r"\s|#", uri) and (
            host == "localhost" or ipaddress.ip_address(host).is_loopback
        )  # fmt: skip
    except ValueError:
        return False


def _is_gone(person: Record) -> bool:
    return bool(person["is_resigned"])
