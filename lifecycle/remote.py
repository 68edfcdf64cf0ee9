"""The bridge to Feishu: builds the client from the settings, keeps the published rates for
all processes, and turns wire errors into ours.

Nothing else in the portal but this module and `mirror` touches `lifecycle.feishu`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from lifecycle.errors.problems import FeishuUnreadable
from lifecycle.feishu import (
    cards,
    endpoints,
    errors,
    events,
    messages,
    outcomes,
    sign_in,
    times,
    values,
    writes,
)
from lifecycle.feishu.answers import SendResult
from lifecycle.feishu.calls import Call
from lifecycle.feishu.client import Client, Timeouts
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.limits import Pacing, next_slot, pacing
from lifecycle.feishu.outcomes import Outcome
from lifecycle.models import EndpointGate

__all__ = [
    "Call",
    "Client",
    "Endpoint",
    "Outcome",
    "SendResult",
    "callback_client",
    "cards",
    "client",
    "endpoints",
    "errors",
    "events",
    "limiter",
    "messages",
    "outcomes",
    "page_client",
    "reading",
    "sign_in",
    "sign_in_client",
    "tenant_day",
    "tenant_zone",
    "times",
    "values",
    "writes",
]

BACKGROUND_SHARE = 0.6
# What a page waits for Feishu before it falls back on the mirror.
PAGE_TIMEOUTS = Timeouts(connect_s=1.5, read_s=3, total_s=3)
# Nothing stands in for this answer, so a page waits a little longer for it.
SIGN_IN_TIMEOUTS = Timeouts(connect_s=3, read_s=5, total_s=6)
# Feishu waits 3 s for the answer to a press of a button, our own work included.
CALLBACK_TIMEOUTS = Timeouts(connect_s=0.7, read_s=1.2, total_s=1.2)


def client() -> Client:
    """The client for background work, with the documented patience."""
    total = settings.SEND_DEADLINE.total_seconds()
    return _client(
        settings.FEISHU_BASE_URL,
        settings.FEISHU_APP_ID,
        settings.FEISHU_APP_SECRET,
        Timeouts(connect_s=min(3, total), read_s=min(10, total), total_s=total),
    )


def page_client() -> Client:
    """The client for a read while a person waits for a page. Never used to write."""
    return _client(
        settings.FEISHU_BASE_URL,
        settings.FEISHU_APP_ID,
        settings.FEISHU_APP_SECRET,
        PAGE_TIMEOUTS,
    )


def callback_client() -> Client:
    """The client for a read while Feishu itself waits for an answer. Never used to write."""
    return _client(
        settings.FEISHU_BASE_URL,
        settings.FEISHU_APP_ID,
        settings.FEISHU_APP_SECRET,
        CALLBACK_TIMEOUTS,
        is_patient=False,
    )


def sign_in_client() -> sign_in.SignInClient:
    """The client that asks who has come back from Feishu's sign-in page."""
    return sign_in.SignInClient(
        base_url=settings.FEISHU_BASE_URL,
        app_id=settings.FEISHU_APP_ID,
        app_secret=settings.FEISHU_APP_SECRET,
        limiter=limiter(),
        timeouts=SIGN_IN_TIMEOUTS,
    )


def limiter() -> DatabaseLimiter:
    """The rates shared by all processes."""
    return DatabaseLimiter(scale=settings.FEISHU_RATE_SCALE)


def tenant_zone() -> ZoneInfo:
    """The zone in which a day a person picks is a day."""
    return ZoneInfo(settings.TENANT_TIME_ZONE)


def tenant_day(at: datetime) -> date:
    """The day it is for the tenant at this moment."""
    return at.astimezone(tenant_zone()).date()


