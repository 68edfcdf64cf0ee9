"""What a verb has to say about itself; the protocol asks only this and knows none by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from django import forms

from lifecycle import remote
from lifecycle.changes.kinds.subjects import Subject
from lifecycle.errors.words import Notice, Words
from lifecycle.models import StatusChange, User
from lifecycle.models.mirror import Mirrored

Facts = Mapping[str, Any]
Record = TypeVar("Record", bound=Mirrored)


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


@dataclass(frozen=True, slots=True)
class ShownFact:
    """One of a change's facts, as a person reads it."""

    label: Words
    value: Words


class Kind(ABC, Generic[Record]):
    """A verb: its words, its form, its request, its facts and when it is allowed."""

    name: ClassVar[str]
    url_name: ClassVar[str]
    # The last part of the address, after the record's own.
    step: ClassVar[str]
    title: ClassVar[Words]
    # What the page says it is about to do, above the form.
    explanation: ClassVar[Words]
    subject: ClassVar[Subject]
    form_class: ClassVar[type[forms.Form]]
    undo: ClassVar[Words]
    endpoint: ClassVar[remote.Endpoint]
    # The name of the verb that takes this one back, or that this one takes back; "" for none.
    inverse: ClassVar[str] = ""
    # True for a verb that takes another one back, whatever is entered.
    is_undo: ClassVar[bool] = False
    # True for the everyday step forward, offered in each row of the list; the others stand on
    # the person's own page.
    is_everyday: ClassVar[bool] = False
    icon: ClassVar[str] = "undo-2"
    # Whether the same request may be sent again once reading back says it did not take.
    may_repeat: ClassVar[bool] = True
    # False where no reading shows whether the request took effect: then a person says so.
    shows_result: ClassVar[bool] = True
    # How long after the tenant's midnight its day may be spoken of as begun.
    day_margin: ClassVar[timedelta] = timedelta(0)
    # True when the form shows what Feishu holds now, so that it is read before the form opens.
    reads_first: ClassVar[bool] = False

    # -- what is offered, and the form ----------------------------------------------------

    @abstractmethod
    def is_legal(self, record: Record) -> bool:
        """Whether the verb fits the present state (rules.py), to decide what to offer."""

    def is_open_to(self, record: Record) -> bool:
        """False where Feishu refuses this person whatever is entered; the plan says why."""
        return True

    @abstractmethod
    def about(self, record: Record) -> Words:
        """Under the person's name: what tells this record from others."""

    def form(
        self,
        record: Record,
        data: Mapping[str, Any] | None = None,
        *,
        today: date,
        undoes: StatusChange | None = None,
        user: User | None = None,
    ) -> forms.Form:
        """The form, filled with `data` or with what it starts with on this tenant day.

        `user`: who is going to fill it in.
        """
        if data is not None:
            return self.form_class(data)
        initial = self.initial(record, today=today)
        initial |= self.initial_for(user) if user else {}
        return self.form_class(initial=initial | (self.initial_undoing(undoes) if undoes else {}))

    @abstractmethod
    def initial(self, record: Record, *, today: date) -> dict[str, Any]:
        """What the form starts with."""

    def initial_for(self, user: User) -> dict[str, Any]:
        """What the form starts with because this user fills it in."""
        return {}

    def initial_undoing(self, change: StatusChange) -> dict[str, Any]:
        """What the form starts with when it takes this change back."""
        return {}

    # -- the plan -------------------------------------------------------------------------

    @abstractmethod
    def route_for(self, record: Record) -> Words:
        """Which of Feishu's doors this goes through for this person, and why."""

    @abstractmethod
    def call(self, record: Record, values: Facts, *, key: str) -> remote.Call:
        """The one exact request. `key`: unique to this intent, the same for each attempt.

        Raises feishu InvalidCall for values it cannot carry.
        """

    @abstractmethod
    def effective_day(self, values: Facts) -> date | None:
        """The tenant day before which nothing is sent; None for at once."""

    @abstractmethod
    def field_changes(self, record: Record, values: Facts) -> Sequence[FieldChange]:
        """Before and after, by field."""

    @abstractmethod
    def blockers(self, record: Record, values: Facts, *, today: date) -> Sequence[Notice]:
        """Every reason why this cannot be done now, so that nothing is sent in vain."""

    @abstractmethod
    def warnings(self, record: Record, values: Facts, *, today: date) -> Sequence[Notice]:
        """What to think about before confirming."""

    # -- the facts ------------------------------------------------------------------------

    def known(self, record: Record) -> Facts:
        """What the mirror holds of what `read` gives."""
        payload: Facts = record.payload
        return payload

    @abstractmethod
    def read(self, subject_id: str, feishu: remote.Client) -> Facts:
        """A fresh record from Feishu. Raises RecordMissing and feishu's errors."""

    def read_for_form(self, subject_id: str, feishu: remote.Client) -> Facts:
        """As `read`, with what only the form needs."""
        return self.read(subject_id, feishu)

    @abstractmethod
    def store(self, payload: Facts, *, asked_at: datetime) -> None:
        """Bring the mirror up to date with what was read or answered."""

    @abstractmethod
    def facts(self, payload: Facts) -> dict[str, Any]:
        """The part of Feishu's record that this change depends on or alters."""

    @abstractmethod
    def shown_facts(self, facts: Facts) -> Sequence[ShownFact]:
        """The facts in words, with the labels of `field_changes`."""

    @abstractmethod
    def holds(self, call: remote.Call, facts: Facts) -> bool:
        """Whether the facts show what the request wanted."""

    def may_send_again(self, call: remote.Call, facts: Facts) -> bool:
        """Whether facts that show no effect are proof enough to send the request again."""
        return self.may_repeat

    def chained(self, facts: Facts) -> Facts:
        """What the log's chain holds of the facts: nothing personal and no free text, because
        it can never be erased there."""
        return facts

    # -- the end --------------------------------------------------------------------------

    @abstractmethod
    def answered_record(self, data: Facts) -> Facts | None:
        """What `read` would give now, from a successful answer; None when it does not tell."""

    def applied(self, change: StatusChange, *, at: datetime) -> None:
        """What the mirror learns from a change that is done and that no reading tells it.

        Runs in the transaction that ends the change.
        """

    def undone_on(self, change: StatusChange) -> Mirrored | None:
        """The record on which the inverse verb takes this change back."""
        return self.subject.find(change.subject_id)

    @abstractmethod
    def outcome_sentence(self, change: StatusChange) -> Words:
        """What a finished change has done, in one sentence."""


class RecordMissing(Exception):
    """Feishu has no such record any more."""
