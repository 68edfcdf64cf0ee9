"""The fields a company keeps on a CoreHR record, from Feishu's own description of them.

R3 and R4 describe each field, the sync keeps the description as a CatalogueEntry, and here it
becomes an ObjectField and a field of a form. A value is a plain Python one: str for a text, a
link, an option, a person; bool; Decimal; date; a tuple of option codes; None for nothing. How
it looks on the wire is not known here: feishu/values.py has an encoder per endpoint, which
takes what `typed` makes.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.utils.translation import gettext_lazy as _

from lifecycle import pickers, remote
from lifecycle.errors.words import Words
from lifecycle.forms.pick_field import PickField, in_language
from lifecycle.models import CatalogueEntry
from lifecycle.remote import values

Value = str | bool | Decimal | date | tuple[str, ...] | None

# R3's numbers for the type of a field.
TEXT, BOOLEAN, NUMBER, ENUM, LOOKUP, DATE_TIME = 1, 2, 3, 4, 5, 7
# R3's numbers for a date-time field: those of which the documentation shows a value.
A_DAY, A_MOMENT = 1, 3
WHOLE_NUMBER = 2
ONE_LINE, SEVERAL_LINES = 255, 6000
MOST_DIGITS = 30
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2100, 12, 31)
# With more options than this a list of boxes gets a filter.
MANY_OPTIONS = 8

NOTHING = Words("—", "—")
YES, NO = Words("是", "Yes"), Words("否", "No")


@dataclass(frozen=True, slots=True)
class Option:
    """`code` is what is sent."""

    code: str
    name: Words
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class ObjectField:
    """One field of a record.

    `kind`: None where a value cannot be sent, as for attachments and automatic numbers.
    `longest`: of a text, in characters. `decimals`: of a number, None for any. `has_clock`: a
    moment, of which the day alone can be sent. `refers_to`: what a lookup names by id, "" for
    none.
    """

    api_name: str
    label: Words
    kind: values.FieldKind | None
    is_open: bool = True
    is_required: bool = False
    longest: int | None = None
    is_multiline: bool = False
    decimals: int | None = None
    has_clock: bool = False
    refers_to: str = ""
    options: tuple[Option, ...] = ()

    @property
    def is_custom(self) -> bool:
        return self.api_name.endswith("__c")

    @property
    def is_editable(self) -> bool:
        return self.is_open and self.kind is not None


# -- from Feishu's description ------------------------------------------------------------


def object_fields(kind: CatalogueEntry.Kind) -> dict[str, ObjectField]:
    """Every field Feishu has described, by api name; one query. Two of the same name are told
    apart by their api names."""
    rows = CatalogueEntry.objects.filter(kind=kind.value).order_by("pk")
    fields = [field_of(row.payload, is_open=row.is_active) for row in rows]
    known = Counter(name for field in fields for name in {field.label.zh, field.label.en})
    return {
        field.api_name: field
        if known[field.label.zh] == known[field.label.en] == 1
        else replace(
            field,
            label=Words(
                f"{field.label.zh}（{field.api_name}）", f"{field.label.en} ({field.api_name})"
            ),
        )
        for field in fields
    }


def field_of(payload: Mapping[str, Any], *, is_open: bool = True) -> ObjectField:
    """The field that an item of R3, or the object of R4, describes."""
    api_name = str(payload.get("custom_api_name") or "")
    config = _object(payload, "common_schema_config")
    read = _READERS.get(_whole(payload.get("type")) or 0)
    about = read(config) if read else {"kind": None}
    return ObjectField(
        api_name=api_name,
        label=words_in(payload.get("name")) or Words(api_name, api_name),
        is_open=is_open and payload.get("is_open") is not False,
        is_required=payload.get("is_required") is True,
        **about,
    )


def words_in(names: Any) -> Words | None:
    """The names of an i18n list or map; one that is missing is taken from the other."""
    if isinstance(names, list):
        pairs = {item.get("lang"): item.get("value") for item in names if isinstance(item, Mapping)}
        names = {"zh_cn": pairs.get("zh-CN"), "en_us": pairs.get("en-US")}
    if not isinstance(names, Mapping):
        return None
    zh, en = str(names.get("zh_cn") or ""), str(names.get("en_us") or "")
    return Words(zh or en, en or zh) if zh or en else None


def _text(config: Mapping[str, Any]) -> dict[str, Any]:
    setting = _object(config, "text_field_setting")
    if setting.get("is_multilingual") is True:
        # A text in several languages is an object, of which the pages show no sample to send.
        return {"kind": None}
    is_multiline = setting.get("is_multiline") is True
    cap = SEVERAL_LINES if is_multiline else ONE_LINE
    longest = _whole(setting.get("max_length")) or cap
    kind = values.FieldKind.LINK if setting.get("is_url_type") is True else values.FieldKind.TEXT
    return {"kind": kind, "is_multiline": is_multiline, "longest": min(longest, cap)}


def _number(config: Mapping[str, Any]) -> dict[str, Any]:
    setting = _object(config, "number_field_setting")
    is_whole = setting.get("number_field_type") == WHOLE_NUMBER
    return {
        "kind": values.FieldKind.NUMBER,
        "decimals": 0 if is_whole else _whole(setting.get("decimal_places")),
    }


def _enum(config: Mapping[str, Any]) -> dict[str, Any]:
    setting = _object(config, "enum_field_setting")
    listed = setting.get("enum_field_option_list")
    options = tuple(
        Option(
            code=str(item["api_name"]),
            name=words_in(item.get("name")) or Words(str(item["api_name"]), str(item["api_name"])),
            is_active=item.get("is_open") is not False and item.get("active") is not False,
        )
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, Mapping) and item.get("api_name")
    )
    is_multiple = setting.get("is_multiple") is True
    return {
        "kind": values.FieldKind.CHOICES if is_multiple else values.FieldKind.CHOICE,
        "options": options,
    }


def _lookup(config: Mapping[str, Any]) -> dict[str, Any]:
    """A person by employment id, a company by its id; the pages show no other."""
    setting = _object(config, "lookup_field_setting")
    refers_to = str(setting.get("lookup_obj_api_name") or "")
    kinds = {"employment": values.FieldKind.PERSON, "company": values.FieldKind.CHOICE}
    if setting.get("is_multiple") is True:
        return {"kind": None, "refers_to": refers_to}
    return {"kind": kinds.get(refers_to), "refers_to": refers_to}


def _date_time(config: Mapping[str, Any]) -> dict[str, Any]:
    """A day or a moment; a time of day or a timestamp has no documented form to send."""
    setting = _object(config, "date_time_field_setting")
    is_sendable = setting.get("date_time_type", A_DAY) in (A_DAY, A_MOMENT)
    return {
        "kind": values.FieldKind.DAY if is_sendable else None,
        "has_clock": setting.get("date_time_type") == A_MOMENT,
    }


_READERS: dict[int, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    TEXT: _text,
    BOOLEAN: lambda config: {"kind": values.FieldKind.BOOLEAN},
    NUMBER: _number,
    ENUM: _enum,
    LOOKUP: _lookup,
    DATE_TIME: _date_time,
}


def _object(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    return value if isinstance(value, Mapping) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# -- into a form --------------------------------------------------------------------------


class TextField(forms.CharField):
    """Counts characters as Feishu does, one for an emoji; a browser's own limit counts two."""

    def __init__(self, *, longest: int, is_multiline: bool, **kwargs: Any) -> None:
        self.longest, self.is_multiline = longest, is_multiline
        attrs = {"data-longest": str(longest)}
        widget = forms.Textarea(attrs | {"rows": "3"}) if is_multiline else forms.TextInput(attrs)
        super().__init__(widget=widget, **kwargs)

    def to_python(self, value: Any) -> str:
        return super().to_python(_unix_lines(str(value or ""))) or ""

    def validate(self, value: str) -> None:
        super().validate(value)
        if len(value) > self.longest:
            raise ValidationError(
                _("At most %(longest)s characters; this has %(length)s."),
                code="max_length",
                params={"longest": self.longest, "length": len(value)},
            )
        if not is_plain_text(value, several_lines=self.is_multiline):
            raise ValidationError(
                _("This holds characters that are no text. Type it again."), code="unreadable"
            )


