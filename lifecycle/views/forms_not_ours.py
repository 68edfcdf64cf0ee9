"""A form without the proof (CSRF) that it was sent from a page of ours."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import csrf

from lifecycle.errors.problems import FormNotOurs
from lifecycle.views.answers import note_refusal


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's own answer, templates/403_csrf.html; what was refused is logged."""
    note_refusal(request, FormNotOurs())
    return csrf.csrf_failure(request, reason=reason)
