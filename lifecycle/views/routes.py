"""Who decides on conversions, one after the other, by department."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from lifecycle import policies, queries
from lifecycle.errors.problems import InvalidValues, NotAllowed, ReasonMissing
from lifecycle.errors.words import Notice
from lifecycle.services import routes
from lifecycle.views.answers import acting_user, flat, see_other


@require_http_methods(["GET", "POST"])
def approval_steps(request: HttpRequest) -> HttpResponse:
    """What is set, and a form that sets the steps of a department or takes them away."""
    user = acting_user(request)
    if not policies.may_set_approval_steps(user):
        raise NotAllowed
    if request.method == "GET":
        return _page(request)
    typed, at = flat(request.POST), timezone.now()
    department, reason = typed.get("department", ""), typed.get("reason", "")
    try:
        if typed.get("step") == "remove":
            routes.remove_route(department, reason=reason, acting_user=user, at=at)
        else:
            name = typed.get("route", "")
            routes.set_route(department, name, reason=reason, acting_user=user, at=at)
    except (InvalidValues, ReasonMissing) as error:
        return _page(request, error.notice)
    messages.success(request, _("Saved. It holds for requests from now on."))
    return see_other("approval-steps")


def _page(request: HttpRequest, notice: Notice | None = None) -> HttpResponse:
    typed = flat(request.POST)
    context = {
        "notice": notice,
        "typed_department": typed.get("department", ""),
        "typed_route": typed.get("route") or next(iter(routes.NAMED)),
        "typed_reason": typed.get("reason", ""),
        "configured": routes.configured(),
        "departments": queries.all_departments(),
        "choices": [
            (name, [str(step.label) for step in route]) for name, route in routes.NAMED.items()
        ],
    }
    return render(request, "probation/steps.html", context, status=422 if notice else 200)
