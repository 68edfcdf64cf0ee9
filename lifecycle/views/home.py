"""Where each role starts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from lifecycle import queries
from lifecycle.models import Role

FIRST_PAGES: dict[str, str] = {
    Role.HR: "employees",
    Role.MANAGER: "employees",
    Role.AUDITOR: "log",
    Role.ADMINISTRATOR: "sync",
}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    first = FIRST_PAGES.get(getattr(request.user, "role", ""))
    if first is None:
        return render(request, "errors/no_role.html", status=403)
    if queries.count_to_decide(request.user, today=timezone.localdate()):
        first = "inbox"
    return HttpResponseRedirect(reverse(first))
