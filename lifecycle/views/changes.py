"""Asking for a status change, and following one to its end."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lifecycle import policies, queries, watched
from lifecycle.changes import kinds
from lifecycle.changes.kinds import Kind
from lifecycle.changes.plan import shown_request
from lifecycle.errors.problems import (
    InvalidValues,
    LifecycleError,
    NotAllowed,
    NotFound,
    StalePlan,
)
from lifecycle.errors.words import Notice
from lifecycle.models import Attempt, StatusChange
from lifecycle.models.guards import Approval
from lifecycle.models.mirror import Mirrored
from lifecycle.policies import Capability
from lifecycle.queries import ChangeFilter
from lifecycle.services import approvals
from lifecycle.services import changes as change_service
from lifecycle.views import change_words
from lifecycle.views.answers import (
    SEE_OTHER,
    acting_user,
    flat,
    is_on,
    neighbour_queries,
    note_refusal,
    page,
    push_address,
    wants_partial,
)
from lifecycle.views.guards import stop_seen
from lifecycle.views.records import listed_alone
from lifecycle.views.tabs import CHANGE_TAB_LABELS, Tab

APPROVERS_SHOWN = 8


# -- asking -------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def ask_for_change(request: HttpRequest, pk: int, kind_name: str) -> HttpResponse:
    """A form, then the plan, then the change: the same three steps for every verb."""
    kind = kinds.kind_named(kind_name)
    record = policies.record_for(request.user, kind.subject.model, pk)
    if not policies.can_request(request.user, kind.name, record):
        raise NotAllowed().about(person_id=record.person_id)
    undoes = _undone_change(request, kind, record)
    asking = Asking(request, kind, record, undoes)
    if request.method == "GET":
        change_service.refreshed(kind, record)
        return asking.show_form(asking.empty_form())
    form = asking.filled_form()
    if not form.is_valid() or request.POST.get("step") == "edit":
        return asking.show_form(form)
    if request.POST.get("step") == "confirm":
        return asking.confirm(form)
    return asking.show_plan(form)


def _undone_change(request: HttpRequest, kind: Kind[Any], record: Mirrored) -> StatusChange | None:
    """The change this one takes back, when the person came here to take one back."""
    number = (request.POST if request.method == "POST" else request.GET).get("undo", "")
    if not number.isdecimal() or len(number) > 18:
        return None
    return change_service.undoable_change(kind, record, int(number))


@dataclass(frozen=True, slots=True)
class Asking:
    """One person asking for one verb on one record."""

    request: HttpRequest
    kind: Kind[Any]
    record: Mirrored
    undoes: StatusChange | None

    def empty_form(self) -> forms.Form:
        return self.kind.form(
            self.record,
            today=timezone.localdate(),
            undoes=self.undoes,
            user=acting_user(self.request),
        )

    def filled_form(self) -> forms.Form:
        return self.kind.form(self.record, self.request.POST, today=timezone.localdate())

    def show_form(self, form: forms.Form, notice: Notice | None = None) -> HttpResponse:
        wrong = form.is_bound and self.request.POST.get("step") != "edit"
        context = {"form": form, "notice": notice}
        return self._show("form", context, status=422 if wrong or notice else 200)

    def show_plan(self, form: forms.Form, notice: Notice | None = None) -> HttpResponse:
        """The plan as it stands now; with a notice, the one that replaces an outdated plan."""
        try:
            plan = change_service.plan_change(
                self.kind,
                self.record,
                form.cleaned_data,
                acting_user=acting_user(self.request),
                submission_key=str(uuid.uuid4()),
                at=timezone.now(),
            )
        except InvalidValues as error:
            return self.show_form(form, error.notice)
        context = {
            "form": form,
            "plan": plan,
            "notice": notice,
        }
        return self._show("plan", context, status=422 if notice else 200)

    def confirm(self, form: forms.Form) -> HttpResponse:
        try:
            change = change_service.submit_change(
                self.kind,
                self.record,
                form.cleaned_data,
                acting_user=acting_user(self.request),
                submission_key=_key(self.request.POST.get("submission_key", "")),
                pre_image_hash=self.request.POST.get("pre_image_hash", ""),
                payload_hash=self.request.POST.get("payload_hash", ""),
                at=timezone.now(),
                undo_of=self.undoes,
            )
        except (NotAllowed, NotFound) as error:
            error.about(person_id=self.record.person_id)
            raise
        except LifecycleError as error:
            note_refusal(self.request, error, person_id=self.record.person_id)
            return self.show_plan(form, error.notice)
        if not wants_partial(self.request):
            return _see(change)
        context = self._context() | change_context(self.request, change)
        if is_on(self.request, reverse(queries.list_of(type(self.record)).name)):
            today = timezone.localdate()
            context |= listed_alone(self.request.user, self.record, today=today)
        return render(self.request, "changes/_asked.html", context)

    def _show(self, part: str, context: dict[str, Any], *, status: int) -> HttpResponse:
        return page(
            self.request,
            "changes/ask.html",
            f"changes/_{part}.html",
            self._context() | context | {"part": f"changes/_{part}.html"},
            status=status,
        )

    def _context(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "record": self.record,
            "person": self.record.person,
            "person_address": reverse("person", args=[self.record.person_id]),
            "about": self.kind.about(self.record),
            "undoes": self.undoes,
            "record_mirror": SimpleLazyObject(
                lambda: queries.mirror_state(
                    watched.KINDS[type(self.record)].sync, at=timezone.now()
                )
            ),
            "in_dialog": wants_partial(self.request),
            "ask_id": f"{self.kind.url_name}-{self.record.pk}",
            "action": reverse(self.kind.url_name, args=[self.record.pk]),
        }


def _key(text: str) -> str:
    """The key of the form that was shown. One that cannot be read is nobody's form."""
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise StalePlan from error


