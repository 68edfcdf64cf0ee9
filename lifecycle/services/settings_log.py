"""The settings a program has started with, in the action log: all of them the first time, then
what differs from its last start.

All settings come from the environment, so a change takes effect when a program starts. Of
secrets and e-mail addresses the chain holds a fingerprint only, made with DJANGO_SECRET_KEY; the
addresses themselves stand beside it. A name that is on none of the lists counts as a secret.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lifecycle import action_log
from lifecycle.errors.words import Words
from lifecycle.evidence.hashes import canonical, member
from lifecycle.masking import fingerprint
from lifecycle.models import ActionEntry

log = logging.getLogger(__name__)

WEB, WORKER = "web", "worker"
NOTED, CHANGED = "settings.noted", "settings.changed"
# The private value with the addresses, as JSON of {name: [before, after]}.
ADDRESSES = "addresses"
SECRET_KEY = "DJANGO_SECRET_KEY"  # noqa: S105 - its name

SECRETS = frozenset(
    {
        SECRET_KEY, "FEISHU_APP_SECRET", "FEISHU_EVENT_ENCRYPT_KEY", "FEISHU_EVENT_TOKEN",
        "METRICS_TOKEN", "DEMO_PASSWORD",
    }
)  # fmt: skip
# Where something is, often with a password in it.
URLS = frozenset({"DATABASE_URL", "CACHE_URL", "EMAIL_URL"})
PERSONAL = frozenset({"DIGEST_EMAILS", "LOG_CHECKPOINT_EMAILS", "EMAIL_FROM"})
PLAIN = frozenset(
    {
        "APPROVAL_DAYS", "ATTEMPT_LEASE_SECONDS", "AUTO_REQUEST_DAYS", "CANARY_PATIENCE_SECONDS",
        "CANARY_SECONDS", "CLAIM_LEASE_SECONDS", "DAILY_LIMITS", "DAILY_LIMIT_OTHER_VERBS",
        "DAILY_LIMIT_PER_REQUESTER", "DEMO_SIGN_INS", "DIGEST_HOUR", "DJANGO_ALLOWED_HOSTS",
        "DJANGO_CSRF_TRUSTED_ORIGINS", "DJANGO_DEBUG", "DJANGO_HTTPS_ONLY",
        "ESCALATE_REQUEST_DAYS", "EXPORT_ROW_CAP", "FEISHU_ACCOUNTS_URL", "FEISHU_APP_ID",
        "FEISHU_BASE_URL", "FEISHU_MESSAGES", "FEISHU_RATE_SCALE", "FEISHU_TENANT_KEY",
        "FULL_SYNC_HOUR", "HRPORTAL_VAR_DIR", "LOG_CHECKPOINT_CHAT", "LOG_CHECKPOINT_DIR",
        "LOG_CHECKPOINT_EMAIL_MINUTES", "LOG_CHECKPOINT_ENTRIES", "LOG_CHECKPOINT_MINUTES",
        "LOG_LEVEL", "LOG_ORIGIN", "LOG_PRIVATE_RETENTION_DAYS", "LOG_PUBLIC_KEY_FILE",
        "LOG_SIGNING_KEY_FILE", "OVERDUE_REMINDER_DAYS", "OWN_SANDBOX", "PEOPLE", "POLL_MINUTES",
        "PORT", "PORTAL_URL", "PROXY_COUNT", "REQUEST_EMAILS", "SANDBOX_PORT",
        "SEND_DEADLINE_SECONDS", "SESSION_HOURS", "SESSION_IDLE_MINUTES",
        "SETTLE_GIVE_UP_SECONDS", "SETTLE_READ_GAP_SECONDS", "SETTLE_SECONDS_APPLICATION",
        "SETTLE_SECONDS_EMPLOYEE", "SETTLE_SECONDS_OFFBOARDING", "SETTLE_SECONDS_PRE_HIRE",
        "SETTLE_SECONDS_TALENT", "SWEEP_SECONDS", "SYNC_MOST_GONE_PERCENT", "TENANT_TIME_ZONE",
        "WEB_PROCESSES",
    }
)  # fmt: skip

# What the chain holds of a setting: its text, or {"fingerprint": ..., "shown": ...}.
Kept = str | dict[str, str]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST = r"(?:[\w.%-]*|\[[0-9a-f:.]+\])(?::\d+)?"
_HOSTS_AND_PATH = re.compile(rf"{_HOST}(?:,{_HOST})*(?:/.*)?", re.IGNORECASE)


# -- writing it down ----------------------------------------------------------------------


def try_to_note(program: str) -> bool:
    """False, and a line on the program's own output, when it could not be written down. Whatever
    the reason: neither an answer nor the worker's work may come to nothing for it."""
    try:
        note_settings(program, at=timezone.now())
    except Exception as error:
        # Its own words may repeat the row, with the addresses in it.
        name = type(error).__name__
        log.warning("The settings are not in the action log yet (%s); it is tried again.", name)
        return False
    return True


def note_settings(program: str, *, at: datetime) -> ActionEntry | None:
    """Log what this program has started with; None when that is as at its last start."""
    values = _kept(settings.SECRET_ENVIRONMENT)
    if _values_of(_last_entry(program)) == values:
        return None
    with transaction.atomic():
        # Of several processes that start at once, one writes: the others find its entry here.
        action_log.lock_end()
        last = _last_entry(program)
        before = _values_of(last)
        if before == values:
            return None
        data: dict[str, Any] = {"program": program, "values": values}
        private = {ADDRESSES: canonical(_addresses_since(last))}
        if before is None:
            data["number"] = len(values)
            return action_log.record(NOTED, actor=None, at=at, data=data, private=private)
        data["changed"] = _changed(before, values)
        return action_log.record(CHANGED, actor=None, at=at, data=data, private=private)


