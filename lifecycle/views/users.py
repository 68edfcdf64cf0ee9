"""For administrators: everybody who may sign in, in which role, how, and where they are."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lifecycle import policies, queries
from lifecycle.forms.accounts import AccountForm, NewAccountForm
from lifecycle.models import Role, User
from lifecycle.policies import Capability
from lifecycle.queries.names import department_names
from lifecycle.services import feishu_sign_in, second_step, sign_ins
from lifecycle.services import users as user_service
from lifecycle.views.answers import acting_user, flat, posted, see_other
from lifecycle.views.my_account import end_chosen, shown_sign_ins

OPEN_ID_TAKEN = gettext_lazy("Another user is linked to this Feishu account already.")


@require_safe
def users(request: HttpRequest) -> HttpResponse:
    _require(request)
    context = {
        "users": list(queries.users_with_sign_ins(at=timezone.now())),
        "with_feishu": feishu_sign_in.is_on(),
    }
    return render(request, "users/list.html", context)


@require_safe
def user(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request)
    shown = get_object_or_404(User, pk=pk)
    names = department_names(set(shown.department_ids))
    context = {
        "person": shown,
        "step": second_step.of(shown),
        "must_have_step": second_step.must_have(shown),
        "with_feishu": feishu_sign_in.is_on(),
        "departments": sorted(
            names.get(feishu_id, feishu_id) for feishu_id in shown.department_ids
        ),
        "has_reach": shown.role == Role.HR,
        "is_own": shown.pk == request.user.pk,
        "sign_ins": shown_sign_ins(shown, request, at=timezone.now()),
    }
    return render(request, "users/detail.html", context)


@require_http_methods(["GET", "POST"])
def new_user(request: HttpRequest) -> HttpResponse:
    _require(request)
    form = NewAccountForm(posted(request), departments=_departments())
    if request.method == "POST" and form.is_valid():
        found = form.cleaned_data
        user = User(
            username=found["username"],
            last_name=found["last_name"],
            first_name=found["first_name"],
            role=found["role"],
            department_ids=sorted(found["departments"]),
            open_id=found["open_id"],
            is_active=found["is_active"],
        )
        try:
            made = user_service.add_account(
                user,
                password=found["password"],
                reason=found["reason"],
                acting_user=acting_user(request),
            )
        except user_service.OpenIdTaken:
            form.add_error("open_id", OPEN_ID_TAKEN)
        else:
            messages.success(request, _("{name} may sign in now.").format(name=made.name))
            return see_other("user", made.pk)
    return _form_page(request, form, None)


@require_http_methods(["GET", "POST"])
def edit_user(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request)
    whose = get_object_or_404(User, pk=pk)
    if whose.pk == request.user.pk:
        raise PermissionDenied
    form = AccountForm(
        posted(request),
        departments=_departments(whose),
        initial={
            "role": whose.role,
            "departments": whose.department_ids,
            "open_id": whose.open_id,
            "is_active": "1" if whose.is_active else "0",
        },
    )
    if request.method == "POST" and form.is_valid():
        values = user_service.AccountValues(**form.cleaned_data)
        try:
            changed = user_service.change_account(whose, values, acting_user=acting_user(request))
        except user_service.OpenIdTaken:
            form.add_error("open_id", OPEN_ID_TAKEN)
        else:
            told = _("Saved. {name} is signed out and signs in anew.")
            told = told if changed else _("Nothing was changed.")
            messages.success(request, told.format(name=whose.name))
            return see_other("user", whose.pk)
    return _form_page(request, form, whose)


@require_POST
def reset_second_step(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request)
    whose = get_object_or_404(User, pk=pk)
    if whose.pk == request.user.pk:
        raise PermissionDenied
    second_step.reset(whose, acting_user=acting_user(request))
    told = _("The second step of {name} is gone, and so are the sessions.")
    messages.success(request, told.format(name=whose.name))
    return see_other("user", whose.pk)


@require_POST
def end_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request)
    whose = get_object_or_404(User, pk=pk)
    chosen = flat(request.POST).get("session")
    if chosen is None:
        sign_ins.end_all(whose, acting_user=acting_user(request))
        told = _("{name} is signed out everywhere.")
    else:
        end_chosen(whose, chosen, acting_user=acting_user(request))
        told = _("That session of {name} is over.")
    messages.success(request, told.format(name=whose.name))
    return see_other("user", whose.pk)


def _form_page(request: HttpRequest, form: AccountForm, whose: User | None) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, "users/form.html", {"form": form, "person": whose}, status=status)


def _departments(whose: User | None = None) -> list[tuple[str, str]]:
    """Every department by its full name, and those the account has that are no more."""
    known = queries.all_departments()
    gone = set(whose.department_ids if whose else ()) - {feishu_id for feishu_id, _name in known}
    return [*known, *((feishu_id, feishu_id) for feishu_id in sorted(gone))]


def _require(request: HttpRequest) -> None:
    if not policies.can(request.user, Capability.MANAGE_USERS):
        raise PermissionDenied
