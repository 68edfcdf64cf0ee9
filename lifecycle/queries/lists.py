"""What the lists of records have in common: tabs, filters, search, order, columns, pages.

A list is described once, as a RecordList; its page, its rows that are looked at again, and
its export are made from that description.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import IntegerField, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext

from lifecycle import policies
from lifecycle.masking import TAIL, email_key, phone_key
from lifecycle.models import Employee, Employment, StatusChange, Talent, User
from lifecycle.models.mirror import Mirrored
from lifecycle.paging import Page, page_by_key, walk_by_key
from lifecycle.policies import Someone
from lifecycle.queries.names import DepartmentChoice, department_choices, departments_below
from lifecycle.queries.narrowing import SEARCH_LENGTH, search_condition

Text = str | Promise
Shown = TypeVar("Shown", bound=Mirrored)
Condition = Callable[[date], Q]

EVERYTHING = "all"
CHOICE_LENGTH = 64
LEAST_DIGITS = 7
# Figures beyond this are shown as "so many and more": counting a million takes too long.
MOST_COUNTED = 999


# -- a list -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Badge:
    """Where a record stands: the colour, the words, and the state they stand for."""

    tone: str
    label: Text
    state: str


@dataclass(frozen=True, slots=True)
class RecordRow(ABC, Generic[Shown]):
    """One line of a list: a record, the change of its person that is under way, and in the
    rows of each kind the names behind its ids. `today`: a day of the tenant."""

    record: Shown
    open_change: StatusChange | None
    today: date

    @property
    def name(self) -> str:
        return person_name(self.record)

    @property
    def sub(self) -> str:
        """What stands under the name."""
        return str(self.record.feishu_id)

    @property
    @abstractmethod
    def badge(self) -> Badge: ...

    @property
    def is_due(self) -> bool:
        """True while something is still to be done about the record."""
        return True

    def days_until(self, day: date | None) -> int | None:
        """Negative once the day has passed; None when there is none, or nothing is due."""
        return (day - self.today).days if day and self.is_due else None


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: text, wrap (a long text), day or id. `place`: "" for everywhere; secondary: on
    the screen only where there is room; screen or export: in one of both alone."""

    label: Text
    value: Callable[[Any], Any]
    kind: str = "text"
    place: str = ""
    tone: Callable[[Any], str] = lambda row: ""
    is_sorted: bool = False


@dataclass(frozen=True, slots=True)
class RecordTab:
    name: str
    label: Text
    condition: Condition
    newest_first: bool = False
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A select beside the search. Without `options` it offers the departments in reach."""

    name: str
    label: Text
    everything: Text
    condition: Callable[[str], Q]
    options: Mapping[str, Text] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number above the list, which leads to a tab. `tone`: when it is not zero."""

    name: str
    label: Text
    note: Text
    icon: str
    tab: str
    condition: Condition
    tone: str = ""


@dataclass(frozen=True, slots=True)
class RecordList:
    """A list of one kind of record. The first tab is where it starts."""

    name: str
    noun: str
    sync: str
    icon: str
    title: Text
    about: Text
    model: type[Mirrored]
    tabs: tuple[RecordTab, ...]
    sort: str
    rows: Callable[[Sequence[Any], date], Sequence[RecordRow[Any]]]
    columns: tuple[Column, ...]
    choices: tuple[Choice, ...] = ()
    figures: tuple[Figure, ...] = ()

    @property
    def rows_url(self) -> str:
        return f"{self.noun}-rows"

    @property
    def export_url(self) -> str:
        return f"export-{self.name}"

    @property
    def first_tab(self) -> str:
        return self.tabs[0].name

    def tab(self, name: str) -> RecordTab:
        return next(tab for tab in self.tabs if tab.name == name)

    @property
    def shown_columns(self) -> list[Column]:
        return [column for column in self.columns if column.place != "export"]

    @property
    def exported_columns(self) -> list[Column]:
        return [column for column in self.columns if column.place != "screen"]


