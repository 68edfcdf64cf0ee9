"""The forms of the verbs: what a person fills in before the plan is made."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

REASON_LENGTH = 500


class DayInput(forms.DateInput):
    """The browser's own date picker; it speaks YYYY-MM-DD whatever the language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class ConvertEmployeeForm(forms.Form):
    converted_on = forms.DateField(
        label=_("Converted on"),
        help_text=_("The day the probation ends. On a later day than today it is sent on that day."),
        widget=DayInput({"autofocus": True}),
        input_formats=["%Y-%m-%d"],
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Kept in the action log; it is not sent to Feishu."),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.Textarea({"rows": 3}),
    )


class UndoConversionForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Why the conversion is taken back. Kept in the action log; not sent to Feishu."),
        max_length=REASON_LENGTH,
        widget=forms.Textarea({"rows": 3, "autofocus": True}),
    )
