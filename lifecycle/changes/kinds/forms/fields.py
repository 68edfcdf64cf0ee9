"""Fields that several verbs' forms have, and the checks of what is typed into them."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

REASON_LENGTH = NOTE_LENGTH = 500


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


def reason_field() -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For the action log; it is not sent to Feishu."),
    )


def check_one_line(value: str) -> None:
    """Raises ValidationError for text that no single line can show."""
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        raise ValidationError(_("Enter text in one line, without control characters."))
