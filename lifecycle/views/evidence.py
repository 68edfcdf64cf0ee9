"""What proves the log: its check, its checkpoints, and packs of evidence to take away."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lifecycle import policies, queries
from lifecycle.errors.problems import InvalidValues
from lifecycle.evidence import keys
from lifecycle.policies import Capability
from lifecycle.services import audit, evidence
from lifecycle.services.evidence import PackScope
from lifecycle.views.answers import acting_user, flat, see_other, wants_partial


@require_safe
def verify_log(request: HttpRequest) -> HttpResponse:
    _require(request, Capability.VERIFY_LOG)
    context = {
        "state": queries.log_proof(at=timezone.now()),
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
    return see_other("verify-log")


@require_http_methods(["GET", "HEAD", "POST"])
def take_evidence(request: HttpRequest) -> HttpResponseBase:
    _require(request, Capability.TAKE_EVIDENCE)
    params = flat(request.POST if request.method == "POST" else request.GET)
    scope = PackScope.read(params, today=timezone.localdate())
    status = 200
    if request.method == "POST":
        try:
            pack = evidence.take_evidence(
                scope,
                purpose=params.get("purpose", ""),
                acting_user=acting_user(request),
                at=timezone.now(),
            )
            return _file(pack)
        except InvalidValues:
            status = 422
    context = {
        "scope": scope,
        "title": scope.title,
        "count": scope.count(),
        "most": evidence.MOST_ENTRIES,
        "purpose": params.get("purpose", ""),
        "is_refused": status != 200,
    }
    return render(request, "log/evidence.html", context, status=status)


def _file(pack: evidence.Pack) -> HttpResponseBase:
    response = FileResponse(
        pack.file, as_attachment=True, filename=pack.filename, content_type="application/zip"
    )
    response["Cache-Control"] = "no-store"
    response["X-Content-SHA256"] = pack.sha256
    return response


def _require(request: HttpRequest, capability: Capability) -> None:
    if not policies.can(request.user, capability):
        raise PermissionDenied
