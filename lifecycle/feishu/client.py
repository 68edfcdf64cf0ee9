"""The client: one write at a time with an honest outcome, and patient reads.

Three doors. `ready` does everything that may wait or fail before a write (token, rate
slot), so that a caller can commit its intent and then have nothing but the send in front
of it. `send` makes exactly one attempt and answers with an outcome, whatever the wire
does. `read` returns the data of an answer or raises one of `errors`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lifecycle.feishu import endpoints
from lifecycle.feishu.answers import (
    SendResult,
    data_or_raise,
    send_result,
    without_token,
)
from lifecycle.feishu.calls import Call
from lifecycle.feishu.corehr_reads import CoreHrReads
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.errors import (
    AuthRefused,
    FeishuError,
    InvalidValue,
    NoAnswer,
    NotSent,
    Throttled,
)
from lifecycle.feishu.hire_reads import HireReads
from lifecycle.feishu.limits import Limiter
from lifecycle.feishu.outcomes import Outcome
from lifecycle.feishu.pages import Page, pages
from lifecycle.feishu.reference_reads import ReferenceReads
from lifecycle.feishu.tokens import FreshToken, TenantToken
from lifecycle.feishu.transport import Request, Timeouts, Transport

__all__ = ["Client", "Page", "SendResult", "Timeouts", "pages"]

USER_AGENT = "hrportal"
JSON_TYPE = "application/json; charset=utf-8"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
RENEWABLE_CODES = frozenset({99991663, 99991664, 99991665, 99991671})
SILENT_RETRIES_S = (0.2, 1.0)
LONGEST_THROTTLE_S = 5.0
SHORTEST_THROTTLE_S = 1.0
PERSON_WAITS_S = 10.0
IMPATIENT_WAITS_S = 0.3
BACKGROUND_WAITS_S = 120.0


class Client(HireReads, CoreHrReads, ReferenceReads):
    """Talks to one Feishu tenant as one app. Threads may share it.

    `base_url`: scheme and host of the open platform, https unless it is this machine.
    `limiter`: keeps to the published rates. `is_patient`: a read is repeated after silence and
    waits its turn; else one try has to do, as when Feishu itself waits for us. Raises
    InvalidValue for an unfit `base_url`.
    """

    pages = staticmethod(pages)

    def __init__(
        self,
        *,
        base_url: str,
        app_id: str,
        app_secret: str,
        limiter: Limiter,
        timeouts: Timeouts | None = None,
        user_agent: str = USER_AGENT,
        is_patient: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = checked_base_url(base_url)
        self._app_id = app_id
        self._app_secret = app_secret
        self._limiter = limiter
        self._is_patient = is_patient
        self._user_agent = user_agent
        self._sleep = sleep
        self._timeouts = timeouts or Timeouts()
        self._transport = Transport(self._timeouts)
        self._token = TenantToken(self._fetch_token, clock=clock)

    def __repr__(self) -> str:
        return f"<Client {self._base_url}>"

    def ready(
        self, endpoint: Endpoint, *, give_up_after_s: float, background: bool = False
    ) -> None:
        """Get a token and take a rate slot, so that `send` can go out at once.

        Waits at most `give_up_after_s` seconds for the slot. Raises NotSent, NoAnswer,
        Throttled, AuthRefused or Refused from fetching a token, LimiterBusy from the slot.
        """
        self._token.get()
        self._limiter.acquire(endpoint, background=background, give_up_after_s=give_up_after_s)

    def renew_token(self) -> None:
        """Make sure of a token other than one Feishu has refused.

        `send` and `read` have already dropped the refused one, so this fetches. Feishu may
        hand out the same token again. Raises NotSent, NoAnswer, Throttled, AuthRefused.
        """
        self._token.get()

    def send(self, call: Call, *, ends_at: float | None = None) -> SendResult:
        """Make one write, once. Never raises for anything that happens on the wire.

        Takes no rate slot: `ready` did. There is no retry inside; after AUTH the caller
        decides, calling `renew_token` first, and after THROTTLED it pauses the endpoint
        for everybody. When no token can be had, nothing is sent. No byte leaves later than
        the total deadline counted from here, nor later than `ends_at` (of time.monotonic()),
        the moment after which the caller's word is that nothing leaves any more. Raises
        InvalidValue for a call that is neither one of the five writes nor a message.
        """
        if not (call.endpoint.is_write or call.endpoint.is_message):
            raise InvalidValue(f"{call.endpoint.name} is not a write.")
        own_end = time.monotonic() + self._timeouts.total_s
        ends_at = own_end if ends_at is None else min(own_end, ends_at)
        try:
            token = self._token.get()
        except FeishuError as error:
            return without_token(error)
        request = self._request(call, token, encoding="identity")
        exchange = self._transport.write(request, ends_at=ends_at)
        result = send_result(call, exchange)
        if result.outcome is Outcome.AUTH:
            self._token.drop(token)
        return result

    def read(
        self, call: Call, *, background: bool = False, give_up_after_s: float | None = None
    ) -> dict[str, Any]:
        """The data of a read, taking a rate slot for each attempt.

        Renews the token once when Feishu refuses it, repeats at most twice after silence,
        waits out one throttle of up to 5 s. `give_up_after_s`: how long to wait for a
        slot; by default 10 s, in the background 120 s. Raises LimiterBusy, NotSent,
        NoAnswer, Throttled, AuthRefused, ScopeMissing, Refused; InvalidValue for a write.
        """
        if call.endpoint.is_write or call.endpoint.is_message:
            raise InvalidValue(f"{call.endpoint.name} is not a read.")
        wait_s = BACKGROUND_WAITS_S if background else PERSON_WAITS_S
        wait_s = wait_s if self._is_patient else IMPATIENT_WAITS_S
        wait_s = wait_s if give_up_after_s is None else give_up_after_s
        patience = _Patience() if self._is_patient else _Patience(silences=(), throttles=0)
        while True:
            try:
                return self._read_once(call, background=background, give_up_after_s=wait_s)
            except FeishuError as error:
                pause_s = patience.pause_after(error)
                if pause_s is None:
                    raise
                self._sleep(pause_s)

    def _read_once(self, call: Call, *, background: bool, give_up_after_s: float) -> dict[str, Any]:
        token = self._token.get()
        self._limiter.acquire(call.endpoint, background=background, give_up_after_s=give_up_after_s)
        exchange = self._transport.read(self._request(call, token, encoding="gzip"))
        try:
            return data_or_raise(call.endpoint, exchange)
        except AuthRefused:
            self._token.drop(token)
            raise
        except Throttled as error:
            self._limiter.pause(call.endpoint, _reset_s(error))
            raise

    # https://open.feishu.cn/document/server-docs/authentication-management/access-token/tenant_access_token_internal
    def _fetch_token(self) -> FreshToken:
        secret = {"app_id": self._app_id, "app_secret": self._app_secret}
        request = Request(
            method=endpoints.TENANT_TOKEN.method,
            url=self._base_url + endpoints.TENANT_TOKEN.path,
            headers=self._headers(encoding="identity"),
            body=json.dumps(secret).encode(),
        )
        data = data_or_raise(
            endpoints.TENANT_TOKEN, self._transport.write(request), every_code_is_auth=True
        )
        return _token_in(data)

    def _request(self, call: Call, token: str, *, encoding: str) -> Request:
        return Request(
            method=call.endpoint.method,
            url=self._base_url + call.path,
            query=call.query,
            headers=self._headers(encoding=encoding) | {"Authorization": f"Bearer {token}"},
            body=call.body_bytes,
        )

    def _headers(self, *, encoding: str) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Accept-Encoding": encoding,
            "Content-Type": JSON_TYPE,
            "User-Agent": self._user_agent,
        }


class _Patience:
    """How often one read may be repeated, and after what."""

    def __init__(
        self, *, silences: tuple[float, ...] = SILENT_RETRIES_S, throttles: int = 1
    ) -> None:
        self._silences = iter(silences)
        self._renewals = 1
        self._throttles = throttles

    def pause_after(self, error: FeishuError) -> float | None:
        """Seconds to wait before another attempt, None when there is to be none."""
        if isinstance(error, NotSent | NoAnswer):
            return next(self._silences, None)
        if isinstance(error, AuthRefused) and error.code in RENEWABLE_CODES:
            self._renewals -= 1
            return 0.0 if self._renewals >= 0 else None
        if isinstance(error, Throttled) and _reset_s(error) <= LONGEST_THROTTLE_S:
            self._throttles -= 1
            return _reset_s(error) if self._throttles >= 0 else None
        return None


def _token_in(data: Mapping[str, Any]) -> FreshToken:
    token, expire = data.get("tenant_access_token"), data.get("expire")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise NoAnswer(endpoints.TENANT_TOKEN, "token-missing")
    if not token or isinstance(expire, bool) or not isinstance(expire, int):
        raise NoAnswer(endpoints.TENANT_TOKEN, "token-missing")
    return FreshToken(value=token, expires_in_s=expire)


def _reset_s(error: Throttled) -> float:
    return max(SHORTEST_THROTTLE_S, error.reset_after_s or 0.0)


def checked_base_url(base_url: str) -> str:
    """The address without a slash at its end. Raises InvalidValue unless it is safe to use."""
    parts = urlsplit(base_url.rstrip("/"))
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        raise InvalidValue("base_url has to be https, or http on this machine.")
    if parts.path or parts.query or parts.fragment or parts.username or parts.password:
        raise InvalidValue("base_url holds a scheme and a host, nothing else.")
    return base_url.rstrip("/")
