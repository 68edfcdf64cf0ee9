"""The safeguards: stopping all writes to Feishu, the daily limits, what a sync has held back."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from lifecycle import policies
from lifecycle.changes import guards as change_guards
from lifecycle.errors.problems import GuardRefused, StepNotAllowed
from lifecycle.models import SyncCase, WritesSwitch
from lifecycle.policies import Capability
from lifecycle.services import guards as guard_service
from lifecycle.services import quarantine
from lifecycle.views.answers import acting_user, flat, note_refusal, see_other


def stop_seen(request: HttpRequest) -> WritesSwitch | None:
    """The stop in force, read once however many parts of a page ask for it."""
    if not hasattr(request, "_stop_seen"):
        request._stop_seen = change_guards.present_stop()  # type: ignore[attr-defined]
    stop: WritesSwitch | None = request._stop_seen  # type: ignore[attr-defined]
    return stop


@require_safe
def guards(request: HttpRequest) -> HttpResponse:
    return _guards_page(request)


@require_POST
def stop_writes(request: HttpRequest) -> HttpResponse:
    user = acting_user(request)
    try:
        in_flight = guard_service.stop_writes(
            reason=request.POST.get("reason", ""), acting_user=user, at=timezone.now()
        )
    except GuardRefused as error:
        return _guards_page(request, error)
    said = _("Writing to Feishu is stopped.")
    if in_flight:
        said += " " + ngettext(
            "%(number)s request was on its way already; it is not called back.",
            "%(number)s requests were on their way already; they are not called back.",
            in_flight,
        ) % {"number": in_flight}
    messages.success(request, said)
    return see_other("guards")


@require_POST
def start_writes(request: HttpRequest) -> HttpResponse:
    user = acting_user(request)
    try:
        held = guard_service.start_writes(
            reason=request.POST.get("reason", ""), acting_user=user, at=timezone.now()
        )
    except GuardRefused as error:
        return _guards_page(request, error)
    said = _("Writing to Feishu goes on.")
    if held:
        said += " " + ngettext(
            "%(number)s change that had been held up is sent now.",
            "%(number)s changes that had been held up are sent now, in their order.",
            held,
        ) % {"number": held}
    messages.success(request, said)
    return see_other("guards")


@require_POST
def decide_sync_case(request: HttpRequest, pk: int) -> HttpResponse:
    if not policies.can(request.user, Capability.START_SYNC):
        raise PermissionDenied
    case = get_object_or_404(SyncCase, pk=pk)
    said = flat(request.POST)
    decision = said.get("decision", "")
    try:
        quarantine.decide_case(
            case,
            decision=decision,
            reason=said.get("reason", ""),
            acting_user=acting_user(request),
            at=timezone.now(),
        )
    except StepNotAllowed as error:
        note_refusal(request, error)
        messages.error(request, _("Somebody has decided this already, or Feishu shows them again."))
    else:
        told = {
            SyncCase.Decision.GO_ON: _("The next sync stores them.")
            if case.is_foreign
            else _("The next sync takes them off the lists."),
            SyncCase.Decision.IGNORE: _("That answer is ignored; the next sync reads Feishu anew."),
        }
        messages.success(request, told[SyncCase.Decision(decision)])
    return see_other("sync")


def _guards_page(request: HttpRequest, error: GuardRefused | None = None) -> HttpResponse:
    """The page; with an error, as it stands now, with what was wrong above it."""
    user = request.user
    if error is not None:
        note_refusal(request, error)
    if not policies.can(user, Capability.SEE_GUARDS):
        raise PermissionDenied
    context = {
        "stop": stop_seen(request),
        "may_stop": policies.can(user, Capability.STOP_WRITES),
        "may_start": policies.can(user, Capability.START_WRITES),
        "deadline_s": int(settings.SEND_DEADLINE.total_seconds()),
        "limits": change_guards.used_today(acting_user(request), at=timezone.now()),
        "approval_days": settings.APPROVAL_DAYS,
        "notice": error.notice if error else None,
        "typed_reason": request.POST.get("reason", "") if error else "",
    }
    return render(request, "guards/page.html", context, status=error.http_status if error else 200)
