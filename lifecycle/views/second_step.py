"""The second step: asked for when signing in, set up then or later, and switched off."""

from __future__ import annotations

from typing import Any

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from lifecycle.checks import is_demo
from lifecycle.errors.sign_in import SignInRefused
from lifecycle.models import User
from lifecycle.services import second_step, sign_ins
from lifecycle.templatetags.portal import words
from lifecycle.views import half_way
from lifecycle.views.accounts import DEMO_USERNAMES
from lifecycle.views.answers import acting_user
from lifecycle.views.sign_in_limits import take_code_slots

SEE_OTHER = 303
# Of a secret that somebody signed in is setting up, sealed.
_NEW_SECRET = "second_step_secret"  # noqa: S105 - a name


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


class RecoveryForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Recovery code"),
        max_length=60,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )


# -- signing in ---------------------------------------------------------------------------


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The code of whoever has just shown the right password."""
    now = timezone.now()
    known = half_way.of(request, at=now)
    if known is None:
        return redirect("sign-in")
    half, user = known
    step = second_step.of(user)
    if step is None:
        return redirect("first-second-step")
    with_recovery = "recovery" in request.GET
    form = (RecoveryForm if with_recovery else CodeForm)(request.POST or None)
    status = 200
    if request.method == "POST":
        status = _refused_code(request, form, user)
        if status == 200:
            half_way.finish(request, user)
            return HttpResponseRedirect(half.next, status=SEE_OTHER)
        sign_ins.failed("sign-in.too-many" if status == 429 else "sign-in.wrong-code", user=user)
    context = {
        "form": form,
        "person": user,
        "with_recovery": with_recovery,
        "demo_code": _demo_code(user, step.sealed_secret),
    }
    return render(request, "accounts/second_step.html", context, status=status)


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def set_up_first(request: HttpRequest) -> HttpResponse:
    """For whoever needs a second step and has none: without it no sign-in."""
    now = timezone.now()
    known = half_way.of(request, at=now)
    if known is None:
        return redirect("sign-in")
    half, user = known
    if second_step.of(user) is not None:
        return redirect("second-step")
    sealed = half.sealed
    if not sealed:
        sealed = second_step.new_secret()
        half_way.keep_secret(request, sealed)
    form = CodeForm(request.POST or None)
    status, codes = 200, None
    if request.method == "POST":
        status, codes = _set_up(request, form, user, sealed)
    if codes is not None:
        half_way.finish(request, user)
        shown = {"codes": codes, "next": half.next}
        return render(request, "accounts/recovery_codes_first.html", shown)
    context = {"form": form, "person": user, **_secret_shown(user, sealed)}
    return render(request, "accounts/first_second_step.html", context, status=status)


# -- one's own account --------------------------------------------------------------------


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """By choice: whoever has a password may ask for a code as well."""
    user = acting_user(request)
    if second_step.of(user) is not None:
        return redirect("account")
    sealed = request.session.get(_NEW_SECRET) or second_step.new_secret()
    request.session[_NEW_SECRET] = sealed
    form = CodeForm(request.POST or None)
    status, codes = 200, None
    if request.method == "POST":
        status, codes = _set_up(request, form, user, sealed)
    if codes is not None:
        del request.session[_NEW_SECRET]
        return render(request, "accounts/recovery_codes.html", {"codes": codes})
    context = {"form": form, "person": user, **_secret_shown(user, sealed)}
    return render(request, "accounts/set_up_second_step.html", context, status=status)


@sensitive_post_parameters()
@require_POST
def renew_recovery_codes(request: HttpRequest) -> HttpResponse:
    user = acting_user(request)
    if not _own_code_is_right(request, user):
        return HttpResponseRedirect(reverse("account"), status=SEE_OTHER)
    codes = second_step.renew_recovery_codes(user)
    return render(request, "accounts/recovery_codes.html", {"codes": codes})


@sensitive_post_parameters()
@require_POST
def switch_off(request: HttpRequest) -> HttpResponse:
    user = acting_user(request)
    if second_step.must_have(user):
        raise PermissionDenied
    if _own_code_is_right(request, user):
        second_step.switch_off(user)
        messages.success(request, _("The second step is off."))
    return HttpResponseRedirect(reverse("account"), status=SEE_OTHER)


# -- shared -------------------------------------------------------------------------------


def _set_up(
    request: HttpRequest, form: forms.Form, user: User, sealed: str
) -> tuple[int, list[str] | None]:
    """The status, and the recovery codes once the first code was right."""
    if not form.is_valid():
        return 422, None
    slots = take_code_slots(request, user.pk)
    if slots is None:
        return _say(form, SignInRefused("sign-in.too-many")), None
    try:
        codes = second_step.set_up(user, sealed, form.cleaned_data["code"], at=timezone.now())
    except SignInRefused as error:
        return _say(form, error), None
    slots.give_back()
    return 200, codes


def _refused_code(request: HttpRequest, form: forms.Form, user: User) -> int:
    """200 for the right code, which is used up then; the status to refuse it with otherwise."""
    if not form.is_valid():
        return 422
    slots = take_code_slots(request, user.pk)
    if slots is None:
        return _say(form, SignInRefused("sign-in.too-many"))
    try:
        right = second_step.check(user, form.cleaned_data["code"], at=timezone.now())
    except SignInRefused as error:
        return _say(form, error)
    if not right:
        return _say(form, SignInRefused("sign-in.wrong-code"))
    slots.give_back()
    return 200


def _own_code_is_right(request: HttpRequest, user: User) -> bool:
    form = CodeForm(request.POST)
    if _refused_code(request, form, user) == 200:
        return True
    messages.error(request, str(form.errors["code"][0]))
    return False


def _say(form: forms.Form, error: SignInRefused) -> int:
    notice = error.notice
    form.add_error("code", f"{words(notice.sentence)} {words(notice.advice)}")
    return error.http_status


def _secret_shown(user: User, sealed: str) -> dict[str, Any]:
    address = second_step.address_of(sealed, user)
    secret = second_step.open_secret(sealed)
    return {
        "picture": _qr_code(address),
        "address": address,
        "secret": " ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        "demo_code": _demo_code(user, sealed),
    }


def _qr_code(text: str) -> SafeString:
    """A picture to scan, black on white whatever the appearance: many apps see no other."""
    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True)
    return mark_safe(svg)  # noqa: S308 - squares only


def _demo_code(user: User, sealed: str) -> str:
    """The demo works without a phone: it shows what the app would. Nowhere else."""
    if not is_demo() or user.get_username() not in DEMO_USERNAMES:
        return ""
    return second_step.code_now(sealed, at=timezone.now())
