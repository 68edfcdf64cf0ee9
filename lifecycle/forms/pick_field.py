"""A field of a form that holds an id and shows a name.

The widget posts three values: the id, the text of the box, and the text that belongs to the
id. Without script the id cannot follow the text, so a text that is no longer the id's own is
looked up here: one exact match is taken, several come back as a list to choose from.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.template.loader import get_template
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from lifecycle import pickers
from lifecycle.errors.words import Words
from lifecycle.pickers import Choice, Hits

# A text this long names nothing; longer ones are not even put back on the page.
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A text that stands for no single entry."""

    text: str
    hits: Hits


class PickWidget(forms.Widget):
    """A combobox; a plain list of choices where there are few."""

    template_name = "pickers/widget.html"
    # What the record holds now, kept although it may not be offered any more.
    present: str = ""

    def __init__(self, what: str, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.what = what
        self._settled: dict[tuple[str, ...], str | Unsettled] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> PickWidget:
        """Each form has its own copy of the field, and what is posted to it."""
        copy = super().__deepcopy__(memo)
        copy._settled = {}
        return copy

    def value_from_datadict(
        self, data: Mapping[str, Any], files: Any, name: str
    ) -> str | Unsettled | None:
        value, text = data.get(name), data.get(f"{name}_text")
        if text is None:
            return None if value is None else str(value).strip()
        posted = (str(value or "").strip(), text.strip(), data.get(f"{name}_was", "").strip())
        if posted not in self._settled:
            # Asked for again with each look at the form's data.
            self._settled[posted] = self._settle(*posted)
        return self._settled[posted]

    def _settle(self, value: str, text: str, was: str) -> str | Unsettled:
        if not text or (value and text == was):
            return value if text else ""
        if len(text) > LONGEST_TEXT:
            return Unsettled(text[:LONGEST_TEXT], Hits())
        found = pickers.exact(self.what, text)
        if found is not None:
            return found.value
        if text == self.present:
            return text
        hits = pickers.matches(self.what, text)
        if not hits.choices and _may_be_unlisted(self.what, text):
            return text
        return Unsettled(text, hits)

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and f"{name}_text" not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        unsettled = value if isinstance(value, Unsettled) else None
        value = "" if unsettled or value is None else str(value)[:LONGEST_TEXT]
        few = None if unsettled else self.short_list()
        chosen = self._chosen(value, few)
        context["pick"] = {
            "id": context["widget"]["attrs"].get("id") or name,
            "attributes": flatatt(context["widget"]["attrs"]),
            "noun": in_language(pickers.source_of(self.what).noun),
            "address": reverse("pick", args=[self.what]),
            "value": value,
            "chosen": chosen,
            "text": unsettled.text if unsettled else str(chosen or value),
            "few": few if few is None or chosen is None or chosen in few else [chosen, *few],
            "unlisted": value if few is not None and chosen is None else "",
            "matches": unsettled.hits.choices if unsettled else [],
        }
        return context

    def short_list(self) -> list[Choice] | None:
        """Everything offered, None when it is too much to be shown whole."""
        return pickers.short_list(self.what)

    def _chosen(self, value: str, few: list[Choice] | None) -> Choice | None:
        if not value:
            return None
        listed = next((choice for choice in few or () if choice.value == value), None)
        return listed or pickers.find(self.what, value)

    def _render(
        self, template_name: str, context: dict[str, Any], renderer: Any = None
    ) -> SafeString:
        """With the portal's own templates; the renderer of forms knows Django's only."""
        return SafeString(get_template(template_name).render(context))


class PickField(forms.Field):
    """Cleans to the id of an entry that is offered, or to `present`, the record's own one."""

    default_error_messages = {
        "required": _("Choose one."),
        "unreadable": _("This is not an id of Feishu: at most 128 characters without line breaks."),
        "unknown": _("“%(text)s” is not in the list. Choose one from the list."),
        "inactive": _("“%(text)s” is no longer in use. Choose another one."),
        "ambiguous": _("Choose what is meant by “%(text)s”."),
        "too_many": _("Very many fit “%(text)s”. Type more of the name, or choose one of these."),
        "no_match": _("Nothing fits “%(text)s”. Search by name, pinyin or id."),
    }
    widget: PickWidget

    def __init__(self, *, what: str, present: str = "", **kwargs: Any) -> None:
        self.what = what
        kwargs.setdefault("widget", PickWidget(what))
        super().__init__(**kwargs)
        self.present = present

    @property
    def present(self) -> str:
        """What the record holds now; set it in the form's `__init__`."""
        return self.widget.present

    @present.setter
    def present(self, value: str) -> None:
        self.widget.present = value

    def to_python(self, value: Any) -> str:
        if not isinstance(value, Unsettled):
            return "" if value is None else str(value).strip()
        shown = {"text": value.text[:60]}
        if not value.hits.choices:
            raise self._error("no_match", **shown)
        raise self._error("too_many" if value.hits.more else "ambiguous", **shown)

    def validate(self, value: str) -> None:
        super().validate(value)
        if not value or value == self.present:
            return
        if len(value) > pickers.ID_LENGTH or _has_control_characters(value):
            raise self._error("unreadable")
        found = pickers.find(self.what, value)
        if found is None:
            if not _may_be_unlisted(self.what, value):
                raise self._error("unknown", text=value[:60])
        elif not found.is_active:
            raise self._error("inactive", text=str(found))

    def words(self, value: str) -> str:
        """The name behind an id, for plans and tables."""
        return pickers.label(self.what, value)

    def _error(self, code: str, **params: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code, params=params)


def _may_be_unlisted(what: str, value: str) -> bool:
    return pickers.looks_like_id(value) and pickers.takes_unlisted(what)


def in_language(words: Words) -> str:
    return words.zh if (get_language() or "").startswith("zh") else words.en


def _has_control_characters(value: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in value)