# -- what it is narrowed to ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """What a list is narrowed to; kept in its address.

    A list starts with the work to be done; a search that names no tab looks through
    everybody.
    """

    shape: RecordList
    tab: str
    q: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, shape: RecordList, params: Mapping[str, str]) -> RecordFilter:
        tab, q = params.get("status", ""), params.get("q", "").strip()[:SEARCH_LENGTH]
        if tab not in {known.name for known in shape.tabs}:
            tab = EVERYTHING if q else shape.first_tab
        return cls(shape, tab, q, _chosen(shape, params))

    def with_tab(self, tab: str) -> RecordFilter:
        return replace(self, tab=tab)

    @property
    def is_narrow(self) -> bool:
        return bool(self.q or self.chosen) or self.tab not in (EVERYTHING, self.shape.first_tab)

    @property
    def is_whole(self) -> bool:
        return self.tab == EVERYTHING

    @property
    def is_descending(self) -> bool:
        return self.shape.tab(self.tab).newest_first

    @property
    def order(self) -> tuple[str, ...]:
        sign = "-" if self.is_descending else ""
        return (f"{sign}{self.shape.sort}", f"{sign}pk")

    def query_string(self, **more: str) -> str:
        """The address that leads back here, without what is not set."""
        starts_here = self.tab == self.shape.first_tab and not self.q
        values = {"status": "" if starts_here else self.tab, **self.chosen, "q": self.q} | more
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, records: QuerySet[Any], *, today: date) -> QuerySet[Any]:
        records = records.filter(self.shape.tab(self.tab).condition(today))
        for choice in self.shape.choices:
            if choice.name in self.chosen:
                records = records.filter(choice.condition(self.chosen[choice.name]))
        return records.filter(person_search(self.q)) if self.q else records


def _chosen(shape: RecordList, params: Mapping[str, str]) -> dict[str, str]:
    chosen = {}
    for choice in shape.choices:
        value = params.get(choice.name, "")[:CHOICE_LENGTH]
        if value and (choice.options is None or value in choice.options):
            chosen[choice.name] = value
    return chosen


def person_search(text: str) -> Q:
    """Every word is part of a name, its pinyin, its initials or an id, or is all of a phone
    number, its last four digits or all of an e-mail address."""
    words = text.lower().split()
    names = " ".join(word for word in words if not _may_be_contact(word))
    found = search_condition(names, "person__search_text")
    for word in filter(_may_be_contact, words):
        found &= search_condition(word, "person__search_text") | contact_search(word)
    # A number may be written in groups.
    return found | contact_search(text) if len(words) > 1 else found


def _may_be_contact(text: str) -> bool:
    """True for an e-mail address, a phone number or the last digits of one."""
    if "@" in text:
        return True
    is_number = not set(text) - set("0123456789+-() ")
    return is_number and len(phone_key(text)) in (TAIL, *range(LEAST_DIGITS, 40))


def contact_search(text: str) -> Q:
    """The people whose phone number or e-mail address this is; nobody for other texts."""
    if not _may_be_contact(text):
        return Q(pk__in=[])
    digits = phone_key(text)
    if "@" in text:
        talents = Talent.objects.filter(email_key=email_key(text))
    elif len(digits) == TAIL:
        talents = Talent.objects.filter(phone_tail=digits)
    else:
        talents = Talent.objects.filter(phone_key=digits)
    return Q(person_id__in=talents.order_by().values("person_id"))


def in_department(department_id: str) -> Q:
    return Q(department_id__in=departments_below(department_id))


def person_in_department(department_id: str) -> Q:
    """For records that name no department themselves: where the person works."""
    below = departments_below(department_id)
    hire = Employee.objects.filter(department_id__in=below).order_by().values("person_id")
    core_hr = Employment.objects.filter(department_id__in=below).order_by().values("person_id")
    return Q(person_id__in=hire) | Q(person_id__in=core_hr)


# -- its pages ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordPage:
    page: Page[Any]
    rows: Sequence[RecordRow[Any]]


def record_page(
    user: Someone, narrowed: RecordFilter, params: Mapping[str, str], *, today: date
) -> RecordPage:
    page = page_by_key(_records(user, narrowed, today), params, order=narrowed.order)
    return RecordPage(page, narrowed.shape.rows(page.rows, today))


def record_rows(
    user: Someone, shape: RecordList, ids: Iterable[int], *, today: date
) -> Sequence[RecordRow[Any]]:
    """Rows of the list by their ids, as far as the user may see them."""
    found = policies.visible(user, shape.model).filter(pk__in=list(ids)).select_related("person")
    return shape.rows(list(found), today)


def all_rows(
    user: Someone, narrowed: RecordFilter, *, today: date, most: int, chunk: int
) -> Iterator[RecordRow[Any]]:
    """Every row of the list in its order, `most` at the most, a chunk in memory at a time."""
    records = _records(user, narrowed, today)
    for part in walk_by_key(records, order=narrowed.order, size=chunk, most=most):
        yield from narrowed.shape.rows(part, today)


def count_rows(user: Someone, narrowed: RecordFilter, *, today: date, most: int) -> int:
    """How many rows the list has, counted up to `most`."""
    return _records(user, narrowed, today).order_by()[:most].count()


def figures(user: Someone, shape: RecordList, *, today: date) -> dict[str, int]:
    """The figures above the list and beside its tabs, over everybody the user may see, each
    counted as far as MOST_COUNTED and one more; one query, or none."""
    counted: list[Figure | RecordTab] = [tab for tab in shape.tabs if tab.is_counted]
    counted += shape.figures
    if not counted:
        return {}
    records = policies.visible(user, shape.model).order_by().values("pk")
    numbers = {
        one.name: _Number(records.filter(one.condition(today))[: MOST_COUNTED + 1])
        for one in counted
    }
    # The numbers stand in the row of whoever asks.
    return User.objects.filter(pk=user.pk or 0).values(**numbers).first() or dict.fromkeys(
        numbers, 0
    )


class _Number(Subquery):
    """How many rows a query has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


def choice_options(user: Someone, choice: Choice) -> list[DepartmentChoice]:
    """What a select offers: value and name."""
    if choice.options is None:
        return department_choices(user)
    return [DepartmentChoice(value, str(label)) for value, label in choice.options.items()]


def _records(user: Someone, narrowed: RecordFilter, today: date) -> QuerySet[Any]:
    records = policies.visible(user, narrowed.shape.model).select_related("person")
    return narrowed.apply(records, today=today)


# -- what rows have in common -------------------------------------------------------------


def person_name(record: Mirrored) -> str:
    return record.person.name or record.feishu_id


def days_in_words(days: int | None) -> str:
    """How long until something is due; an empty text when nothing is."""
    if days is None:
        return ""
    if days < 0:
        return ngettext("%(days)d day overdue", "%(days)d days overdue", -days) % {"days": -days}
    if days == 0:
        return gettext("Due today")
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
