"""What a reading tells that the mirror did not know: change events.

`lifecycle/mirror.py` asks here for each batch before it writes it, and writes the events with
it. A difference is ours when a change of the same person was under way between the two readings
and wanted just this; everything else was done in Feishu. Right after a change of ours, a search
may still show the record as it was: such a row is not believed until the endpoint's
SETTLE_SECONDS are over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from lifecycle import action_log, change_states, remote, rules, watched
from lifecycle.change_states import ChangeStatus
from lifecycle.models import Attempt, ChangeEvent, StatusChange, SyncRun
from lifecycle.models.mirror import Mirrored
from lifecycle.remote import Outcome
from lifecycle.watched import WatchedKind

What, Source = ChangeEvent.What, ChangeEvent.Source
EVENT_BATCH = 500
# Events the log is told of at the end of a block; None outside of one.
_untold: ContextVar[list[ChangeEvent] | None] = ContextVar("untold", default=None)
# What an attempt may have done to Feishu: it runs, it was confirmed, or nobody knows.
MAY_HAVE_ACTED = ("", Outcome.APPLIED.value, Outcome.UNKNOWN.value)
Test = Callable[[Mapping[str, Any]], bool]
# By kind of record and field, what a change of ours brings about there.
Wants = Mapping[tuple[str, str], Test]
UNSETTLED = tuple(status.value for status in change_states.EXCLUSIVE_STATUSES)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a reading comes from. `trails`: a search, which may be behind what it is about."""

    source: ChangeEvent.Source = Source.CONSOLE
    trails: bool = False


READ = Origin()
POLLED = Origin(trails=True)
PUSHED = Origin(source=Source.PUSH, trails=True)


@dataclass(frozen=True, slots=True)
class Version:
    """A record at one reading."""

    columns: Mapping[str, Any]
    payload: Mapping[str, Any]
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One record between two readings; `before` None for one nobody had seen."""

    feishu_id: str
    person_id: int
    before: Version | None
    after: Version


@dataclass(slots=True)
class Found:
    """`behind`: ids of records shown as they were before a change of ours."""

    events: list[ChangeEvent] = field(default_factory=list)
    behind: set[str] = field(default_factory=set)


def version_of(row: Mirrored) -> Version:
    """The record as the mirror holds it."""
    return Version(vars(row), row.payload, row.asked_at)


def found_in(model: type[Mirrored], steps: Sequence[Step], origin: Origin) -> Found:
    """The events of a batch; two queries at most, and none when nothing has changed."""
    kind = watched.KINDS[model]
    drafts = [draft for step in steps for draft in _drafts(kind, step)]
    if any(draft.what is What.CAME for draft in drafts) and not _is_imported(kind):
        drafts = [draft for draft in drafts if draft.what is not What.CAME]
    if not drafts:
        return Found()
    ours = _our_changes({draft.step.person_id for draft in drafts})
    found = Found()
    if origin.trails:
        found.behind = {d.step.feishu_id for d in drafts if _is_behind(kind, d, ours)}
    found.events = [
        _event(kind, draft, origin, _change_behind(kind, draft, ours))
        for draft in drafts
        if draft.step.feishu_id not in found.behind
    ]
    return found


def gone(rows: Iterable[Mirrored], *, at: datetime) -> None:
    """These records are no longer in Feishu."""
    rows = list(rows)
    ours = _our_changes({row.person_id for row in rows}) if rows else {}
    events = []
    for row in rows:
        kind = watched.KINDS[type(row)]
        before, after = Version(vars(row), {}, row.asked_at), Version(vars(row), {}, at)
        draft = _Draft(Step(row.feishu_id, row.person_id, before, after), What.GONE)
        events.append(_event(kind, draft, READ, _change_behind(kind, draft, ours)))
    store(events)


def store(events: Sequence[ChangeEvent]) -> None:
    """Keep the events, and have the action log tell what others have done in Feishu: one entry
    for a record, whatever the number of its fields. Runs in the caller's transaction."""
    ChangeEvent.objects.bulk_create(events, batch_size=EVENT_BATCH)
    waiting = _untold.get()
    if waiting is None:
        _tell(events)
    else:
        waiting += events


@contextmanager
def told_last() -> Iterator[None]:
    """For a transaction that stores several records: the log tells of all that was found inside
    at the end of the block, because nothing else may be locked after the end of the log."""
    if _untold.get() is not None:
        yield
        return
    found: list[ChangeEvent] = []
    token = _untold.set(found)
    try:
        yield
    finally:
        _untold.reset(token)
    _tell(found)


def _tell(events: Sequence[ChangeEvent]) -> None:
    outside: dict[tuple[str, str, str], list[ChangeEvent]] = {}
    for event in events:
        if not event.is_ours:
            key = (event.record_kind, event.feishu_id, event.what)
            outside.setdefault(key, []).append(event)
    action_log.record_observations(
        "record.changed_in_feishu",
        [_observation(of_record) for of_record in outside.values()],
        at=timezone.now(),
    )


