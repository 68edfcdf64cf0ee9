"""The forms of the verbs on a talent and on an application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lifecycle.changes.kinds.forms.fields import DayField, Group, reason_field
from lifecycle.forms.pick_field import PickField


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

    layout = "changes/_grouped_fields.html"

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
        label=_("Operator"),
        required=False,
        help_text=_("Who appears in Feishu Hire as having onboarded the candidate."),
    )
    department = PickField(what="department", label=_("Department"), required=False)
    leader = PickField(what="contact", label=_("Leader"), required=False)
    onboard_city_code = PickField(what="location", label=_("Office location"), required=False)
    sequence = PickField(what="job_family", label=_("Job family"), required=False)
    level = PickField(what="job_level", label=_("Job level"), required=False)
    employee_type = PickField(what="employee_type", label=_("Employee type"), required=False)
    reason = reason_field()

    def __init__(
        self, *args: Any, suggested: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, PickField):
                field.present = str((suggested or {}).get(name) or "")
        self._is_filled_in = any((suggested or {}).values())

    @property
    def notes(self) -> list[str]:
        """Where what the form starts with comes from."""
        if self.is_bound or not self._is_filled_in:
            return []
        return [str(_("Filled in from what Feishu knows already; check it before you go on."))]

    @property
    def groups(self) -> Iterator[Group]:
        """What is shown, in groups."""
        fields = {name: self[name] for name in self.fields}
        start = ("onboarded_on", "expected_conversion_on")
        place = ("department", "leader", "onboard_city_code", "sequence", "level", "employee_type")
        yield Group(str(_("Onboarding")), [fields.pop(name) for name in start])
        yield Group(
            str(_("Position and organisation")),
            [fields.pop(name) for name in place],
            note=str(_("Feishu Hire applies the referral reward rules by these.")),
        )
        yield Group(str(_("How it is recorded")), list(fields.values()))