# -- following ----------------------------------------------------------------------------


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    params = flat(request.GET)
    narrowed = ChangeFilter.read(params, kinds=kinds.ALL)
    found = queries.change_page(request.user, narrowed, params)
    context = {
        "narrowed": narrowed,
        "page": found,
        **neighbour_queries(narrowed, found),
        "tabs": [
            Tab(tab, str(label), narrowed.with_tab(tab).query_string())
            for tab, label in CHANGE_TAB_LABELS.items()
        ],
        "kinds": kinds.ALL.values(),
    }
    response = page(request, "changes/list.html", "changes/_table.html", context)
    return push_address(request, response, narrowed, params)


@require_safe
def change(request: HttpRequest, pk: int) -> HttpResponse:
    found = policies.change_for(request.user, pk)
    return render(request, "changes/detail.html", change_context(request, found))


@require_safe
def change_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that moves; no content while it would read the same."""
    found = policies.change_for(request.user, pk)
    context = change_context(request, found)
    if not wants_partial(request):
        return _see(found)
    if request.GET.get("seen") == context["stamp"]:
        return HttpResponse(status=204)
    return render(request, "changes/_live_answer.html", context)


@require_POST
def cancel_change(request: HttpRequest, pk: int) -> HttpResponse:
    found = policies.change_for(request.user, pk)
    try:
        change_service.cancel_change(found, acting_user=acting_user(request), at=timezone.now())
    except (NotAllowed, NotFound) as error:
        error.about(person_id=found.person_id, change_id=found.pk)
        raise
    except LifecycleError as error:
        return _refused(request, found, error)
    return _moved(request, found)


@require_POST
def decide_change(request: HttpRequest, pk: int) -> HttpResponse:
    found = policies.change_for(request.user, pk)
    try:
        change_service.decide_change(
            found,
            verdict=request.POST.get("verdict", ""),
            reason=request.POST.get("reason", "").strip(),
            acting_user=acting_user(request),
            at=timezone.now(),
        )
    except (NotAllowed, NotFound) as error:
        error.about(person_id=found.person_id, change_id=found.pk)
        raise
    except LifecycleError as error:
        return _refused(request, found, error)
    return _moved(request, found)


@require_POST
def approve_change(request: HttpRequest, pk: int) -> HttpResponse:
    """A second person confirms or rejects the plan the page has shown."""
    found = policies.change_for(request.user, pk)
    user, at = acting_user(request), timezone.now()
    try:
        if request.POST.get("verdict") == "reject":
            reason = request.POST.get("reason", "")
            approvals.reject_change(found, reason=reason, acting_user=user, at=at)
        else:
            approvals.approve_change(
                found,
                payload_hash=request.POST.get("payload_hash", ""),
                pre_image_hash=request.POST.get("pre_image_hash", ""),
                acting_user=user,
                at=at,
            )
    except (NotAllowed, NotFound) as error:
        error.about(person_id=found.person_id, change_id=found.pk)
        raise
    except LifecycleError as error:
        return _refused(request, found, error)
    return _moved(request, found)


def change_context(request: HttpRequest, change: StatusChange) -> dict[str, Any]:
    """All the live part of a change's page shows."""
    at, user = timezone.now(), request.user
    attempts: list[Attempt] = list(change.attempts.all())
    said: list[Approval] = list(change.approvals.select_related("by"))
    stop = stop_seen(request)
    return _approval_context(request, change) | {
        "change": change,
        "on_own_page": not wants_partial(request)
        or is_on(request, reverse("change", args=[change.pk])),
        "kind": kinds.kind_named(change.kind),
        "attempts": attempts,
        "approvals": said,
        "is_held": stop is not None and change.is_waiting,
        "steps": change_words.steps_of(change, attempts, said),
        "story": change_words.story_of(change, was_sent=bool(attempts), at=at, stop=stop),
        "request_sent": shown_request(change),
        "comparison": change_words.comparison_of(change),
        "way_to_undo": _way_to_undo(change, request),
        "taken_back_by": change.undone_by.order_by("-pk").first(),
        "refusal": change_words.refusal_of(change),
        "watch": change_words.watch_interval(change, at=at, stop=stop),
        "stamp": change_words.stamp_of(change, attempts, stop),
        "may_cancel": (
            change.is_waiting or change.is_pending or (change.needs_attention and not attempts)
        )
        and policies.can_cancel(user, change),
        "may_decide": change.needs_attention and policies.can_decide(user, change),
        "decided_by_others": change.needs_attention
        and policies.can(user, Capability.DECIDE_CHANGE)
        and change.requested_by_id == user.pk,
    }


