"""The lists of records: talents, applications, pre-hires, employees, offboardings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from lifecycle import policies, queries
from lifecycle.changes import kinds
from lifecycle.changes.kinds import Kind
from lifecycle.models import StatusChange
from lifecycle.models.mirror import Mirrored
from lifecycle.policies import Capability, Someone
from lifecycle.queries import RecordFilter, RecordList, RecordRow
from lifecycle.queries.lists import Column
from lifecycle.templatetags.portal import day, or_dash
from lifecycle.views.answers import flat, neighbour_queries, page, push_address, wants_partial
from lifecycle.views.tabs import Tab

ROWS_AT_ONCE = 100

CELL_CLASSES = {"text": "nowrap", "wrap": "wrap whole", "day": "nowrap", "id": "nowrap mono small"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One fact of a row under the heading of its column, as the screen shows it."""

    label: str
    css: str
    text: str


@dataclass(frozen=True, slots=True)
class ListedRecord:
    """A row, what may be asked for it, and whether the screen should keep looking at it."""

    row: RecordRow[Any]
    cells: list[Cell]
    next_steps: list[Kind[Any]]
    is_watched: bool


@dataclass(frozen=True, slots=True)
class ShownFigure:
    figure: queries.Figure
    number: int

    @property
    def tone(self) -> str:
        return self.figure.tone if self.number else ""


@dataclass(frozen=True, slots=True)
class ShownChoice:
    """A select with what it offers and what is chosen in it."""

    choice: queries.Choice
    options: Sequence[queries.DepartmentChoice]
    chosen: str


@require_safe
def records(request: HttpRequest, name: str) -> HttpResponse:
    shape, today, params = queries.LISTS[name], timezone.localdate(), flat(request.GET)
    narrowed = RecordFilter.read(shape, params)
    found = queries.record_page(request.user, narrowed, params, today=today)
    counts = queries.figures(request.user, shape, today=today)
    mirror = queries.mirror_state(shape.sync, at=timezone.now())
    context = {
        **listed_context(request.user, shape, found.rows),
        "narrowed": narrowed,
        "page": found.page,
        **neighbour_queries(narrowed, found.page),
        "counts": counts,
        "figures": shown_figures(shape, counts),
        "whole_query": narrowed.with_tab("all").query_string(),
        "tabs": [
            Tab(
                tab.name,
                tab.label,
                narrowed.with_tab(tab.name).query_string(),
                counts.get(tab.name),
            )
            for tab in shape.tabs
        ],
        "may_export": policies.can(request.user, Capability.EXPORT),
        "export_query": narrowed.query_string(),
        "list_mirror": mirror,
        # The frame tells how old the records on this page are, not those of another list.
        "mirror": mirror,
    }
    if not wants_partial(request):
        context["choices"] = shown_choices(request.user, narrowed)
    response = page(request, "records/list.html", "records/_table.html", context)
    return push_address(request, response, narrowed, params)


@require_safe
def record_rows(request: HttpRequest, name: str) -> HttpResponse:
    """Rows that may have moved, each to be put in its own place."""
    shape, today = queries.LISTS[name], timezone.localdate()
    ids = {int(text) for text in request.GET.getlist("ids") if text.isdecimal() and len(text) < 19}
    some = sorted(ids)[:ROWS_AT_ONCE]
    rows = queries.record_rows(request.user, shape, some, today=today)
    context = listed_context(request.user, shape, rows)
    if any(not item.is_watched for item in context["listed"]):
        # A change has come to rest, so the figures above the list may have moved too.
        counts = queries.figures(request.user, shape, today=today)
        context["figures"] = shown_figures(shape, counts)
    return render(request, "records/_rows.html", context)


def listed_context(
    user: Someone, shape: RecordList, rows: Sequence[RecordRow[Any]]
) -> dict[str, Any]:
    """What the rows of a list are shown from."""
    # A heading stands beside each of its cells on narrow screens: it is translated once.
    headings = [(column, str(column.label)) for column in shape.shown_columns]
    return {"shape": shape, "listed": [_listed(user, headings, row) for row in rows]}


def listed_alone(user: Someone, record: Mirrored, *, today: date) -> dict[str, Any]:
    """The same for one record, to be put in its place on its list."""
    shape = queries.list_of(type(record))
    return listed_context(user, shape, shape.rows([record], today))


def _listed(
    user: Someone, headings: Sequence[tuple[Column, str]], row: RecordRow[Any]
) -> ListedRecord:
    """A row of a list offers the step that is due; all the others are on the person's page."""
    change = row.open_change
    steps = next_steps(user, row.record, change) if row.is_due else []
    return ListedRecord(
        row=row,
        cells=[_cell(column, label, row) for column, label in headings],
        next_steps=[k for k in steps if k.is_everyday and k.is_open_to(row.record)],
        is_watched=change is not None and queries.is_moving(change, at=timezone.now()),
    )


def _cell(column: Column, label: str, row: RecordRow[Any]) -> Cell:
    value = column.value(row)
    text = day(value) if column.kind == "day" else str(or_dash(value))
    css = (CELL_CLASSES[column.kind], column.place, column.tone(row))
    return Cell(label, " ".join(filter(None, css)), text)


def next_steps(
    user: Someone, record: Mirrored, open_change: StatusChange | None
) -> list[Kind[Any]]:
    """The verbs that fit this record and that this user may ask for. The record comes from a
    query of what the user may see, so the scope needs no second look."""
    if open_change is not None or policies.is_self(user, record):
        return []
    return [
        kind
        for kind in kinds.ALL.values()
        if kind.subject.model is type(record)
        and policies.may_ask(user, kind.name)
        and kind.is_legal(record)
    ]


def shown_figures(shape: RecordList, figures: dict[str, int]) -> list[ShownFigure]:
    return [ShownFigure(figure, figures[figure.name]) for figure in shape.figures]


def shown_choices(user: Someone, narrowed: RecordFilter) -> list[ShownChoice]:
    return [
        ShownChoice(
            choice, queries.choice_options(user, choice), narrowed.chosen.get(choice.name, "")
        )
        for choice in narrowed.shape.choices
    ]


def chosen_in_words(user: Someone, narrowed: RecordFilter) -> list[tuple[str | Promise, str]]:
    """What the list is narrowed to, for people: each filter with its value."""
    shape = narrowed.shape
    words: list[tuple[str | Promise, str]] = [("", str(shape.tab(narrowed.tab).label))]
    for shown in shown_choices(user, narrowed):
        if shown.chosen:
            names = {option.feishu_id: option.name for option in shown.options}
            words.append((shown.choice.label, names.get(shown.chosen, shown.chosen)))
    return words
