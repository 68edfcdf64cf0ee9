"""The form of each verb, in the HR team's words. Whether a date is allowed is for the plan
to say; a form only makes sure that it is one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

REASON_LENGTH = NOTE_LENGTH = 500


class _DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


def _reason_field() -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For the action log; it is not sent to Feishu."),
    )


class ConvertEmployeeForm(forms.Form):
    converted_on = forms.DateField(
        label=_("Converted on"),
        widget=_DayInput(),
        input_formats=["%Y-%m-%d"],
        help_text=_("The actual conversion date, a day in the company's time zone."),
    )
    reason = _reason_field()


class OffboardEmployeeForm(forms.Form):
    left_on = forms.DateField(
        label=_("Last day"),
        widget=_DayInput(),
        input_formats=["%Y-%m-%d"],
        help_text=_("The last day worked, a day in the company's time zone."),
    )
    # Feishu's page names no limit; a note this long still reads as a note.
    overboard_note = forms.CharField(
        label=_("Reason for leaving"),
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It is sent to Feishu and kept with the employee's record."),
    )
    reason = _reason_field()


class UndoForm(forms.Form):
    reason = _reason_field()