def _observation(events: Sequence[ChangeEvent]) -> action_log.Observation:
    """What was seen of one record. The values are personal, so they stand beside the chain."""
    first = events[0]
    fields = [event.field for event in events if event.field]
    values = [[event.field, event.before, event.after] for event in events if event.field]
    return action_log.Observation(
        first.person_id,
        {
            "record_kind": first.record_kind,
            "subject_id": first.feishu_id,
            "what": first.what,
            "source": first.source,
            "fields": fields,
            "alerts": sorted({event.alert for event in events if event.alert}),
        },
        {"values": json.dumps(values, ensure_ascii=False)} if values else {},
    )


# -- differences --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Draft:
    step: Step
    what: ChangeEvent.What
    name: str = ""
    before: str = ""
    after: str = ""


def _drafts(kind: WatchedKind, step: Step) -> list[_Draft]:
    before = step.before
    if before is None or before.columns.get("gone_at") is not None:
        return [_Draft(step, What.CAME)] if kind.tells_new else []
    old = watched.values_of(kind, before.columns, before.payload)
    new = watched.values_of(kind, step.after.columns, step.after.payload)
    return [
        _Draft(step, What.CHANGED, one.name, old[one.name], new[one.name])
        for one in kind.fields
        if old[one.name] != new[one.name] and not (one.is_learnt and not old[one.name])
    ]


def _is_imported(kind: WatchedKind) -> bool:
    """Whether all of them have been read once, so that one nobody had seen is new."""
    return SyncRun.objects.filter(kind=kind.sync, state=SyncRun.State.DONE, since=None).exists()


def _event(
    kind: WatchedKind, draft: _Draft, origin: Origin, change: StatusChange | None
) -> ChangeEvent:
    step, one = draft.step, kind.field(draft.name)
    before, after = draft.before, draft.after
    alert = "" if change else kind.alert_of(draft.name or draft.what, before, after)
    if one is not None and step.before is not None:
        before = watched.shown_value(one, before, step.before.payload)
        after = watched.shown_value(one, after, step.after.payload)
    return ChangeEvent(
        record_kind=kind.name,
        feishu_id=step.feishu_id,
        person_id=step.person_id,
        department_id=step.after.columns.get("department_id") or "",
        what=draft.what,
        field=draft.name,
        before=before,
        after=after,
        seen_at=step.after.asked_at,
        source=Source.OURS if change else origin.source,
        change=change,
        alert=alert,
    )


# -- what we did ourselves ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _OurChange:
    """A change, until when Feishu may have carried it out, and when every search shows it."""

    change: StatusChange
    wants: Wants
    until: datetime
    is_confirmed: bool
    settled_by: datetime

    def wanted(self, kind: WatchedKind, name: str, columns: Mapping[str, Any]) -> bool | None:
        """Whether these columns show what it wanted of this field; None: it wants nothing."""
        test = self.wants.get((kind.name, name))
        return None if test is None else test(columns)


def _our_changes(person_ids: set[int]) -> Mapping[int, list[_OurChange]]:
    """By person, the latest first."""
    attempts = Attempt.objects.filter(
        Q(outcome__in=MAY_HAVE_ACTED), change__person_id__in=person_ids
    ).select_related("change")
    first: dict[int, _OurChange] = {}
    for attempt in attempts.order_by("-change_id", "-number"):
        if attempt.change_id not in first:
            first[attempt.change_id] = _our_change(attempt)
    found: dict[int, list[_OurChange]] = {}
    for one in first.values():
        found.setdefault(one.change.person_id, []).append(one)
    return found


def _our_change(attempt: Attempt) -> _OurChange:
    change = attempt.change
    ended_at = change.finished_at or attempt.finished_at
    is_open = change.status in UNSETTLED or ended_at is None
    call = remote.Call.from_canonical(change.payload)
    settle = settings.SETTLE_AFTER.get(call.endpoint.name, timedelta(0))
    return _OurChange(
        change=change,
        wants=wants(change.kind, call.body or {}),
        until=timezone.now() if is_open or ended_at is None else ended_at,
        is_confirmed=change.status == ChangeStatus.SUCCEEDED,
        settled_by=(ended_at or timezone.now()) + settle,
    )


def _change_behind(
    kind: WatchedKind, draft: _Draft, ours: Mapping[int, list[_OurChange]]
) -> StatusChange | None:
    """Our change that this difference is the effect of, if any: it was not over at the reading
    before, and wanted what this one shows."""
    step = draft.step
    name = draft.name or draft.what.value
    for one in ours.get(step.person_id, ()):
        was_over = step.before is not None and step.before.asked_at > one.until
        if not was_over and one.wanted(kind, name, step.after.columns):
            return one.change
    return None


