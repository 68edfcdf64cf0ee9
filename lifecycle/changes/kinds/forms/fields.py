"""Fields that several verbs' forms have, and the checks of what is typed into them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

REASON_LENGTH = NOTE_LENGTH = 500
# What a text of several lines may hold.
BREAKS = str.maketrans("", "", "\r\n\t")
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together. `title`: their heading, "" for none."""

    title: str
    fields: list[BoundField]
    note: str = ""


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class DayField(forms.DateField):
    """A tenant day within a working life."""

    def __init__(self, **kwargs: Any) -> None:
        said = _("Enter a day between 1950 and 2100.")
        super().__init__(
            widget=DayInput(),
            input_formats=["%Y-%m-%d"],
            validators=[MinValueValidator(FIRST_DAY, said), MaxValueValidator(LAST_DAY, said)],
            **kwargs,
        )


def reason_field() -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[check_text],
        help_text=_("For the action log; it is not sent to Feishu."),
    )


def check_text(value: str) -> None:
    """Raises ValidationError for halves of characters and control characters."""
    if any(
        unicodedata.category(character) in ("Cc", "Cs") for character in value.translate(BREAKS)
    ):
        raise ValidationError(_("Enter plain text, without control characters."))


def check_one_line(value: str) -> None:
    """Raises ValidationError for text that no single line can show."""
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        raise ValidationError(_("Enter text in one line, without control characters."))
