"""The search for people by name, pinyin and id, against LIKE over the same table."""

from __future__ import annotations

from collections.abc import Callable

from bench.run import Figure, interleaved, main, set_up


def measure(size: int, repeats: int) -> list[Figure]:
    from django.db import connection

    from bench import company
    from bench.pages import admin_page, portal_page

    company.fill(size)
    times = 10 if connection.vendor == "sqlite" else 5
    figures = []
    for what, text in _searches().items():
        like, ours = interleaved(_like(text), _ours(text), repeats=repeats)
        assert sorted(_like(text)()) == sorted(_ours(text)()), text
        figures.append(Figure.faster(f"everybody with {what}: {text}", ours, like, times))
    for what, text in {"a common surname": "王", "a name": "汪涛"}.items():
        page = portal_page(f"/employees/?q={text}")
        admin, ours = interleaved(admin_page(text), page, repeats=repeats)
        figures.append(
            Figure.faster(
                f"list page searched for {what}, Django admin as the floor", ours, admin, 5
            )
        )
    return figures


def _searches() -> dict[str, str]:
    from lifecycle.models import Person

    someone = Person.objects.order_by("-pk")[0]
    return {
        "two characters": "汪涛",
        "three characters": "王小林",
        "pinyin": "wangtao",
        "initials nobody has": "qk",
        "an id": str(someone.talent_id),
        "the last digits of an id": str(someone.talent_id)[-7:],
    }


def _like(text: str) -> Callable[[], list[int]]:
    from lifecycle.models import Person

    return lambda: list(
        Person.objects.filter(search_text__contains=text).values_list("pk", flat=True)
    )


def _ours(text: str) -> Callable[[], list[int]]:
    from lifecycle.models import Person
    from lifecycle.queries.narrowing import search_condition

    return lambda: list(
        Person.objects.filter(search_condition(text, "search_text")).values_list("pk", flat=True)
    )


if __name__ == "__main__":
    set_up()
    main(measure, size=1_000_000, quick=20_000)
