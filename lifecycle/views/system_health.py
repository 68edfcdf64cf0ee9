"""Whether the portal does its work and keeps its promises, for people."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from lifecycle import policies, queries
from lifecycle.errors.words import Words
from lifecycle.policies import Capability
from lifecycle.services import health as health_service
from lifecycle.services import self_check
from lifecycle.views.answers import acting_user, page, see_other
from lifecycle.views.guards import stop_seen

PARTS = {
    "database": (
        gettext_lazy("Database"),
        gettext_lazy("Everything the portal knows stands here."),
    ),
    "migrations": (
        gettext_lazy("Database tables"),
        gettext_lazy("They fit this release of the portal."),
    ),
    "queue": (
        gettext_lazy("Queue"),
        gettext_lazy("Does what is asked for at once: sends, reads, mails."),
    ),
    "sweeper": (
        gettext_lazy("Worker"),
        gettext_lazy("Finds by itself what is due, also when the queue stands still."),
    ),
}
# What each invariant promises, in plain words (docs/operations.md lists them all).
PROMISES = {
    "I1-I3": Words("每项变更要么恰好生效一次，要么没有生效", "Each change has one effect, or none"),
    "I4": Words("发出的就是确认过的内容", "What was sent is what was confirmed"),
    "I7": Words("同一个人同时只办理一项变更", "One change of a person at a time"),
    "I8": Words("按生效顺序办理，不提前", "In order, and not before its day"),
    "I9": Words("尝试逐次编号，不超过上限", "Attempts are numbered and within the limit"),
    "I10": Words("状态只按规定的步骤变化", "Only the steps there are, by those who may"),
    "I11": Words("每一步都有且只有一条日志", "Each step has its one entry in the log"),
    "I12": Words("进行中的变更不会被遗忘", "What is under way is not forgotten"),
    "I15": Words("同一份表单就是同一项变更", "The same form is the same change"),
    "I16": Words("两次核对之后才会认定未生效", "“Not applied” only after looking twice"),
}


@require_safe
def system_health(request: HttpRequest) -> HttpResponse:
    if not policies.can(request.user, Capability.SEE_SYNC):
        raise PermissionDenied
    at = timezone.now()
    last, running = queries.change_checks(at=at)
    checks = health_service.readiness()
    context = {
        "parts": [(*PARTS[check.name], check) for check in checks],
        "is_ready": all(check.ok for check in checks),
        "under_way": queries.changes_under_way(),
        "pauses": queries.paused_endpoints(at=at),
        "stop": stop_seen(request),
        "last": last,
        "running": running,
        "violations": [
            (PROMISES.get(one["invariant"]), one) for one in (last.violations if last else [])
        ],
    }
    return page(request, "health/page.html", "health/_status.html", context)


@require_POST
def start_check(request: HttpRequest) -> HttpResponse:
    self_check.request(acting_user=acting_user(request))
    messages.success(request, _("The check starts within a few seconds. This page follows it."))
    return see_other("health")