class BoxesField(forms.MultipleChoiceField):
    """A box to tick for each option; `has_many`: so many that they need a filter."""

    def __init__(self, *, choices: list[tuple[str, Any]], **kwargs: Any) -> None:
        self.has_many = len(choices) > MANY_OPTIONS
        super().__init__(choices=choices, widget=forms.CheckboxSelectMultiple(), **kwargs)


class LinkField(TextField):
    def validate(self, value: str) -> None:
        super().validate(value)
        if value and not values.is_link(value):
            raise ValidationError(
                _("Enter a full address that begins with https:// or http://."), code="link"
            )


def form_field(field: ObjectField, present: Value = None) -> forms.Field:
    """The field of a form for a value that is `present` now. Never required: what is left
    as it is is not sent."""
    if field.kind is None:
        raise LookupError(field.api_name)
    label, required = in_language(field.label), False
    if field.refers_to == "company":
        return forms.CharField(
            label=label,
            required=required,
            validators=[RegexValidator(r"^[A-Za-z0-9_-]{1,64}\Z")],
            help_text=_("The company's id in Feishu CoreHR."),
            error_messages={"invalid": _("This is not an id of Feishu.")},
        )
    made = _MAKERS[field.kind](field, present)
    made.label, made.required, made.initial = label, required, initial_of(field, present)
    return made


