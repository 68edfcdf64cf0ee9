"""The auditors' log on the screen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from lifecycle import action_log, policies, queries
from lifecycle.models import ActionEntry, Role, StatusChange
from lifecycle.policies import Capability
from lifecycle.queries import EntryFilter
from lifecycle.queries.names import department_choices
from lifecycle.services import settings_log
from lifecycle.views.answers import (
    acting_user,
    flat,
    neighbour_queries,
    page,
    push_address,
)

EVENT_LABELS: dict[str, str | Promise] = {
    "change.planned": _("Plan looked at"),
    "change.requested": _("Change asked for"),
    "change.sending": _("Sent to Feishu"),
    "change.succeeded": _("Change done"),
    "change.failed": _("Change not done"),
    "change.postponed": _("Tried again later"),
    "change.verifying": _("No clear answer"),
    "change.answered_late": _("Late answer"),
    "change.not_applied": _("Found not applied"),
    "change.needs_attention": _("Decision needed"),
    "change.cancelled": _("Change cancelled"),
    "change.approved": _("Confirmed by a second person"),
    "change.rejected": _("Rejected by a second person"),
    "change.expired": _("Change void"),
    "user.signed_in": _("Sign-in"),
    "user.sign_in_failed": _("Sign-in failed"),
    "user.sign_ins_failing": _("Many sign-ins failed"),
    "user.refused": _("Refused"),
    "user.refusals_unlisted": _("Refused many times"),
    "user.signed_out": _("Sign-out"),
    "user.sessions_ended": _("Sessions ended"),
    "user.password_changed": _("Password changed"),
    "user.second_step_on": _("Second step on"),
    "user.second_step_off": _("Second step off"),
    "user.second_step_reset": _("Second step reset"),
    "user.recovery_codes_renewed": _("Recovery codes renewed"),
    "user.recovery_code_used": _("Recovery code used"),
    "user.created": _("User created"),
    "user.changed": _("User changed"),
    "export.started": _("Export begun"),
    "export.finished": _("Export done"),
    "log.check_requested": _("Check of the log asked for"),
    "log.checked": _("Log checked"),
    "changes.check_requested": _("Check of the changes asked for"),
    "changes.checked": _("Changes checked"),
    "log.sample_drawn": _("Sample drawn"),
    "log.reviewed": _("Entry reviewed"),
    "log.evidence_taken": _("Evidence taken"),
    "log.private_erased": _("Private values erased"),
    "log.person_erased": _("Personal data of one person erased"),
    "log.protected": _("Protection of the log put back"),
    "log.hold_placed": _("Legal hold placed"),
    "log.hold_released": _("Legal hold released"),
    "sync.requested": _("Sync asked for"),
    "drift.taken": _("Contradiction taken on"),
    "drift.dismissed": _("Contradiction dismissed"),
    "sync.kind_requested": _("Sync asked for"),
    "sync.paused": _("Sync paused"),
    "sync.resumed": _("Sync goes on"),
    "sync.finished": _("Sync finished"),
    "sync.failed": _("Sync failed"),
    "record.changed_in_feishu": _("Changed in Feishu"),
    "sync.case_opened": _("Sync held back"),
    "sync.case_accepted": _("Sync taken as right"),
    "sync.case_ignored": _("Sync ignored"),
    "sync.case_passed": _("Sync right again"),
    "request.asked": _("Decision asked for"),
    "request.approved": _("Conversion agreed to"),
    "request.extended": _("Probation extended"),
    "request.declined": _("Not to be converted"),
    "request.void": _("Request void"),
    "request.cancelled": _("Request taken back"),
    "request.reassigned": _("Decision reassigned"),
    "request.escalated": _("Passed up the line"),
    "request.reminded": _("Leader reminded"),
    "request.step_agreed": _("Agreed at one step"),
    "message.undelivered": _("Message not delivered"),
    "message.sent_again": _("Message sent again"),
    "settings.approval_steps": _("Approval steps changed"),
    "settings.noted": _("Settings written down"),
    "settings.changed": _("Settings changed"),
    "delegation.created": _("Stand-in named"),
    "delegation.ended": _("Stand-in ended"),
    "writes.stopped": _("Writing stopped"),
    "writes.started": _("Writing goes on"),
}

EVENT_ICONS: dict[str, str] = {
    "change.planned": "file-text",
    "change.requested": "user-check",
    "change.sending": "send",
    "change.succeeded": "circle-check",
    "change.failed": "circle-x",
    "change.postponed": "hourglass",
    "change.verifying": "file-search",
    "change.answered_late": "hourglass",
    "change.not_applied": "history",
    "change.needs_attention": "circle-alert",
    "change.cancelled": "ban",
    "change.approved": "stamp",
    "change.rejected": "x",
    "change.expired": "ban",
    "user.signed_in": "user",
    "user.sign_in_failed": "triangle-alert",
    "user.sign_ins_failing": "triangle-alert",
    "user.refused": "ban",
    "user.refusals_unlisted": "ban",
    "user.signed_out": "log-out",
    "user.sessions_ended": "log-out",
    "user.password_changed": "key-round",
    "user.second_step_on": "shield-check",
    "user.second_step_off": "shield-off",
    "user.second_step_reset": "shield-off",
    "user.recovery_codes_renewed": "key-round",
    "user.recovery_code_used": "key-round",
    "user.created": "user-plus",
    "user.changed": "user-cog",
    "export.started": "download",
    "export.finished": "download",
    "log.check_requested": "shield",
    "log.checked": "shield-check",
    "changes.check_requested": "shield",
    "changes.checked": "shield-check",
    "log.sample_drawn": "dices",
    "log.reviewed": "clipboard-check",
    "log.evidence_taken": "file-check",
    "log.private_erased": "eraser",
    "log.person_erased": "eraser",
    "log.protected": "shield",
    "log.hold_placed": "lock",
    "log.hold_released": "lock-open",
    "sync.requested": "refresh-cw",
    "drift.taken": "user-check",
    "drift.dismissed": "ban",
    "sync.kind_requested": "refresh-cw",
    "sync.paused": "circle-pause",
    "sync.resumed": "circle-play",
    "sync.finished": "refresh-cw",
    "sync.failed": "triangle-alert",
    "record.changed_in_feishu": "eye",
    "sync.case_opened": "shield-alert",
    "sync.case_accepted": "shield-alert",
    "sync.case_ignored": "shield-alert",
    "sync.case_passed": "shield-alert",
    "request.asked": "send",
    "request.approved": "user-check",
    "request.extended": "hourglass",
    "request.declined": "user-x",
    "request.void": "ban",
    "request.cancelled": "undo-2",
    "request.reassigned": "users",
    "request.escalated": "arrow-up",
    "request.reminded": "bell",
    "request.step_agreed": "check",
    "message.undelivered": "circle-alert",
    "message.sent_again": "send",
    "settings.approval_steps": "list-checks",
    "settings.noted": "settings-2",
    "settings.changed": "sliders-horizontal",
    "delegation.created": "user-plus",
    "delegation.ended": "user-minus",
    "writes.stopped": "octagon-pause",
    "writes.started": "circle-play",
}
BAD_EVENTS = frozenset(
    {
        "change.failed",
        "change.rejected",
        "user.sign_in_failed",
        "user.sign_ins_failing",
        "user.refused",
        "user.refusals_unlisted",
        "log.protected",
        "sync.failed",
        "sync.case_opened",
        "writes.stopped",
    }
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One entry as the list shows it."""

    readable: action_log.ReadableEntry

    @property
    def entry(self) -> ActionEntry:
        return self.readable.entry

    @property
    def label(self) -> str:
        return str(EVENT_LABELS.get(self.entry.event, self.entry.event))

    @property
    def icon(self) -> str:
        return EVENT_ICONS.get(self.entry.event, "scroll-text")

    @property
    def tone(self) -> str:
        if self.entry.event in BAD_EVENTS:
            return "bad"
        return {"change.succeeded": "good", "change.needs_attention": "attention"}.get(
            self.entry.event, "plain"
        )

    @property
    def log_id(self) -> str:
        return str(self.readable.data.get("log_id") or "")


