"""A list as a CSV file against csv.writer over the same rows by hand."""

from __future__ import annotations

import csv
import io
import tracemalloc

from bench.run import Figure, interleaved, main, set_up

COLUMNS = (
    "p.name, e.feishu_id, d.full_name, e.onboarded_on, e.expected_conversion_on, c.name,"
    " e.converted_on, e.left_on, e.application_id, e.employment_id"
)


def measure(size: int, repeats: int) -> list[Figure]:
    from bench import company

    company.fill(size)
    ours, hand = interleaved(_export, _by_hand, repeats=min(repeats, 3))
    tracemalloc.start()
    _export()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return [
        Figure.at_most("CSV of everybody", ours, hand, 3),
        Figure.below("memory it takes", round(peak, 1), 64, "MB"),
    ]


def _export() -> None:
    from django.utils import timezone

    from bench.pages import hr
    from lifecycle.queries import LISTS, RecordFilter
    from lifecycle.services.exports import start_export

    export = start_export(
        RecordFilter.read(LISTS["employees"], {"status": "all"}),
        file_format="csv",
        purpose="how fast it is",
        acting_user=hr(),
        today=timezone.localdate(),
    )
    for _ in export:
        pass


def _by_hand() -> None:
    from django.db import connection

    out = io.StringIO()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM lifecycle_employee e"
            " JOIN lifecycle_person p ON p.id = e.person_id"
            " LEFT JOIN lifecycle_department d ON d.feishu_id = e.department_id"
            " LEFT JOIN lifecycle_contact c ON c.feishu_id = e.leader_open_id"
            " WHERE e.gone_at IS NULL ORDER BY e.due_sort_on, e.id"
        )
        csv.writer(out).writerows(iter(cursor.fetchone, None))


if __name__ == "__main__":
    set_up()
    main(measure, size=100_000, quick=2_000)
