"""For load balancers and monitoring: alive, and ready to serve."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from lifecycle.services import health
from lifecycle.services import metrics as metric_service


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


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Off (404) without METRICS_TOKEN; with it, for `Authorization: Bearer <token>` only."""
    if not settings.METRICS_TOKEN:
        raise Http404
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    text = metric_service.exposition(at=timezone.now())
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")
