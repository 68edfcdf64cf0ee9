"""Signing in with Feishu: the address somebody is sent to, and who came back.

OAuth 2.0 authorization code with PKCE (RFC 6749, RFC 7636). The code is exchanged by us and
the person's token is used once, to ask who it is, then forgotten: no scope is asked for and
nothing is ever done in a person's name. Sources: 获取授权码
(https://open.feishu.cn/document/common-capabilities/sso/api/obtain-oauth-code), 获取
user_access_token (.../authentication-management/access-token/get-user-access-token), 获取用户信息
(.../reference/authen-v1/user_info/get), which says that e-mail and mobile are no proof of who
somebody is: the open_id is, within its tenant.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from lifecycle.feishu import endpoints
from lifecycle.feishu.answers import data_or_raise
from lifecycle.feishu.client import JSON_TYPE, USER_AGENT, checked_base_url
from lifecycle.feishu.errors import NoAnswer
from lifecycle.feishu.limits import Limiter
from lifecycle.feishu.transport import Request, Timeouts, Transport

AUTHORIZE_PATH = "/open-apis/authen/v1/authorize"
# 43 to 128 characters (获取 user_access_token, `code_verifier`); 64 bytes make 86.
VERIFIER_BYTES = 64
WAITS_S = 3.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who somebody is to Feishu. `name` may be empty; it is never a proof of anything."""

    open_id: str
    tenant_key: str
    name: str = field(default="", repr=False)


def new_verifier() -> str:
    """A fresh PKCE secret, which stays with us until the code is exchanged."""
    return secrets.token_urlsafe(VERIFIER_BYTES)


def challenge_of(verifier: str) -> str:
    """What Feishu is told of the verifier: base64url(SHA-256), RFC 7636 section 4.2."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def authorize_url(
    accounts_url: str, *, app_id: str, redirect_uri: str, state: str, verifier: str
) -> str:
    """Where to send the browser. Raises InvalidValue for an unfit `accounts_url`."""
    query = {
        "client_id": app_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    return f"{checked_base_url(accounts_url)}{AUTHORIZE_PATH}?{urlencode(query)}"


class SignInClient:
    """Exchanges codes. Nothing is repeated: a code works once."""

    def __init__(
        self,
        *,
        base_url: str,
        app_id: str,
        app_secret: str,
        limiter: Limiter,
        timeouts: Timeouts,
    ) -> None:
        self._base_url = checked_base_url(base_url)
        self._app_id = app_id
        self._app_secret = app_secret
        self._limiter = limiter
        self._transport = Transport(timeouts)

    def who(self, *, code: str, redirect_uri: str, verifier: str) -> SignedIn:
        """Who came back with this code.

        Raises Refused (and its kind) with Feishu's code, NoAnswer, NotSent, LimiterBusy.
        """
        token = self._token(code=code, redirect_uri=redirect_uri, verifier=verifier)
        data = self._call(endpoints.PERSON_INFO, token=token)
        open_id, tenant_key = _text(data.get("open_id")), _text(data.get("tenant_key"))
        if not open_id or not tenant_key:
            raise NoAnswer(endpoints.PERSON_INFO, "person-missing")
        return SignedIn(open_id=open_id, tenant_key=tenant_key, name=_text(data.get("name")))

    def _token(self, *, code: str, redirect_uri: str, verifier: str) -> str:
        body = {
            "grant_type": "authorization_code",
            "client_id": self._app_id,
            "client_secret": self._app_secret,
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        data = self._call(endpoints.PERSON_TOKEN, body=body)
        token = _text(data.get("access_token"))
        if not token.isascii() or not token.isprintable() or not token:
            raise NoAnswer(endpoints.PERSON_TOKEN, "token-missing")
        return token

    def _call(
        self, endpoint: endpoints.Endpoint, *, body: dict[str, str] | None = None, token: str = ""
    ) -> dict[str, Any]:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": JSON_TYPE,
            "User-Agent": USER_AGENT,
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = Request(
            method=endpoint.method,
            url=self._base_url + endpoint.path,
            headers=headers,
            body=None if body is None else json.dumps(body).encode(),
        )
        self._limiter.acquire(endpoint, background=False, give_up_after_s=WAITS_S)
        # A connection of its own: one that is kept may have been closed by the other side.
        return data_or_raise(endpoint, self._transport.write(request))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
