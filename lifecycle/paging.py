"""Pages by key: the same speed however deep, and an address that can be shared.

A page starts after a row or ends before one; nothing is counted or skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """`after` and `before`: cursors of the neighbouring pages, empty where there are none."""

    rows: list[Row]
    after: str = ""
    before: str = ""


def page_by_key(
    rows: QuerySet[Row], params: Mapping[str, str], *, order: tuple[str, ...], size: int = PAGE_SIZE
) -> Page[Row]:
    """The page `params` asks for with `after` or `before`; the first one otherwise.

    `order` names one or two columns, the last one unique; a cursor that cannot be read
    means the first page.
    """
    backwards = not params.get("after") and bool(params.get("before"))
    values = _read_cursor(params.get("before" if backwards else "after", ""), order)
    backwards = backwards and values is not None
    towards = _reversed(order) if backwards else order
    found = _first(rows.order_by(*towards), towards, values, most=size + 1)
    more = len(found) > size
    shown = found[:size]
    if backwards:
        shown.reverse()
    if not shown:
        return Page([])
    has_next = backwards or more
    has_previous = more if backwards else values is not None
    return Page(
        shown,
        after=_cursor(shown[-1], order) if has_next else "",
        before=_cursor(shown[0], order) if has_previous else "",
    )


def walk_by_key(
    rows: QuerySet[Row], *, order: tuple[str, ...], size: int, most: int
) -> Iterator[list[Row]]:
    """All the rows in their order, `most` at the most, in parts of `size`; a query or two a
    part."""
    rows, left = rows.order_by(*order), most
    values: list[Any] | None = None
    while left > 0:
        found = _first(rows, order, values, most=min(size, left))
        if not found:
            return
        yield found
        left -= len(found)
        values = [getattr(found[-1], _name(column)) for column in order]


def _first(
    rows: QuerySet[Row], order: tuple[str, ...], values: list[Any] | None, *, most: int
) -> list[Row]:
    """The first rows, or the first ones beyond these values."""
    if values is None:
        return list(rows[:most])
    found: list[Row] = []
    for part in _beyond(order, values):
        found += rows.filter(part)[: most - len(found)]
        if len(found) == most:
            break
    return found


def _beyond(order: tuple[str, ...], values: list[Any]) -> list[Q]:
    """What lies beyond, in the order to be asked for. With two columns that is the rest of the
    rows with the same value in the first one, then the others: two questions that an index
    answers from their very place. One question for both reads all the rows with the same value
    from their start, and a list may have a million with the same day."""
    if len(order) == 1:
        return [Q(**{f"{_name(order[0])}__{_than(order[0])}": values[0]})]
    first, last = order
    same = Q(**{_name(first): values[0], f"{_name(last)}__{_than(last)}": values[1]})
    return [same, Q(**{f"{_name(first)}__{_than(first)}": values[0]})]


def _name(column: str) -> str:
    return column.removeprefix("-")


def _than(column: str) -> str:
    return "lt" if column.startswith("-") else "gt"


def _reversed(order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(c[1:] if c.startswith("-") else f"-{c}" for c in order)


def _cursor(row: Model, order: tuple[str, ...]) -> str:
    return "_".join(str(getattr(row, _name(column))) for column in order)


def _read_cursor(text: str, order: tuple[str, ...]) -> list[Any] | None:
    parts = text.split("_")
    if len(parts) != len(order):
        return None
    try:
        key = int(parts[-1])
        if not 0 <= key < 2**63:
            return None
        return [*(date.fromisoformat(part) for part in parts[:-1]), key]
    except ValueError:
        return None