def _approval_context(request: HttpRequest, change: StatusChange) -> dict[str, Any]:
    """Who may answer a change that awaits approval; nothing for any other."""
    if not change.is_pending:
        return {}
    approvers = policies.approvers_of(change)
    return {
        "may_approve": policies.can_approve(request.user, change),
        "approvers": approvers[:APPROVERS_SHOWN],
        "more_approvers": max(0, len(approvers) - APPROVERS_SHOWN),
        "is_own_request": change.requested_by_id == request.user.pk,
    }


def _way_to_undo(change: StatusChange, request: HttpRequest) -> dict[str, Any] | None:
    way = change_service.way_to_undo(change, request.user)
    if way is None:
        return None
    kind, record = way
    return {"kind": kind, "address": f"{reverse(kind.url_name, args=[record.pk])}?undo={change.pk}"}


def _moved(request: HttpRequest, change: StatusChange) -> HttpResponse:
    if not wants_partial(request):
        return _see(change)
    fresh = policies.change_for(request.user, change.pk)
    return render(request, "changes/_live_answer.html", change_context(request, fresh))


def _refused(request: HttpRequest, change: StatusChange, error: LifecycleError) -> HttpResponse:
    """The same part again, as it stands now, with what was wrong above it."""
    note_refusal(request, error, change=change)
    fresh = policies.change_for(request.user, change.pk)
    context = change_context(request, fresh) | {
        "notice": error.notice,
        "typed_reason": request.POST.get("reason", ""),
    }
    return page(request, "changes/detail.html", "changes/_live.html", context, status=422)


def _see(change: StatusChange) -> HttpResponse:
    there = reverse("change", args=[change.pk])
    return HttpResponseRedirect(there, status=SEE_OTHER)
