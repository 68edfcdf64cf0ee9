"""The second step: asked for when signing in, set up then or later, and switched off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
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
from lifecycle.views.answers import SEE_OTHER, acting_user, note_refusal, posted, see_other
from lifecycle.views.half_way import HalfWay
from lifecycle.views.sign_in_limits import take_code_slots

TOO_MANY, WRONG = "sign-in.too-many", "sign-in.wrong-code"
# Of a secret that somebody signed in is setting up, sealed.
_NEW_SECRET = "second_step_secret"  # noqa: S105 - a name

Used = TypeVar("Used")


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
@half_way.required
def ask(request: HttpRequest, half: HalfWay, user: User) -> HttpResponse:
    """The code of whoever has just shown the right password."""
    step = second_step.of(user)
    if step is None:
        return redirect("first-second-step")
    with_recovery = "recovery" in request.GET
    form = (RecoveryForm if with_recovery else CodeForm)(posted(request))
    if request.method == "POST":
        if _is_right(request, form, user):
            half_way.finish(request, user)
            return HttpResponseRedirect(half.next, status=SEE_OTHER)
        too_many = form.has_error("code", TOO_MANY)
        sign_ins.failed(TOO_MANY if too_many else WRONG, user=user)
    context = {
        "form": form,
        "person": user,
        "with_recovery": with_recovery,
        "demo_code": _demo_code(user, step.sealed_secret),
    }
    return render(request, "accounts/second_step.html", context, status=_status_of(form))


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@half_way.required
def set_up_first(request: HttpRequest, half: HalfWay, user: User) -> HttpResponse:
    """For whoever needs a second step and has none: without it no sign-in."""
    if second_step.of(user) is not None:
        return redirect("second-step")
    sealed = half.sealed
    if not sealed:
        sealed = second_step.new_secret()
        half_way.keep_secret(request, sealed)
    form = CodeForm(posted(request))
    codes = _set_up(request, form, user, sealed)
    if codes is not None:
        half_way.finish(request, user)
        shown = {"codes": codes, "next": half.next}
        return render(request, "accounts/recovery_codes_first.html", shown)
    context = {"form": form, "person": user, **_secret_shown(user, sealed)}
    return render(request, "accounts/first_second_step.html", context, status=_status_of(form))


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
    form = CodeForm(posted(request))
    codes = _set_up(request, form, user, sealed)
    if codes is not None:
        del request.session[_NEW_SECRET]
        return render(request, "accounts/recovery_codes.html", {"codes": codes})
    context = {"form": form, "person": user, **_secret_shown(user, sealed)}
    return render(request, "accounts/set_up_second_step.html", context, status=_status_of(form))


@sensitive_post_parameters()
@require_POST
def renew_recovery_codes(request: HttpRequest) -> HttpResponse:
    user = acting_user(request)
    if not _own_code_is_right(request, user):
        return see_other("account")
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
    return see_other("account")


# -- shared -------------------------------------------------------------------------------


def _set_up(request: HttpRequest, form: forms.Form, user: User, sealed: str) -> list[str] | None:
    """The recovery codes, once the first code was right."""
    at = timezone.now()
    return _tried(request, form, user, lambda code: second_step.set_up(user, sealed, code, at=at))


def _is_right(request: HttpRequest, form: forms.Form, user: User) -> bool:
    """True for the right code, which is used up then."""

    def use_up(code: str) -> bool:
        if second_step.check(user, code, at=timezone.now()):
            return True
        raise SignInRefused(WRONG)

    return _tried(request, form, user, use_up) is True


def _tried(
    request: HttpRequest, form: forms.Form, user: User, use: Callable[[str], Used]
) -> Used | None:
    """What `use` makes of the code; None, with the reason in the form, for one that is refused."""
    if not form.is_valid():
        return None
    slots = take_code_slots(request, user.pk)
    if slots is None:
        _say(form, SignInRefused(TOO_MANY))
        return None
    try:
        made = use(form.cleaned_data["code"])
    except SignInRefused as error:
        _say(form, error)
        return None
    slots.give_back()
    return made


def _own_code_is_right(request: HttpRequest, user: User) -> bool:
    form = CodeForm(request.POST)
    if _is_right(request, form, user):
        return True
    for why in (TOO_MANY, WRONG):
        if form.has_error("code", why):
            note_refusal(request, SignInRefused(why))
    messages.error(request, str(form.errors["code"][0]))
    return False


def _say(form: forms.Form, error: SignInRefused) -> None:
    notice = error.notice
    said = f"{words(notice.sentence)} {words(notice.advice)}"
    form.add_error("code", ValidationError(said, code=notice.code))


def _status_of(form: forms.Form) -> int:
    if form.is_bound and form.has_error("code", TOO_MANY):
        return 429
    return 422 if form.errors else 200


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
