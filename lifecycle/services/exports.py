"""Lists as files: exactly what a list is narrowed to, masked as on the screen, and logged.

The log says that an export begins before its first byte leaves, and how it ended once its
last one has: the number of rows and the SHA-256 of the file. An export with no end in the
log was cut off. Rows are read a chunk at a time, so that memory does not grow with the list.
"""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from typing import IO, Any

import xlsxwriter
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from lifecycle import action_log, policies, queries
from lifecycle.errors.problems import InvalidValues, NotAllowed
from lifecycle.models import User
from lifecycle.policies import Capability
from lifecycle.queries import RecordFilter, RecordRow

CHUNK = 2000
LINES_AT_ONCE = 200
BLOCK = 64 * 1024
LEAST_PURPOSE, MOST_PURPOSE = 2, 200
# What a spreadsheet takes for the beginning of a formula; the wide forms are normalised first.
FORMULA_STARTS = ("=", "+", "-", "@")
BOM = "\ufeff"


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows an export has. `is_cut`: the list has more than a file may hold."""

    rows: int
    is_cut: bool


@dataclass(slots=True)
class Export:
    """A file on its way: iterating it makes its bytes, and logs its end after the last."""

    narrowed: RecordFilter
    format: Format
    size: Size
    acting_user: User
    today: date
    started_seq: int
    language: str
    rows: int = 0
    sha256: str = ""
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.format]

    @property
    def filename(self) -> str:
        """Tells of a cut, because a file is passed on without the page it came from."""
        cut = f"-first-{self.size.rows}" if self.size.is_cut else ""
        return f"{self.narrowed.shape.name}-{self.today.isoformat()}{cut}.{self.format.value}"

    def __iter__(self) -> Iterator[bytes]:
        make = _csv_bytes if self.format is Format.CSV else _xlsx_bytes
        # The bytes are made after the view has returned, so the language is kept till then.
        with translation.override(self.language):
            for part in make(self.header, self._lines()):
                self._hash.update(part)
                yield part
        self._finish()

    @property
    def header(self) -> list[str]:
        columns = self.narrowed.shape.exported_columns
        return [_("Name"), _("Feishu id"), *(str(c.label) for c in columns), _("Status")]

    def _lines(self) -> Iterator[list[Value]]:
        columns = self.narrowed.shape.exported_columns
        rows = queries.all_rows(
            self.acting_user, self.narrowed, today=self.today, most=self.size.rows, chunk=CHUNK
        )
        for row in rows:
            self.rows += 1
            values = [Value(column.value(row), column.kind) for column in columns]
            yield [Value(row.name), Value(_id_of(row), "id"), *values, Value(row.badge.label)]

    def _finish(self) -> None:
        self.sha256 = self._hash.hexdigest()
        action_log.record(
            "export.finished",
            actor=self.acting_user,
            data={
                "list": self.narrowed.shape.name,
                "format": self.format.value,
                "rows": self.rows,
                "sha256": self.sha256,
                "started": self.started_seq,
            },
        )


@dataclass(frozen=True, slots=True)
class Value:
    """One field of a file; `kind` as that of a column."""

    given: Any
    kind: str = "text"

    @property
    def day(self) -> date | None:
        """The tenant's day, for a field that is one."""
        if self.kind != "day" or not isinstance(self.given, date):
            return None
        if isinstance(self.given, datetime):
            return timezone.localdate(self.given)
        return self.given

    @property
    def text(self) -> str:
        if self.day is not None:
            return self.day.isoformat()
        return harmless("" if self.given is None else str(self.given))


def size_of(narrowed: RecordFilter, *, acting_user: User, today: date) -> Size:
    """How large the file would be; rows are counted only as far as a file may hold them."""
    most = settings.EXPORT_ROW_CAP
    found = queries.count_rows(acting_user, narrowed, today=today, most=most + 1)
    return Size(min(found, most), is_cut=found > most)


def start_export(
    narrowed: RecordFilter, *, file_format: str, purpose: str, acting_user: User, today: date
) -> Export:
    """Log that the export begins, and hand over the file to be sent.

    Raises NotAllowed, and InvalidValues for an unknown format or a purpose that says nothing.
    """
    if not policies.can(acting_user, Capability.EXPORT):
        raise NotAllowed
    purpose = purpose.strip()
    if file_format not in set(Format) or not LEAST_PURPOSE <= len(purpose) <= MOST_PURPOSE:
        raise InvalidValues
    size = size_of(narrowed, acting_user=acting_user, today=today)
    entry = action_log.record(
        "export.started",
        actor=acting_user,
        data={
            "list": narrowed.shape.name,
            "format": file_format,
            "rows": size.rows,
            "is_cut": size.is_cut,
            "tab": narrowed.tab,
        },
        private={"filters": narrowed.query_string(), "purpose": purpose},
    )
    return Export(
        narrowed,
        Format(file_format),
        size,
        acting_user,
        today,
        started_seq=entry.seq,
        language=translation.get_language() or settings.LANGUAGE_CODE,
    )


def harmless(text: str) -> str:
    """A text no spreadsheet takes for a formula: such a one gets an apostrophe in front."""
    start = unicodedata.normalize("NFKC", text.lstrip()[:1])
    is_risky = start.startswith(FORMULA_STARTS) or text.startswith(("\t", "\r", "\n"))
    return f"'{text}" if is_risky else text


def _id_of(row: RecordRow[Any]) -> str:
    return str(row.record.feishu_id)


# -- CSV ----------------------------------------------------------------------------------


def _csv_bytes(header: Sequence[str], lines: Iterable[list[Value]]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, which Excel needs to read Chinese."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BOM)
    writer.writerow(header)
    lines = iter(lines)
    while True:
        some = list(islice(lines, LINES_AT_ONCE))
        writer.writerows([_csv_text(value) for value in line] for line in some)
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        if not some:
            return


def _csv_text(value: Value) -> str:
    """An id of digits only begins with a tab, or a spreadsheet makes a rounded number of it."""
    is_long_number = value.kind == "id" and value.text.isdecimal()
    return f"\t{value.text}" if is_long_number else value.text


# -- Excel --------------------------------------------------------------------------------


def _xlsx_bytes(header: Sequence[str], lines: Iterable[list[Value]]) -> Iterator[bytes]:
    """Written to a temporary file first: the format cannot be made piece by piece."""
    with tempfile.TemporaryFile(suffix=".xlsx") as file:
        _write_workbook(file, header, lines)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


def _write_workbook(file: IO[bytes], header: Sequence[str], lines: Iterable[list[Value]]) -> None:
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True})
        as_day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        as_text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(header) - 1, 18)
        for column, label in enumerate(header):
            sheet.write_string(0, column, label, bold)
        for number, line in enumerate(lines, start=1):
            for column, value in enumerate(line):
                if value.day is not None and value.day.year >= 1900:
                    sheet.write_datetime(number, column, value.day, as_day)
                else:
                    sheet.write_string(number, column, value.text, as_text)
