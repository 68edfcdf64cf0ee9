"""What a verb has to say about itself; the protocol asks only this and knows none by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from django import forms

from lifecycle import remote
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Employee, StatusChange

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One line of before and after, as a person reads it."""

    label: Words
    before: Words
    after: Words

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def as_json(self) -> dict[str, Any]:
        return {
            "label": self.label.as_json(),
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "changed": self.changed,
        }


class Kind(ABC):
    """A verb: its words, its form, its request, its facts and when it is allowed."""

    name: ClassVar[str]
    url_name: ClassVar[str]
    title: ClassVar[Words]
    # What the page says it is about to do, above the form.
    explanation: ClassVar[Words]
    subject: ClassVar[str] = "employee"
    form_class: ClassVar[type[forms.Form]]
    undo: ClassVar[Words]
    endpoint: ClassVar[remote.Endpoint]
    # The name of the verb that takes this one back, or that this one takes back; "" for none.
    inverse: ClassVar[str] = ""
    # True for a verb that takes another one back.
    is_undo: ClassVar[bool] = False
    # True for the everyday step forward, offered in each row of the list; the others stand on
    # the employee's own page.
    is_everyday: ClassVar[bool] = False
    icon: ClassVar[str] = "undo-2"
    # Whether the same request may be sent again once reading back says it did not take.
    may_repeat: ClassVar[bool] = True

    @abstractmethod
    def is_legal(self, employee: Employee) -> bool:
        """Whether the verb fits the present state (rules.py), to decide what to offer."""

    def is_open_to(self, employee: Employee) -> bool:
        """False where Feishu refuses this person whatever is entered; the plan says why."""
        return True

    @abstractmethod
    def route_for(self, employee: Employee) -> Words:
        """Which of Feishu's doors this goes through for this person, and why."""

    @abstractmethod
    def call(self, employee: Employee, values: Facts) -> remote.Call:
        """The one exact request. Raises feishu InvalidCall for values it cannot carry."""

    @abstractmethod
    def effective_day(self, values: Facts) -> date | None:
        """The tenant day before which nothing is sent; None for at once."""

    @abstractmethod
    def field_changes(self, employee: Employee, values: Facts) -> Sequence[FieldChange]:
        """Before and after, by field."""

    @abstractmethod
    def blockers(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        """Every reason why this cannot be done now, so that nothing is sent in vain."""

    @abstractmethod
    def warnings(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        """What to think about before confirming."""

    @abstractmethod
    def facts(self, payload: Facts) -> dict[str, Any]:
        """The part of Feishu's record that this change depends on or alters."""

    @abstractmethod
    def holds(self, call: remote.Call, facts: Facts) -> bool:
        """Whether the facts show what the request wanted."""

    @abstractmethod
    def read(self, change: StatusChange) -> Facts:
        """A fresh record from Feishu. Raises RecordMissing, FeishuUnreadable, Refused."""

    @abstractmethod
    def store(self, payload: Facts, *, asked_at: datetime) -> None:
        """Bring the mirror up to date with a record as read or answered."""

    @abstractmethod
    def answered_record(self, data: Facts) -> Facts | None:
        """The record inside a successful answer, None when there is none."""

    @abstractmethod
    def initial(self, employee: Employee, *, today: date) -> dict[str, Any]:
        """What the form starts with."""

    @abstractmethod
    def outcome_sentence(self, change: StatusChange) -> Words:
        """What a finished change has done, in one sentence."""


def filled(notice: Notice, **values: object) -> Notice:
    """The notice with the values in its sentence."""
    return Notice(notice.code, notice.sentence.fill(**values), notice.advice)


class RecordMissing(Exception):
    """Feishu has no such record any more."""
