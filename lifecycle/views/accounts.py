"""Signing in with a password, and signing out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LogoutView
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from lifecycle.floods import number_this_minute
from lifecycle.models import User
from lifecycle.services import feishu_sign_in, second_step, sign_ins
from lifecycle.views import half_way
from lifecycle.views.answers import safe_next
from lifecycle.views.sign_in_limits import client_address, take_slots

DEMO_USERNAMES = ("hr", "manager", "auditor", "admin")


class SignInForm(AuthenticationForm):
    """Django's form, behind the limits: when they are used up no password is looked at."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": _(
            "The user name and the password do not match. Check both and try again."
        ),
        "too_many": _(
            "Too many failed sign-ins. Wait 15 minutes and try again, or ask your administrator"
            " to set a new password."
        ),
    }

    def clean(self) -> dict[str, Any]:
        assert self.request is not None  # noqa: S101 - the view always passes it
        if not {"username", "password"} <= self.cleaned_data.keys():
            return self.cleaned_data
        slots = take_slots(self.request, self.cleaned_data["username"])
        if slots is None:
            _note_too_many(self.request, self.cleaned_data["username"])
            raise ValidationError(self.error_messages["too_many"], code="too_many")
        cleaned = super().clean()
        slots.give_back()
        return cleaned


@login_not_required
@sensitive_post_parameters()
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    home = resolve_url(settings.LOGIN_REDIRECT_URL)
    back = safe_next(request, home) if request.method == "POST" else request.GET.get("next", "")
    if request.user.is_authenticated:
        return HttpResponseRedirect(home)
    form = SignInForm(request, data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _after_password(request, form.get_user(), back)
    context = {
        "form": form,
        "next": request.POST.get("next", back),
        "with_feishu": feishu_sign_in.is_on(),
        **_demo(),
    }
    return render(request, "accounts/sign_in.html", context, status=_status_of(form))


def _after_password(request: HttpRequest, user: User, back: str) -> HttpResponse:
    """The right password is all there is to it, unless a second step belongs to it."""
    has_one = second_step.of(user) is not None
    if has_one or second_step.must_have(user):
        half_way.begin(request, user, next=back, at=timezone.now())
        return redirect("second-step" if has_one else "first-second-step")
    login(request, user)
    return HttpResponseRedirect(back)


def _note_too_many(request: HttpRequest, username: str) -> None:
    """Once a minute and address: an attempt whose password nobody looks at costs next to nothing,
    and a flood of them must not take the place of others in the log."""
    if number_this_minute(f"sign-ins-shut-out:{client_address(request)}") == 1:
        sign_ins.failed("sign-in.too-many", username=username)


def _demo() -> dict[str, Any]:
    """The sign-ins of the demo tenant, only where the settings offer them."""
    if not getattr(settings, "DEMO_SIGN_INS", False):
        return {}
    users = User.objects.filter(username__in=DEMO_USERNAMES, is_active=True).order_by("pk")
    return {"demo_sign_ins": list(users), "demo_password": settings.DEMO_PASSWORD}


def _status_of(form: SignInForm) -> int:
    if form.is_bound and form.has_error(NON_FIELD_ERRORS, "too_many"):
        return 429
    return 422 if form.errors else 200


sign_out = login_not_required(LogoutView.as_view())
