"""One's own account: the second step, the password, and where one is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from lifecycle import queries
from lifecycle.errors.problems import NotFound
from lifecycle.errors.sign_in import SignInRefused
from lifecycle.models import User
from lifecycle.queries.narrowing import read_number
from lifecycle.services import feishu_sign_in, second_step, sign_ins
from lifecycle.services.users import change_password
from lifecycle.templatetags.portal import words
from lifecycle.views.answers import SEE_OTHER, acting_user, flat, note_refusal, see_other
from lifecycle.views.browsers import browser_words
from lifecycle.views.sign_in_limits import take_slots


class OwnPasswordForm(PasswordChangeForm):
    """Django's form, with its rules in a sentence, and without jumping to it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        self.fields["new_password1"].help_text = _(
            "At least 12 characters; neither a common password nor like your name."
        )
        self.fields["new_password2"].help_text = ""


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The page; a POST changes the password."""
    user = acting_user(request)
    form = OwnPasswordForm(user, request.POST or None)
    status = 200
    if request.method == "POST":
        status = _change_password(request, user, form)
        if status == SEE_OTHER:
            return see_other("account")
    now = timezone.now()
    step = second_step.of(user)
    context = {
        "person": user,
        "form": form,
        "with_feishu": feishu_sign_in.is_on(),
        "step": step,
        "must_have_step": second_step.must_have(user),
        "codes_left": second_step.recovery_codes_left(step) if step else 0,
        "sign_ins": shown_sign_ins(user, request, at=now),
    }
    return render(request, "accounts/account.html", context, status=status)


@require_POST
def end_own_sessions(request: HttpRequest) -> HttpResponse:
    """One of them, or all of them: this browser too."""
    user = acting_user(request)
    chosen = flat(request.POST).get("session")
    if chosen is None:
        sign_ins.end_all(user, acting_user=user)
        request.session.flush()
        messages.success(request, _("You are signed out everywhere."))
        return see_other("sign-in")
    end_chosen(user, chosen, acting_user=user)
    messages.success(request, _("That session is over."))
    return see_other("account")


def end_chosen(user: User, chosen: str, *, acting_user: User) -> None:
    number = read_number(chosen)
    if number is None:
        raise NotFound
    sign_ins.end_one(user, number, acting_user=acting_user)


def shown_sign_ins(user: User, request: HttpRequest, *, at: datetime) -> list[dict[str, Any]]:
    """The sessions as a page shows them."""
    present = request.session.session_key
    return [
        {
            "row": row,
            "browser": browser_words(row.agent),
            "is_this_one": row.session_key == present,
        }
        for row in queries.live_sign_ins(user, at=at)
    ]


def _change_password(request: HttpRequest, user: User, form: PasswordChangeForm) -> int:
    """Guesses at the old password count like failed sign-ins."""
    slots = take_slots(request, user.get_username())
    if slots is None:
        note_refusal(request, SignInRefused("sign-in.too-many"))
        form.add_error("old_password", words(SignInRefused("sign-in.too-many").notice.sentence))
        return 429
    if not form.is_valid():
        if "old_password" not in form.errors:
            slots.give_back()
        elif form.has_error("old_password", "password_incorrect"):
            note_refusal(request, SignInRefused("sign-in.password"))
        return 422
    slots.give_back()
    change_password(
        user,
        form.cleaned_data["new_password1"],
        acting_user=user,
        keep_session=str(request.session.session_key),
    )
    _stay_signed_in(request, user)
    messages.success(
        request, _("The password is changed. Everywhere else you have been signed out.")
    )
    return SEE_OTHER


def _stay_signed_in(request: HttpRequest, user: User) -> None:
    """Django gives the session a new key; the row beside it moves along."""
    before = str(request.session.session_key)
    update_session_auth_hash(request, user)
    sign_ins.moved(before, str(request.session.session_key))
