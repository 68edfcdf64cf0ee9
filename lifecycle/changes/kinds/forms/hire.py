"""The forms of the verbs on a talent and on an application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lifecycle.changes.kinds.forms.fields import DayField, reason_field
from lifecycle.forms.pick_field import PickField

FOR_REWARDS = _("Counts for the referral reward rules.")


class OnboardTalentForm(forms.Form):
    onboarded_on = DayField(
        label=_("Onboarded on"), help_text=_("A day in the company's time zone.")
    )
    reason = reason_field()


class MarkTalentLeftForm(forms.Form):
    left_on = DayField(label=_("Last day"), help_text=_("A day in the company's time zone."))
    reason = reason_field()


class OnboardApplicationForm(forms.Form):
    """`suggested`: what it starts with, which is taken even where our lists do not have it."""

    onboarded_on = DayField(
        label=_("Onboarded on"),
        help_text=_("The first day at work. For a later day it is sent on that day."),
    )
    expected_conversion_on = DayField(
        label=_("Conversion due on"),
        required=False,
        help_text=_("When the probation ends, by the contract; six months at most by law."),
    )
    job_requirement_id = PickField(
        what="job_requirement",
        label=_("Job requirement"),
        required=False,
        help_text=_("Feishu Hire can be set up to demand one; it counts the onboarding there."),
    )
    operator_id = PickField(
        what="contact",
        label=_("Handled by"),
        required=False,
        help_text=_("Who appears in Feishu Hire as having onboarded the candidate."),
    )
    department = PickField(
        what="department", label=_("Department"), required=False, help_text=FOR_REWARDS
    )
    leader = PickField(what="contact", label=_("Manager"), required=False, help_text=FOR_REWARDS)
    onboard_city_code = PickField(
        what="location", label=_("Office location"), required=False, help_text=FOR_REWARDS
    )
    sequence = PickField(
        what="job_family", label=_("Job family"), required=False, help_text=FOR_REWARDS
    )
    level = PickField(what="job_level", label=_("Job level"), required=False, help_text=FOR_REWARDS)
    employee_type = PickField(
        what="employee_type", label=_("Employee type"), required=False, help_text=FOR_REWARDS
    )
    reason = reason_field()

    def __init__(
        self, *args: Any, suggested: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, PickField):
                field.present = str((suggested or {}).get(name) or "")