def initial_of(field: ObjectField, present: Value) -> Any:
    """The value as a form starts with it."""
    if field.kind is values.FieldKind.BOOLEAN:
        return {True: "true", False: "false"}.get(present, "")  # type: ignore[arg-type]
    if field.kind is values.FieldKind.CHOICES:
        return list(present) if isinstance(present, tuple) else []
    return "" if present is None else present


def cleaned(field: ObjectField, value: Any) -> Value:
    """The value behind what the form field cleaned to; None for nothing."""
    if field.kind is values.FieldKind.BOOLEAN:
        return {"true": True, "false": False}.get(str(value).lower())
    if field.kind is values.FieldKind.CHOICES:
        order = [option.code for option in field.options]
        chosen = {str(code) for code in value or ()}
        return tuple(sorted(chosen, key=lambda code: _place(code, order))) or None
    if value in (None, ""):
        return None
    kept: Value = value
    return kept


def _place(code: str, order: Sequence[str]) -> tuple[int, str]:
    return (order.index(code) if code in order else len(order), code)


def _text_field(field: ObjectField, present: Value) -> forms.Field:
    make = LinkField if field.kind is values.FieldKind.LINK else TextField
    return make(longest=field.longest or ONE_LINE, is_multiline=field.is_multiline)


def _boolean_field(field: ObjectField, present: Value) -> forms.Field:
    choices: list[tuple[str, Any]] = [("true", in_language(YES)), ("false", in_language(NO))]
    return forms.ChoiceField(choices=_with_blank(choices, present))


def _number_field(field: ObjectField, present: Value) -> forms.Field:
    places = field.decimals
    step = "any" if places is None else f"{Decimal(1).scaleb(-places):f}"
    return forms.DecimalField(
        max_digits=MOST_DIGITS,
        decimal_places=places,
        widget=forms.NumberInput(attrs={"step": step, "inputmode": "decimal"}),
    )


def _choice_field(field: ObjectField, present: Value) -> forms.Field:
    held = (present,) if isinstance(present, str) else ()
    return forms.ChoiceField(choices=_with_blank(_choices(field, held), present))


def _choices_field(field: ObjectField, present: Value) -> forms.Field:
    choices = _choices(field, present if isinstance(present, tuple) else ())
    return BoxesField(choices=choices)


def _choices(field: ObjectField, held: Sequence[str]) -> list[tuple[str, Any]]:
    """The options in use, and those the record holds although they no longer are."""
    offered = [option for option in field.options if option.is_active or option.code in held]
    known = {option.code for option in offered}
    unknown = [Option(code, Words(code, code), False) for code in held if code not in known]
    return [(option.code, _option_label(option)) for option in (*offered, *unknown)]