@contextmanager
def reading() -> Iterator[None]:
    """Turns a read that came to nothing into FeishuUnreadable; other refusals pass."""
    try:
        yield
    except errors.LimiterBusy as error:
        raise FeishuUnreadable("feishu.busy") from error
    except errors.NotSent as error:
        raise FeishuUnreadable("feishu.not-sent") from error
    except errors.Throttled as error:
        raise FeishuUnreadable("feishu.busy", log_id=error.log_id) from error
    except errors.NoAnswer as error:
        raise FeishuUnreadable("feishu.unreadable", log_id=error.log_id) from error
    except errors.AuthRefused as error:
        raise FeishuUnreadable("feishu.auth", log_id=error.log_id) from error


@lru_cache(maxsize=8)
def _client(
    base_url: str, app_id: str, app_secret: str, timeouts: Timeouts, *, is_patient: bool = True
) -> Client:
    return Client(
        base_url=base_url,
        app_id=app_id,
        app_secret=app_secret,
        limiter=limiter(),
        timeouts=timeouts,
        is_patient=is_patient,
    )


class DatabaseLimiter:
    """GCRA on rows of the database, so that every process counts together.

    Never called inside a transaction of the caller's: a slot must be taken for good.
    """

    def __init__(self, *, scale: float) -> None:
        self._scale = scale

    def acquire(self, endpoint: Endpoint, *, background: bool, give_up_after_s: float) -> None:
        """See feishu.limits.Limiter."""
        paces = self._paces(endpoint, background=background)
        if not paces:
            return
        deadline = time.monotonic() + give_up_after_s
        while (wait_s := self._take_or_wait(endpoint, paces)) > 0:
            if time.monotonic() + wait_s > deadline:
                raise errors.LimiterBusy(endpoint, wait_s)
            time.sleep(wait_s)

    def pause(self, endpoint: Endpoint, seconds: float) -> None:
        """Nobody calls this endpoint for so many seconds. A longer pause stays."""
        until_ms = _now_ms() + int(seconds * 1000)
        key = _pause_key(endpoint)
        EndpointGate.objects.get_or_create(key=key)
        EndpointGate.objects.filter(key=key, paused_until_ms__lt=until_ms).update(
            paused_until_ms=until_ms
        )

    def _paces(self, endpoint: Endpoint, *, background: bool) -> dict[str, Pacing]:
        shares = {"all": 1.0, "background": BACKGROUND_SHARE} if background else {"all": 1.0}
        return {
            f"{endpoint.name}/{window.seconds}s/{whose}": pacing(
                window, scale=self._scale, share=share
            )
            for window in endpoint.windows
            for whose, share in shares.items()
        }

    def _take_or_wait(self, endpoint: Endpoint, paces: dict[str, Pacing]) -> float:
        """Take a slot in every limit and return 0, or take none and return seconds to wait."""
        keys = [_pause_key(endpoint), *paces]
        with transaction.atomic(durable=True):
            gates = {
                gate.key: gate
                for gate in EndpointGate.objects.select_for_update()
                .filter(key__in=keys)
                .order_by("key")
            }
            if len(gates) < len(keys):
                _make_gates(key for key in keys if key not in gates)
                return 0.001
            now_ms = _now_ms()
            paused_ms = gates[_pause_key(endpoint)].paused_until_ms - now_ms
            if paused_ms > 0:
                return paused_ms / 1000
            slots = {key: next_slot(gates[key].tat_ms, now_ms, pace) for key, pace in paces.items()}
            wait_ms = max(wait for _, wait in slots.values())
            if wait_ms > 0:
                return wait_ms / 1000
            for key, (tat_ms, _) in slots.items():
                gates[key].tat_ms = tat_ms
            EndpointGate.objects.bulk_update([gates[key] for key in paces], ["tat_ms"])
            return 0


def _make_gates(keys: Iterator[str]) -> None:
    # Another process may make them in this very moment, which is as good.
    EndpointGate.objects.bulk_create([EndpointGate(key=key) for key in keys], ignore_conflicts=True)


def _pause_key(endpoint: Endpoint) -> str:
    return f"{endpoint.name}/pause"


def _now_ms() -> int:
    return int(time.time() * 1000)
