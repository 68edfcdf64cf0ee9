"""The form of a pre-hire's update: all that Feishu holds of it, and what of that was touched.

The form carries what it was opened with. What still reads as it did then was not touched and
is not among the cleaned values, even if somebody changed it in Feishu in the meantime.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from lifecycle.changes.kinds.cost_centers import WHOLE
from lifecycle.changes.kinds.forms.fields import DayInput, check_one_line, reason_field
from lifecycle.changes.kinds.pre_hire_values import (
    IDS,
    LABELS,
    NAMES,
    STATUS_WORDS,
    Fields,
    Split,
    facts_in,
    held_values,
    is_empty,
    is_same,
)
from lifecycle.errors.words import Words
from lifecycle.forms import object_fields
from lifecycle.forms.pick_field import PickField, PickWidget, Unsettled, in_language
from lifecycle.pickers import Choice

# As many lines as there can be whole shares; and those offered beyond the filled ones.
MOST_ROWS, SPARE_ROWS = WHOLE, 3
NUMBER_LENGTH = 200
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2100, 12, 31)
ADVANCED = ("employee_type", *IDS)
CUSTOM = "custom-"

WHOLE_SPLIT = Words("共 100%。", "100% in all.")
SHORT_SPLIT = Words("共 {total}%，还差 {rest}%。", "{total}% in all, {rest}% still to go.")
OVER_SPLIT = Words("共 {total}%，超出 {rest}%。", "{total}% in all, {rest}% too much.")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the split. `number`: from 1."""

    number: int
    center: BoundField
    share: BoundField

    @property
    def is_filled(self) -> bool:
        return any(bound.value() not in (None, "") for bound in (self.center, self.share))

    @property
    def has_errors(self) -> bool:
        return bool(self.center.errors or self.share.errors)


class CenterWidget(PickWidget):
    """The lines of one split ask for the list of cost centers once."""

    def __init__(self, lists: dict[str, list[Choice] | None]) -> None:
        super().__init__("cost_center")
        self._lists = lists

    def short_list(self) -> list[Choice] | None:
        if self.what not in self._lists:
            self._lists[self.what] = super().short_list()
        return self._lists[self.what]


