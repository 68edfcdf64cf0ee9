"""What proves the log: its check, its checkpoints."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lifecycle import policies, queries
from lifecycle.evidence import keys
from lifecycle.policies import Capability
from lifecycle.services import audit
from lifecycle.views.answers import acting_user, wants_partial

SEE_OTHER = 303


@require_safe
def verify_log(request: HttpRequest) -> HttpResponse:
    _require(request, Capability.VERIFY_LOG)
    context = {
        "state": queries.log_proof(),
        "has_key": keys.has_signing_key(),
        "public_keys": [(name, key.hex()) for name, key in keys.public_keys().items()],
        "directory": settings.LOG_CHECKPOINT_DIR,
        "emails": settings.LOG_CHECKPOINT_EMAILS,
    }
    template = "log/_check.html" if wants_partial(request) else "log/verify.html"
    return render(request, template, context)


@require_POST
def start_check(request: HttpRequest) -> HttpResponse:
    is_full = request.POST.get("full") == "1"
    audit.request_verification(is_full=is_full, acting_user=acting_user(request))
    return HttpResponseRedirect(reverse("verify-log"), status=SEE_OTHER)


def _require(request: HttpRequest, capability: Capability) -> None:
    if not policies.can(request.user, capability):
        raise PermissionDenied