def _last_entry(program: str) -> ActionEntry | None:
    told = ActionEntry.objects.filter(
        event__in=(NOTED, CHANGED), body__contains=member("program", program)
    )
    return told.order_by("-seq").first()


def _values_of(entry: ActionEntry | None) -> dict[str, Kept] | None:
    values = (action_log.data_in(entry.body) or {}).get("values") if entry else None
    return values if isinstance(values, dict) else None


def _kept(environment: Mapping[str, str]) -> dict[str, Kept]:
    return {name: _kept_of_one(name, text) for name, text in environment.items()}


def _kept_of_one(name: str, text: str) -> Kept:
    if name in PLAIN:
        return text
    kept = {"fingerprint": fingerprint(name, text)}
    return kept | {"shown": without_credentials(text)} if name in URLS else kept


def without_credentials(url: str) -> str:
    """Scheme, host, port and path. Only the scheme where a password may hide in what looks like
    a host or a query, such as one with “/”, “?” or “#” in it."""
    scheme = _SCHEME.match(url)
    if scheme is None:
        return ""
    address, *rest = re.split(r"[?#]", url[scheme.end() :], maxsplit=1)
    place = address.rpartition("@")[2]
    is_clear = "@" not in "".join(rest) and _HOSTS_AND_PATH.fullmatch(place) is not None
    return scheme[0] + (place if is_clear else "")


def _changed(before: Mapping[str, Kept], after: Mapping[str, Kept]) -> dict[str, list[Kept | None]]:
    """{name: [before, after]}, None where there was or is no such setting. Fingerprints made with
    two keys cannot be compared: then what is shown beside them decides."""
    same_key = before.get(SECRET_KEY) == after.get(SECRET_KEY)
    changed = {}
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        is_comparable = same_key or name == SECRET_KEY
        if old != new if is_comparable else _shown(old) != _shown(new):
            changed[name] = [old, new]
    return changed


def _shown(kept: Kept | None) -> object:
    """What of it does not depend on the key."""
    if not isinstance(kept, dict):
        return kept
    return bool(kept.get("fingerprint")), kept.get("shown")


def _addresses_since(last: ActionEntry | None) -> dict[str, list[str | None]]:
    """{name: [before, after]}; before is None where it was not known or has been erased."""
    kept = action_log.private_values(last) if last else {}
    before = {name: new for name, (_, new) in _pairs(_parsed(kept.get(ADDRESSES))).items()}
    environment = settings.SECRET_ENVIRONMENT
    return {name: [before.get(name), environment[name]] for name in PERSONAL & environment.keys()}


# -- reading it ---------------------------------------------------------------------------

NOT_SET = Words("未设置", "not set")
NOT_KNOWN = Words("—", "—")
ERASED = Words("已删除", "erased")
HIDDEN = Words("不显示内容", "not shown")
CHANGED_HIDDEN = Words("已更改（不显示内容）", "changed (not shown)")
PARTLY_HIDDEN = Words(
    "{shown}（其余部分已更改，不显示内容）", "{shown} (the rest changed, not shown)"
)


@dataclass(frozen=True, slots=True)
class ToldSetting:
    """A setting as an entry tells it. `before`: None in the entry that tells all of them."""

    name: str
    before: Words | None
    after: Words


def told_settings(event: str, data: Mapping[str, Any], addresses: str) -> list[ToldSetting]:
    """What an entry of ours tells, by name. `addresses`: its private value, empty when that has
    been erased. What cannot be read is left out."""
    known = _pairs(_parsed(addresses))
    if event == CHANGED:
        return [
            ToldSetting(name, *_pair_words(name, old, new, known.get(name, (None, None))))
            for name, (old, new) in sorted(_pairs(data.get("changed")).items())
        ]
    values = data.get("values")
    if event != NOTED or not isinstance(values, dict):
        return []
    return [
        ToldSetting(name, None, _words(name, kept, known.get(name, (None, None))[1]))
        for name, kept in sorted(values.items())
    ]


def _pair_words(name: str, old: Any, new: Any, addresses: tuple[Any, Any]) -> tuple[Words, Words]:
    before, after = _words(name, old, addresses[0]), _words(name, new, addresses[1])
    if after == HIDDEN:
        return before, CHANGED_HIDDEN
    if after == before and name in URLS:
        return before, PARTLY_HIDDEN.fill(shown=after.en)
    return before, after


def _words(name: str, kept: Any, address: object) -> Words:
    """One value. `address`: what stands beside the chain of it, None when it is not there."""
    if kept is None:
        return NOT_KNOWN
    if kept == "" or kept == {"fingerprint": ""}:
        return NOT_SET
    if not isinstance(kept, dict):
        return Words(str(kept), str(kept))
    if name in PERSONAL:
        return ERASED if address is None else Words(str(address), str(address))
    shown = str(kept.get("shown") or "")
    return Words(shown, shown) if shown else HIDDEN


def _parsed(text: str | None) -> object:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _pairs(found: object) -> dict[str, tuple[Any, Any]]:
    """{name: [before, after]} as far as it is that."""
    if not isinstance(found, dict):
        return {}
    return {
        name: (pair[0], pair[1])
        for name, pair in found.items()
        if isinstance(pair, list) and len(pair) == 2
    }