class UpdatePreHireForm(forms.Form):
    """`facts`: what Feishu holds. `fields`: those of the company's own fields that can be
    changed. `restores`: values to start with instead of the held ones. `read_at`: when the
    facts were read, None for never. Cleans to the touched values, under the names of NAMES
    and `custom_fields`, and the reason."""

    layout = "changes/_update_pre_hire_fields.html"

    hire_date = forms.DateField(
        required=False,
        widget=DayInput(),
        input_formats=["%Y-%m-%d"],
        validators=[
            MinValueValidator(FIRST_DAY, _("This day is too far back.")),
            MaxValueValidator(LAST_DAY, _("This day is too far ahead.")),
        ],
    )
    onboarding_status = forms.ChoiceField(
        help_text=_(
            "It is always sent along, because Feishu demands it. Leave it as it is unless you"
            " mean to change it."
        )
    )
    employee_type_id = PickField(what="corehr_employee_type", required=False)
    worker_id = forms.CharField(
        required=False, max_length=NUMBER_LENGTH, validators=[check_one_line]
    )
    employee_type = forms.CharField(
        required=False,
        validators=[
            RegexValidator(
                r"^[A-Za-z0-9_]{1,64}\Z",
                _("Enter Feishu's code, of letters, digits and underscores only."),
            )
        ],
        help_text=_("Feishu's code of the employment type, such as type_1."),
    )
    ats_application_id = forms.CharField(
        required=False,
        validators=[RegexValidator(r"^[0-9A-Za-z_=-]{1,64}\Z", _("This is not an id of Feishu."))],
        help_text=_("Works in some tenants only. Another id breaks the link to the application."),
    )
    person_id = forms.CharField(
        required=False,
        validators=[RegexValidator(r"^[0-9A-Za-z_=-]{1,64}\Z", _("This is not an id of Feishu."))],
        help_text=_("Whose personal data this pre-hire refers to."),
    )
    # Kept as it is posted: what cannot be read counts as nothing.
    opened_with = forms.Field(required=False, widget=forms.HiddenInput())
    reason = reason_field()

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        facts: Mapping[str, Any],
        fields: Fields,
        restores: Mapping[str, Any] | None = None,
        read_at: datetime | None = None,
    ) -> None:
        super().__init__(data)
        self.read_at = read_at
        self._company_fields = fields
        self._held = held_values(facts, fields)
        self._base = self._opened(data)
        start = self._held | dict(restores or {})
        start["custom_fields"] = self._held["custom_fields"] | start["custom_fields"]
        for name in NAMES:
            if name in self.fields:
                self.fields[name].label = in_language(LABELS[name])
        self._offer_statuses()
        employee_type = cast(PickField, self.fields["employee_type_id"])
        employee_type.present = self._held["employee_type_id"]
        self._add_rows(data, start["cost_center_rate"])
        self._add_company_fields(start["custom_fields"])
        self.initial = {name: start[name] for name in NAMES if name != "cost_center_rate"}
        self.initial["opened_with"] = json.dumps(facts, sort_keys=True, ensure_ascii=False)

    def _opened(self, data: Mapping[str, Any] | None) -> dict[str, Any]:
        """The values the form was opened with; those held now when it does not say."""
        kept = facts_in((data or {}).get("opened_with"))
        return held_values(kept, self._company_fields) if kept else self._held

    def _offer_statuses(self) -> None:
        offered: list[tuple[str, Any]] = [
            (status, in_language(words)) for status, words in STATUS_WORDS.items()
        ]
        known = self._held["onboarding_status"] in STATUS_WORDS
        field = cast(forms.ChoiceField, self.fields["onboarding_status"])
        field.choices = offered if known else [("", "—"), *offered]

    # -- the split ------------------------------------------------------------------------

    def _add_rows(self, data: Mapping[str, Any] | None, split: Split) -> None:
        filled = len(split) if data is None else _last_filled_row(data)
        self._row_count = min(MOST_ROWS, filled + SPARE_ROWS)
        held = self._held["cost_center_rate"]
        lists: dict[str, list[Choice] | None] = {}
        for n in range(self._row_count):
            start = split[n] if n < len(split) else ("", None)
            present = held[n][0] if n < len(held) else ""
            self.fields[f"split_center_{n}"] = PickField(
                what="cost_center",
                required=False,
                widget=CenterWidget(lists),
                present=present,
                initial=start[0],
            )
            self.fields[f"split_share_{n}"] = forms.IntegerField(
                required=False,
                min_value=1,
                max_value=WHOLE,
                initial=start[1],
                widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
                error_messages={
                    name: _("Enter a whole number from 1 to 100.")
                    for name in ("invalid", "min_value", "max_value")
                },
            )

    @property
    def rows(self) -> list[Row]:
        return [
            Row(n + 1, self[f"split_center_{n}"], self[f"split_share_{n}"])
            for n in range(self._row_count)
        ]

    @property
    def split_said(self) -> Words | None:
        """How far the shares are from 100, for a page without script; None without any."""
        shares = [_whole(row.share.value()) for row in self.rows]
        return said_of(sum(shares)) if any(shares) else None

    split_words = {"whole": WHOLE_SPLIT, "short": SHORT_SPLIT, "over": OVER_SPLIT}

    def _clean_split(self, cleaned: Mapping[str, Any]) -> Split | None:
        """The split as it is entered, None when something is wrong with it."""
        split: list[tuple[str, int]] = []
        is_wrong, last = False, ""
        for n in range(self._row_count):
            names = center_name, share_name = f"split_center_{n}", f"split_share_{n}"
            if any(name in self.errors for name in names):
                is_wrong = True
                continue
            center, share = cleaned.get(center_name), cleaned.get(share_name)
            if not center and share is None:
                continue
            if not center:
                self.add_error(center_name, _("Choose a cost center for this share."))
            elif share is None:
                self.add_error(share_name, _("Enter the share of this cost center."))
            elif center in [known for known, _share in split]:
                self.add_error(center_name, _("This cost center stands in another line already."))
            else:
                split.append((center, share))
                last = share_name
                continue
            is_wrong = True
        total = sum(share for _center, share in split)
        if split and not is_wrong and total != WHOLE:
            self.add_error(last, in_language(said_of(total)))
            is_wrong = True
        return None if is_wrong else tuple(sorted(split))

    # -- the company's own fields ---------------------------------------------------------

    def _add_company_fields(self, start: Mapping[str, Any]) -> None:
        for name, field in self._company_fields.items():
            held = self._held["custom_fields"][name]
            made = object_fields.form_field(field, held)
            made.initial = object_fields.initial_of(field, start[name])
            self.fields[CUSTOM + name] = made

    # -- for the page ---------------------------------------------------------------------

    @property
    def main_fields(self) -> list[BoundField]:
        return [self[name] for name in NAMES if name in self.fields and name not in ADVANCED]

    @property
    def company_fields(self) -> list[BoundField]:
        return [self[CUSTOM + name] for name in self._company_fields]

    @property
    def advanced_fields(self) -> list[BoundField]:
        return [self[name] for name in ADVANCED]

    @property
    def has_advanced_errors(self) -> bool:
        return any(bound.errors for bound in self.advanced_fields)

    # -- what was touched -----------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        split = self._clean_split(cleaned)
        entered = {name: cleaned[name] for name in NAMES if name in cleaned}
        if split is not None:
            entered["cost_center_rate"] = split
        touched = {
            name: value
            for name, value in entered.items()
            if not is_same(name, value, self._base[name])
            and not self._is_emptied(name, name, value, self._held[name])
        }
        custom = self._touched_company_fields(cleaned)
        return (
            {"reason": cleaned.get("reason", "")}
            | touched
            | ({"custom_fields": custom} if custom else {})
        )

    def _touched_company_fields(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        touched = {}
        for name, field in self._company_fields.items():
            if CUSTOM + name not in cleaned:
                continue
            value = object_fields.cleaned(field, cleaned[CUSTOM + name])
            base, held = (values["custom_fields"].get(name) for values in (self._base, self._held))
            if is_same(name, value, base) or self._is_emptied(CUSTOM + name, name, value, held):
                continue
            touched[name] = value
        return touched

    def _is_emptied(self, field_name: str, name: str, value: Any, held: Any) -> bool:
        """Nothing can be sent for an empty value; said where it would empty something."""
        if not is_empty(value):
            return False
        if not is_empty(held):
            where = "split_center_0" if name == "cost_center_rate" else field_name
            self.add_error(
                where,
                _(
                    "Feishu does not say how this is emptied, so it cannot be. Enter another"
                    " value, or the present one to leave it."
                ),
            )
        return True


def said_of(total: int) -> Words:
    if total == WHOLE:
        return WHOLE_SPLIT
    said = SHORT_SPLIT if total < WHOLE else OVER_SPLIT
    return said.fill(total=total, rest=abs(WHOLE - total))


def _last_filled_row(data: Mapping[str, Any]) -> int:
    """The number, from 1, of the last line with anything in it."""
    filled = [
        n + 1
        for n in range(MOST_ROWS)
        if any(
            str(data.get(name) or "").strip()
            for name in (f"split_center_{n}", f"split_center_{n}_text", f"split_share_{n}")
        )
    ]
    return max(filled, default=0)


def _whole(value: Any) -> int:
    text = "" if isinstance(value, Unsettled) or value is None else str(value).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else 0