def _is_behind(kind: WatchedKind, draft: _Draft, ours: Mapping[int, list[_OurChange]]) -> bool:
    """True when the mirror holds what a change of ours has done and the reading, asked so soon
    after it, does not."""
    step = draft.step
    if step.before is None:
        return False
    return any(
        one.is_confirmed
        and step.after.asked_at < one.settled_by
        and one.wanted(kind, draft.name, step.before.columns)
        and not one.wanted(kind, draft.name, step.after.columns)
        for one in ours.get(step.person_id, ())
    )


# -- what each verb wants -----------------------------------------------------------------


def wants(kind_name: str, body: Mapping[str, Any]) -> Wants:
    """By kind of record and field, what a change of this verb brings about there."""
    describe = _WANTS.get(kind_name)
    return describe(body) if describe else {}


def _is(name: str, value: object) -> Test:
    return lambda columns: columns.get(name) == value


def _any(columns: Mapping[str, Any]) -> bool:
    return True


def _day(ms: object) -> object:
    known = remote.times.ms_of(ms) if isinstance(ms, int | str) else None
    return remote.times.ms_to_day(known, remote.tenant_zone()) if known else None


def _stage(stage: rules.StageType) -> Wants:
    return {("applications", "stage_id"): _is("stage_type", stage.value)}


def _talent(*, is_onboarded: bool) -> Wants:
    return {("talents", "is_onboarded"): _is("is_onboarded", is_onboarded)}


def _converts(body: Mapping[str, Any]) -> Wants:
    on = _day(body["conversion_info"].get("actual_conversion_time"))
    return {
        ("employees", "conversion_status"): _is("conversion_status", "converted"),
        ("employees", "converted_on"): _is("converted_on", on),
    }


def _undoes_conversion(body: Mapping[str, Any]) -> Wants:
    return {
        ("employees", "conversion_status"): _is("conversion_status", "not_converted"),
        ("employees", "converted_on"): _is("converted_on", None),
    }


def _offboards(body: Mapping[str, Any]) -> Wants:
    on = _day(body["overboard_info"].get("actual_overboard_time"))
    return {
        ("employees", "onboard_status"): _is("onboard_status", "left"),
        ("employees", "left_on"): _is("left_on", on),
    }


def _undoes_offboarding(body: Mapping[str, Any]) -> Wants:
    return {
        ("employees", "onboard_status"): _is("onboard_status", "onboarded"),
        ("employees", "left_on"): _is("left_on", None),
    }


def _onboards(body: Mapping[str, Any]) -> Wants:
    return {
        ("employees", What.CAME.value): _any,
        **_stage(rules.StageType.ONBOARDED),
        **_talent(is_onboarded=True),
    }


def _restores(body: Mapping[str, Any]) -> Wants:
    return {
        ("employees", What.GONE.value): _any,
        **_stage(rules.StageType.PRE_HIRE),
        **_talent(is_onboarded=False),
    }


def _updates_pre_hire(body: Mapping[str, Any]) -> Wants:
    found: dict[tuple[str, str], Test] = {}
    status = (body.get("onboarding_status") or {}).get("enum_name")
    found["pre-hires", "onboarding_status"] = _is("onboarding_status", status)
    if body.get("hire_date"):
        day = str(body["hire_date"])[:10]
        found["pre-hires", "onboards_on"] = lambda columns: str(columns.get("onboards_on")) == day
    if body.get("ats_application_id"):
        wanted = body["ats_application_id"]
        found["pre-hires", "application_id"] = _is("application_id", wanted)
    if body.get("cost_center_rate"):
        found["pre-hires", "cost_center_rates"] = _any
    return found


# The columns by which A4's fields are watched under another name.
_COLUMNS = {"offboarding_date": "offboards_on", "expected_offboarding_date": "expected_on"}


def _edits_offboarding(body: Mapping[str, Any]) -> Wants:
    found: dict[tuple[str, str], Test] = {}
    for entry in body.get("update_data", ()):
        name, text = entry["field_name"], str(entry["value"])
        column = _COLUMNS.get(name)
        if column:
            found["offboardings", column] = _is_day(column, text[:10])
        elif watched.BY_NAME["offboardings"].field(name):
            found["offboardings", name] = _any
        else:
            found["offboardings", "custom_fields"] = _any
    return found


def _is_day(column: str, day: str) -> Test:
    return lambda columns: str(columns.get(column)) == day


_WANTS: dict[str, Callable[[Mapping[str, Any]], Wants]] = {
    "convert_employee": _converts,
    "undo_conversion": _undoes_conversion,
    "offboard_employee": _offboards,
    "undo_offboarding": _undoes_offboarding,
    "onboard_application": _onboards,
    "restore_to_pre_hire": _restores,
    "onboard_talent": lambda body: _talent(is_onboarded=True),
    "mark_talent_left": lambda body: {("talents", "is_onboarded"): _any},
    "update_pre_hire": _updates_pre_hire,
    "edit_offboarding": _edits_offboarding,
}