def _option_label(option: Option) -> str:
    name = in_language(option.name)
    return name if option.is_active else str(_("%(name)s (no longer in use)") % {"name": name})


def _with_blank(choices: list[tuple[str, Any]], present: Value) -> list[tuple[str, Any]]:
    return choices if present is not None else [("", _("Leave as it is")), *choices]


def _day_field(field: ObjectField, present: Value) -> forms.Field:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"min": FIRST_DAY, "max": LAST_DAY})
    widget.input_type = "date"
    return forms.DateField(
        widget=widget,
        input_formats=["%Y-%m-%d"],
        validators=[
            MinValueValidator(FIRST_DAY, _("This day is too far back.")),
            MaxValueValidator(LAST_DAY, _("This day is too far ahead.")),
        ],
        help_text=_("The time of day is not kept.") if field.has_clock else "",
    )


def _person_field(field: ObjectField, present: Value) -> forms.Field:
    return PickField(what="employment", present=str(present or ""))


_MAKERS: dict[values.FieldKind, Callable[[ObjectField, Value], forms.Field]] = {
    values.FieldKind.TEXT: _text_field,
    values.FieldKind.LINK: _text_field,
    values.FieldKind.BOOLEAN: _boolean_field,
    values.FieldKind.NUMBER: _number_field,
    values.FieldKind.CHOICE: _choice_field,
    values.FieldKind.CHOICES: _choices_field,
    values.FieldKind.DAY: _day_field,
    values.FieldKind.PERSON: _person_field,
}


def is_plain_text(text: str, *, several_lines: bool) -> bool:
    """No control characters and no halves of characters; line breaks where there may be any."""
    allowed = "\n\t" if several_lines else ""
    return not any(
        unicodedata.category(character) in ("Cc", "Cs") and character not in allowed
        for character in text
    )


def _unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


# -- to and from the wire -----------------------------------------------------------------


def typed(field: ObjectField, value: Value) -> values.TypedValue:
    """What an encoder takes. Raises feishu InvalidValue where the value does not fit."""
    make = _TYPED.get(field.kind) if field.kind else None
    if make is None or value is None:
        raise remote.errors.InvalidValue(f"{field.api_name} cannot be sent.")
    made: values.TypedValue = make(value)
    return made


_TYPED: dict[values.FieldKind, Callable[[Any], values.TypedValue]] = {
    values.FieldKind.TEXT: values.Text,
    values.FieldKind.LINK: values.Link,
    values.FieldKind.BOOLEAN: values.Boolean,
    values.FieldKind.NUMBER: values.Number,
    values.FieldKind.CHOICE: values.Choice,
    values.FieldKind.CHOICES: values.Choices,
    values.FieldKind.DAY: values.Day,
    values.FieldKind.PERSON: values.Person,
}


def held(field: ObjectField, value: values.TypedValue) -> Value:
    """The plain value behind what a decoder gave, as `cleaned` would leave it."""
    match value:
        case values.Text(text):
            return _unix_lines(text).strip() or None
        case values.Number(number):
            return Decimal(number)
        case values.Choices(codes):
            return cleaned(field, codes)
        case values.Boolean(flag):
            return flag
        case values.Day(day):
            return day
        case values.Choice(code):
            return code or None
        case values.Link(url):
            return url or None
        case values.Person(employment_id):
            return employment_id or None


# -- for people ---------------------------------------------------------------------------


def shown(field: ObjectField, value: Value) -> Words:
    """The value as plans and tables say it: names of options and people, not their ids."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, tuple):
        names = [_option_words(field, code) for code in value]
        return Words("、".join(name.zh for name in names), ", ".join(name.en for name in names))
    if field.kind is values.FieldKind.CHOICE:
        return _option_words(field, str(value))
    if field.kind is values.FieldKind.PERSON:
        name = pickers.label("employment", str(value))
        return Words(name, name)
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return Words(text, text)


def _option_words(field: ObjectField, code: str) -> Words:
    named = (option.name for option in field.options if option.code == code)
    return next(named, Words(code, code))
