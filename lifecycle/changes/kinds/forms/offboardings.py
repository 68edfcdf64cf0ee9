"""The form that edits an offboarding record, made from the fields the company keeps there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from lifecycle import remote
from lifecycle.changes.kinds.forms.fields import Group, reason_field
from lifecycle.changes.kinds.offboarding_record import CUSTOM_GROUP, GROUPS
from lifecycle.forms.object_fields import (
    ObjectField,
    Value,
    cleaned,
    form_field,
    initial_of,
)
from lifecycle.forms.pick_field import PickField, in_language

PREFIX = "field_"
# What the pages post beside the fields.
NO_FIELDS = frozenset(
    {
        "csrfmiddlewaretoken",
        "step",
        "undo",
        "submission_key",
        "pre_image_hash",
        "payload_hash",
    }
)
PICK_PARTS = ("_text", "_was")
MOST_NAMED = 5


class EditOffboardingForm(forms.Form):
    """Cleans to the fields that were changed since the form was opened, and to no other.

    `seen` carries what each field held then, so that a field nobody touched is not put back
    to an older value when Feishu's record has moved on meanwhile.
    """

    layout = "changes/_grouped_fields.html"

    def __init__(
        self,
        *args: Any,
        object_fields: Mapping[str, ObjectField],
        present: Mapping[str, Value],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.object_fields = object_fields
        self.offered = _in_order(object_fields)
        self.present = present
        for name in self.offered:
            self.fields[PREFIX + name] = form_field(object_fields[name], present.get(name))
        self.fields["operator_id"] = PickField(
            what="employment",
            label=_("Operator"),
            required=False,
            help_text=_("Whom Feishu shows as having made this change; empty for the system."),
        )
        self.fields["reason"] = reason_field()
        self.fields["seen"] = forms.CharField(
            widget=forms.HiddenInput, required=False, initial=json.dumps(self._stamps())
        )

    @property
    def groups(self) -> Iterator[Group]:
        """What is shown, in groups; the last one has no heading."""
        for title, names in _grouped(self.object_fields):
            yield Group(in_language(title), [self[PREFIX + name] for name in names])
        yield Group("", [self["operator_id"], self["reason"]])

    @property
    def notes(self) -> list[str]:
        """What the form cannot do, and where it can be done."""
        if not self.offered:
            return [
                str(
                    _(
                        "The fields of an offboarding have not been read from Feishu yet. The sync"
                        " page shows why."
                    )
                )
            ]
        left_out = [
            in_language(field.label)
            for field in self.object_fields.values()
            if field.is_open and field.kind is None
        ]
        if not left_out:
            return []
        names = ("、" if in_language(CUSTOM_GROUP) == CUSTOM_GROUP.zh else ", ").join(left_out)
        note = _("Attachments and automatic fields are changed in Feishu CoreHR only: %(names)s.")
        return [str(note % {"names": names})]

    def clean(self) -> dict[str, Any]:
        self._refuse_what_is_not_offered()
        seen = self._seen()
        for name in self.offered:
            self._settle(name, seen.get(name))
        return self.cleaned_data

    def _settle(self, name: str, seen: str | None) -> None:
        """Keep the field when it was changed; forget it, and what is wrong in it, otherwise."""
        key, field = PREFIX + name, self.object_fields[name]
        posted = self.fields[key].widget.value_from_datadict(self.data, self.files, key)
        is_left_out = self.fields[key].widget.value_omitted_from_data(self.data, self.files, key)
        before = seen or stamp(initial_of(field, self.present.get(name)))
        if (is_left_out and not self._is_whole) or stamp(posted) == before:
            self.cleaned_data.pop(key, None)
            self.errors.pop(key, None)
            return
        if key in self.errors:
            return
        value = cleaned(field, self.cleaned_data[key])
        self.cleaned_data[key] = value
        if value is None and before == stamp(""):
            self.cleaned_data.pop(key)
        elif value is None:
            self.add_error(
                key,
                _(
                    "Feishu has no documented way to empty this field. Put the former value back,"
                    " or empty it in Feishu CoreHR."
                ),
            )

    @property
    def _is_whole(self) -> bool:
        """Whether the page's own form was posted: then boxes that are missing are not ticked."""
        return "seen" in self.data

    def _refuse_what_is_not_offered(self) -> None:
        offered = set(self.fields) | {key + part for key in self.fields for part in PICK_PARTS}
        refused = [key for key in self.data if key not in offered and key not in NO_FIELDS]
        for key in refused[:MOST_NAMED]:
            self.add_error(None, self._refusal(key.removeprefix(PREFIX)))

    def _refusal(self, name: str) -> ValidationError:
        field = self.object_fields.get(name)
        if name in remote.writes.FIXED_OFFBOARDING_FIELDS:
            sentence = _("Feishu does not let “%(name)s” be changed. Nothing has been sent.")
        elif field is not None:
            sentence = _("“%(name)s” cannot be changed here. Nothing has been sent.")
        else:
            sentence = _("An offboarding has no field “%(name)s”. Nothing has been sent.")
        shown = in_language(field.label) if field else name[:60]
        return ValidationError(sentence, code="not-offered", params={"name": shown})

    def _stamps(self) -> dict[str, str]:
        return {
            name: stamp(initial_of(self.object_fields[name], self.present.get(name)))
            for name in self.offered
        }

    def _seen(self) -> dict[str, str]:
        return seen_stamps(self.data.get("seen"))


def seen_stamps(text: Any) -> dict[str, str]:
    """What each field held when the form was opened, as `stamp`s; nothing for a damaged text."""
    try:
        found = json.loads(str(text or "{}"))
    except (ValueError, RecursionError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def stamp(value: Any) -> str:
    """Tells two values of one form field apart, as a browser would post them."""
    if isinstance(value, list | tuple):
        text = "\n".join(sorted(str(item) for item in value))
    else:
        text = str("" if value is None else value).replace("\r\n", "\n").strip()
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _in_order(fields: Mapping[str, ObjectField]) -> list[str]:
    return [name for _title, names in _grouped(fields) for name in names]


def _grouped(fields: Mapping[str, ObjectField]) -> Iterator[tuple[Any, list[str]]]:
    """Standard fields in groups, then those the company has made."""
    for title, names in GROUPS:
        offered = [name for name in names if name in fields and _is_offered(fields[name])]
        if offered:
            yield title, offered
    custom = [name for name, field in fields.items() if field.is_custom and _is_offered(field)]
    if custom:
        yield CUSTOM_GROUP, custom


def _is_offered(field: ObjectField) -> bool:
    return field.is_editable and field.api_name not in remote.writes.FIXED_OFFBOARDING_FIELDS
