"""For load balancers and monitoring: alive, and ready to serve."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from lifecycle.services import health


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    checks = health.readiness()
    is_ready = all(check.ok for check in checks)
    body = {
        "ready": is_ready,
        "checks": [{"name": c.name, "ok": c.ok, "detail": str(c.detail)} for c in checks],
    }
    return JsonResponse(body, status=200 if is_ready else 503)
