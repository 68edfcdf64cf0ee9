"""The forms with which administrators keep the accounts of others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from lifecycle.forms.object_fields import BoxesField
from lifecycle.models import Role, User

# Feishu's ids of users of an app: "ou_" and letters, digits, "_" or "-".
REASON_LENGTH = 1000
OPEN_ID = re.compile(r"ou_[0-9A-Za-z_-]{1,61}")


class AccountForm(forms.Form):
    """What an account may do and how far, and the Feishu account behind it."""

    field_order: tuple[str, ...] = ("role", "departments", "open_id", "is_active", "reason")

    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        help_text=_("One role each. Another one ends the person's sessions at once."),
    )
    open_id = forms.CharField(
        label=_("Feishu open_id"),
        required=False,
        max_length=64,
        help_text=_(
            "Begins with ou_. Needed to sign in with Feishu, and for managers: their reports are"
            " found by it. It stands in the log entry of a sign-in that failed."
        ),
    )
    is_active = forms.TypedChoiceField(
        label=_("Signing in"),
        choices=[("1", _("May sign in")), ("0", _("Switched off"))],
        coerce=lambda chosen: chosen == "1",
        initial="1",
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Why, and who asked for it. It is kept in the action log."),
    )

    def __init__(self, *args: Any, departments: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """`departments`: ids and full names, among them those the account has already."""
        super().__init__(*args, **kwargs)
        self.fields["departments"] = BoxesField(
            label=_("Departments"),
            choices=list(departments),
            required=False,
            help_text=_("HR only: these and all below them. None chosen: the whole company."),
        )
        self.order_fields(self.field_order)

    def clean_open_id(self) -> str:
        open_id = str(self.cleaned_data["open_id"]).strip()
        if open_id and not OPEN_ID.fullmatch(open_id):
            raise ValidationError(_("An open_id begins with “ou_”."))
        return open_id

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        role = cleaned.get("role")
        if cleaned.get("departments") and role and role != Role.HR:
            self.add_error("departments", _("Only HR is limited to departments."))
        if role == Role.MANAGER and not cleaned.get("open_id") and "open_id" not in self.errors:
            self.add_error("open_id", _("A manager needs it: without it nobody reports to them."))
        return cleaned


class NewAccountForm(AccountForm):
    """The same for somebody new, with a name and a password."""

    field_order = (
        "username",
        "last_name",
        "first_name",
        "password",
        "role",
        "departments",
        "open_id",
        "is_active",
        "reason",
    )

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[User.username_validator],
        help_text=_("To sign in with. Letters, digits and @ . + - _"),
    )
    last_name = forms.CharField(label=_("Family name"), max_length=150, required=False)
    first_name = forms.CharField(label=_("Given name"), max_length=150, required=False)
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave it empty for somebody who signs in with Feishu only."),
    )

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError(_("There is a user of this name already."))
        return username

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        password = cleaned.get("password")
        if password:
            user = User(
                username=cleaned.get("username", ""),
                first_name=cleaned.get("first_name", ""),
                last_name=cleaned.get("last_name", ""),
            )
            try:
                validate_password(password, user)
            except ValidationError as error:
                self.add_error("password", error)
        elif not cleaned.get("open_id") and "open_id" not in self.errors:
            self.add_error("password", _("A password or a Feishu account: one is needed."))
        return cleaned
