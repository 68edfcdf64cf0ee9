"""The forms of the verbs on an employee. Whether a date is allowed is for the plan to say; a
form only makes sure that it is one."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from lifecycle.changes.kinds.forms.fields import NOTE_LENGTH, DayInput, reason_field


class ConvertEmployeeForm(forms.Form):
    converted_on = forms.DateField(
        label=_("Converted on"),
        widget=DayInput(),
        input_formats=["%Y-%m-%d"],
        help_text=_("The actual conversion date, a day in the company's time zone."),
    )
    reason = reason_field()


class OffboardEmployeeForm(forms.Form):
    left_on = forms.DateField(
        label=_("Last day"),
        widget=DayInput(),
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
    reason = reason_field()


class UndoForm(forms.Form):
    reason = reason_field()
