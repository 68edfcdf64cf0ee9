"""What a status change will do, worked out before anything is asked for.

A plan is pure reading: the exact request, before and after by field, every blocker at
once, warnings, the route and why, when it will be sent, and whether it can be undone.
Confirming a plan means confirming its two hashes: of the request and of the facts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from urllib.parse import quote

from lifecycle import calendars, remote
from lifecycle.change_states import ChangeStatus
from lifecycle.changes.kinds import FieldChange, Kind, kind_named
from lifecycle.errors.problems import NOTICES
from lifecycle.errors.words import Notice, Words
from lifecycle.models import StatusChange
from lifecycle.models.mirror import Mirrored

OPEN = (
    ChangeStatus.PENDING,
    ChangeStatus.APPROVED,
    ChangeStatus.IN_FLIGHT,
    ChangeStatus.VERIFYING,
    ChangeStatus.NEEDS_ATTENTION,
)

AT_ONCE = Words("确认后立即发送到飞书。", "It is sent to Feishu as soon as you confirm.")
ON_THE_DAY = Words(
    "确认后先保存，到 {day} 当天再发送到飞书；在此之前可以取消。",
    "It is kept until {day} and sent to Feishu on that day; you can cancel it until then.",
)
APPROVED_FIRST = {
    AT_ONCE: Words(
        "第二人确认后发送到飞书；在此之前可以取消。",
        "It is sent to Feishu once a second person has confirmed it; you can cancel it until then.",
    ),
    ON_THE_DAY: Words(
        "先由第二人确认，到 {day} 当天再发送到飞书；在此之前可以取消。",
        "A second person confirms it first, and it is sent to Feishu on {day}; you can cancel it"
        " until then.",
    ),
}
OPEN_CHANGE = Notice(
    "plan.open-change",
    Words(
        "这名员工有一项尚未完成的变更（第 {number} 号，{verb}）。",
        "This person has a change that is not finished (no. {number}, {verb}).",
    ),
    Words(
        "请等它完成，或先取消它。",
        "Wait until it is finished, or cancel it first.",
    ),
)
OLD_FACTS = Notice(
    "plan.old-facts",
    Words(
        "暂时连不上飞书，以下依据的是上次同步的信息。",
        "Feishu cannot be reached right now; this rests on what was last synced.",
    ),
    Words(
        "可以提交：发送前会再次读取飞书，若信息有变化则不会发送。",
        "You can submit: Feishu is read again before sending, and nothing is sent if the facts"
        " have changed.",
    ),
)


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """The exact request as a person can read it."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body_text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """See the module. `key`: the submission key it is to be confirmed with. `facts_at`: when
    the facts were read from Feishu."""

    kind: Kind[Any]
    record: Mirrored
    key: str
    values: Mapping[str, Any]
    call: remote.Call
    pre_image: Mapping[str, Any]
    fields: tuple[FieldChange, ...]
    blockers: tuple[Notice, ...]
    warnings: tuple[Notice, ...]
    route: Words
    undo: Words
    when: Words
    effective_at: datetime
    facts_at: datetime
    is_fresh: bool

    @property
    def request(self) -> ShownRequest:
        body = json.dumps(self.call.body, ensure_ascii=False, indent=2)
        return ShownRequest(self.call.endpoint.method, self.call.path, self.call.query, body)

    @property
    def payload_hash(self) -> str:
        return self.call.hash

    @property
    def pre_image_hash(self) -> str:
        return image_hash(self.pre_image)

    @property
    def is_blocked(self) -> bool:
        return bool(self.blockers)

    def awaiting(self, notice: Notice) -> Plan:
        """The same plan where, for the reason given, somebody else has to agree first."""
        day = remote.tenant_day(self.effective_at)
        when = APPROVED_FIRST.get(self.when, APPROVED_FIRST[ON_THE_DAY].fill(day=day))
        return replace(self, warnings=(notice, *self.warnings), when=when)

    def as_json(self) -> dict[str, Any]:
        """What is kept with the change: what was shown when it was confirmed."""
        return {
            "fields": [field.as_json() for field in self.fields],
            "warnings": [notice.as_json() for notice in self.warnings],
            "route": self.route.as_json(),
            "undo": self.undo.as_json(),
            "when": self.when.as_json(),
            "facts_at": self.facts_at.isoformat(),
        }


def make_plan(
    kind: Kind[Any],
    record: Mirrored,
    values: Mapping[str, Any],
    *,
    key: str,
    at: datetime,
    is_fresh: bool,
    is_missing: bool = False,
) -> Plan:
    """The plan from the mirror's facts. Reads no Feishu; see services.changes.plan_change.

    `values`: the cleaned form. `key`: the submission key of the form. `is_missing`: Feishu
    says that it has no such record. Raises feishu InvalidCall when no request can be made.
    """
    today = remote.tenant_day(at)
    day = kind.effective_day(values)
    blockers = [*_open_changes(record), *kind.blockers(record, values, today=today)]
    if is_missing:
        blockers.insert(0, NOTICES["feishu.record-missing"])
    warnings = [*kind.warnings(record, values, today=today), *_about_the_day(day)]
    if not is_fresh:
        warnings.append(OLD_FACTS)
    waits = day is not None and day > today
    return Plan(
        kind=kind,
        record=record,
        key=key,
        values=values,
        call=kind.call(record, values, key=key),
        pre_image=kind.facts(kind.known(record)),
        fields=tuple(kind.field_changes(record, values)),
        blockers=tuple(blockers),
        warnings=tuple(warnings),
        route=kind.route_for(record),
        undo=kind.undo,
        when=ON_THE_DAY.fill(day=day) if waits else AT_ONCE,
        effective_at=_midnight(day) + kind.day_margin if waits and day is not None else at,
        facts_at=record.asked_at,
        is_fresh=is_fresh,
    )


def image_hash(image: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical text of a set of facts, in hex."""
    text = json.dumps(image, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def shown_request(change: StatusChange) -> ShownRequest:
    """The frozen request of a change, for its page."""
    call = remote.Call.from_canonical(change.payload)
    body = json.dumps(call.body, ensure_ascii=False, indent=2)
    path = quote(call.path, safe="/=:_-")
    return ShownRequest(call.endpoint.method, path, call.query, body)


def _open_changes(record: Mirrored) -> list[Notice]:
    return [
        Notice(
            OPEN_CHANGE.code,
            Words(
                OPEN_CHANGE.sentence.zh.format(number=pk, verb=kind_named(name).title.zh),
                OPEN_CHANGE.sentence.en.format(number=pk, verb=kind_named(name).title.en),
            ),
            OPEN_CHANGE.advice,
        )
        for pk, name in StatusChange.objects.filter(
            person_id=record.person_id, status__in=OPEN
        ).values_list("pk", "kind")
    ]


def _about_the_day(day: date | None) -> list[Notice]:
    if day is None:
        return []
    notice = calendars.day_off_notice(day)
    return [notice] if notice else []


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=remote.tenant_zone())