@require_safe
def log(request: HttpRequest) -> HttpResponse:
    _require_reader(request)
    params = flat(request.GET)
    narrowed = EntryFilter.read(params, events=action_log.EVENTS)
    entries = queries.entry_page(request.user, narrowed, params)
    context = {
        "narrowed": narrowed,
        "page": entries,
        **neighbour_queries(narrowed, entries),
        "lines": [LogLine(line) for line in action_log.entries_with_sentences(entries.rows)],
        "query": narrowed.query_string(),
        "events": [(name, EVENT_LABELS.get(name, name)) for name in action_log.EVENTS],
        "actors": [(str(user.pk), user.name) for user in queries.actors()],
        "actor": str(narrowed.actor or ""),
        "verbs": action_log.VERBS.items(),
        "outcomes": StatusChange.Status.choices,
        "departments": department_choices(request.user),
        "views": queries.saved_views(acting_user(request)),
    }
    response = page(request, "log/list.html", "log/_table.html", context)
    return push_address(request, response, narrowed, params)


@require_safe
def log_entry(request: HttpRequest, seq: int) -> HttpResponse:
    _require_reader(request)
    entry = policies.entry_for(request.user, seq)
    (readable,) = action_log.entries_with_sentences([entry])
    private = action_log.private_values(entry)
    change_id = queries.change_told_of(readable)
    beside = queries.steps_of_change(request.user, change_id, seq)
    steps = action_log.entries_with_sentences(beside.entries)
    change = _change_of(request, change_id)
    context = {
        "line": LogLine(readable),
        "entry": entry,
        "readable": readable,
        "role_label": dict(Role.choices).get(entry.role, entry.role),
        "fields": _fields(readable),
        "seen": queries.seen_fields(
            str(readable.data.get("record_kind", "")), private.pop("values", "")
        ),
        "told_settings": settings_log.told_settings(
            entry.event, readable.data, private.pop(settings_log.ADDRESSES, "")
        ),
        "private": private,
        "attempt": queries.logged_attempt(readable, steps, is_all=len(steps) < queries.MOST_STEPS),
        "neighbours": beside,
        "steps": [LogLine(step) for step in steps],
        "change_id": change_id,
        "change": change,
        "logged": queries.logged_change(change, steps) if change else None,
        "tenant_zone": settings.TIME_ZONE,
    }
    return render(request, "log/detail.html", context)


def _change_of(request: HttpRequest, change_id: int | None) -> StatusChange | None:
    """The change an entry is about, as it was planned; who reads the entry may see it."""
    if change_id is None:
        return None
    return policies.visible_changes(request.user).filter(pk=change_id).first()


def _fields(readable: action_log.ReadableEntry) -> list[tuple[str, Any]]:
    """The chained data by name; what stands beside the chain is shown apart, and so are all the
    settings of an entry about them."""
    is_settings = readable.entry.event in (settings_log.NOTED, settings_log.CHANGED)
    told_above = ("values", "changed") if is_settings else ()
    return [
        (name, json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value)
        for name, value in sorted(readable.data.items())
        if value not in (None, "") and not name.startswith("private_") and name not in told_above
    ]


def _require_reader(request: HttpRequest) -> None:
    if not policies.can(request.user, Capability.READ_LOG):
        raise PermissionDenied
