"""The list of employees: a page against the same rows by hand and against Django's admin, and
a page far down against the first one."""

from __future__ import annotations

from typing import Any

from bench.run import Figure, interleaved, main, set_up

MOST_QUERIES, MOST_KB = 12, 60


def measure(size: int, repeats: int) -> list[Figure]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from bench import company
    from bench.pages import admin_page, by_hand, portal_page

    company.fill(size)
    first = portal_page("/employees/?status=all")
    deep = portal_page(f"/employees/?status=all&after={_cursor_at(size // 2)}")
    deepest = portal_page(f"/employees/?status=all&after={_cursor_at(size - 60)}")
    probation = portal_page("/employees/")
    hand, admin = by_hand("all"), admin_page()
    times = interleaved(hand, first, admin, deep, deepest, probation, repeats=repeats)
    hand_s, first_s, admin_s, deep_s, deepest_s, probation_s = times
    with CaptureQueriesContext(connection) as captured:
        answer = first()
    return [
        Figure.at_most("list page, all", first_s, hand_s, 3),
        Figure.at_most("list page, on probation", probation_s, hand_s, 3),
        Figure.faster("list page, Django admin as the floor", first_s, admin_s, 10),
        Figure.at_most("page in the middle, first page as the floor", deep_s, first_s, 2),
        Figure.at_most("last page, first page as the floor", deepest_s, first_s, 2),
        Figure.below("queries of a list page", len(captured), MOST_QUERIES, "queries"),
        Figure.below("size of a list page", len(answer.content) // 1000, MOST_KB, "KB"),
    ]


def _cursor_at(place: int) -> str:
    from lifecycle.models import Employee

    rows: Any = Employee.objects.order_by("due_sort_on", "pk")
    row = rows[max(place, 0)]
    return f"{row.due_sort_on}_{row.pk}"


if __name__ == "__main__":
    set_up()
    main(measure, size=1_000_000, quick=20_000)
