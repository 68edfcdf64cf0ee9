"""Records that contradict each other, as cases somebody looks after."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lifecycle import policies, queries
from lifecycle.errors.problems import ReasonMissing, StepNotAllowed
from lifecycle.models import DriftCase
from lifecycle.policies import Capability
from lifecycle.queries.drift import DriftFilter, drift_page
from lifecycle.services import drift as drift_service
from lifecycle.views.answers import (
    acting_user,
    flat,
    neighbour_queries,
    note_refusal,
    page,
    push_address,
    see_other,
)
from lifecycle.views.tabs import Tab

SYNCS = drift_service.NEEDED


@require_safe
def drift(request: HttpRequest) -> HttpResponse:
    if not policies.can(request.user, Capability.SEE_DRIFT):
        raise PermissionDenied
    params = flat(request.GET)
    narrowed = DriftFilter.read(params)
    found, shown = drift_page(request.user, narrowed, params)
    context = {
        "narrowed": narrowed,
        "page": found,
        **neighbour_queries(narrowed, found),
        "shown": shown,
        "tabs": [
            Tab(value, label, DriftFilter(value).query_string())
            for value, label in DriftCase.State.choices
        ],
        "may_settle": policies.can(request.user, Capability.SETTLE_DRIFT),
        "drift_mirror": queries.oldest_mirror_state(SYNCS, at=timezone.now()),
    }
    response = page(request, "drift/list.html", "drift/_table.html", context)
    return push_address(request, response, narrowed, params)


@require_POST
def take_drift(request: HttpRequest, pk: int) -> HttpResponse:
    return _settle(request, pk, is_dismissed=False)


@require_POST
def dismiss_drift(request: HttpRequest, pk: int) -> HttpResponse:
    return _settle(request, pk, is_dismissed=True)


def _settle(request: HttpRequest, pk: int, *, is_dismissed: bool) -> HttpResponse:
    if not policies.can(request.user, Capability.SETTLE_DRIFT):
        raise PermissionDenied
    case = policies.drift_for(request.user, pk)
    user, at = acting_user(request), timezone.now()
    reason = request.POST.get("reason", "").replace("\x00", "")
    try:
        if is_dismissed:
            drift_service.dismiss(case, reason=reason, acting_user=user, at=at)
        else:
            drift_service.take(case, acting_user=user, at=at)
    except (ReasonMissing, StepNotAllowed) as error:
        note_refusal(request, error, person_id=case.person_id)
        messages.error(request, _("It is closed already, or the reason is missing."))
    else:
        said = _("Dismissed; it comes back when the records change.")
        messages.success(request, said if is_dismissed else _("You look after it now."))
    return see_other("drift")
