"""`manage.py feishu_errors`: every code Feishu documents for the calls that change something."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lifecycle.errors import feishu_codes
from lifecycle.errors.feishu_code import ANY_ENDPOINT, FeishuCode
from lifecycle.remote import endpoints, outcomes

# The order of the pages; codes any endpoint can answer come last.
ENDPOINTS = {endpoint.key: endpoint for endpoint in endpoints.WRITES}
PLACES = [*ENDPOINTS, ANY_ENDPOINT]
# One of Hire, of CoreHR and of messages: between them they know every code that is not one
# endpoint's.
ANY_OF_THEM = (endpoints.TALENT_LIST, endpoints.PRE_HIRE_LIST, endpoints.MESSAGE_CREATE)


class Command(BaseCommand):
    help = "Lists what each code of Feishu's five write calls means, who can help, and how."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as a JSON list, in both languages")
        parser.add_argument("--all", action="store_true", help="with the codes any call can answer")
        parser.add_argument("--language", choices=["zh", "en"], default="zh", help="of the table")

    def handle(self, *args: Any, **options: Any) -> None:
        _speak_utf_8(self.stdout)
        rows = documented(with_shared=options["all"])
        self.stdout.write(as_json(rows) if options["json"] else as_table(rows, options["language"]))


def documented(*, with_shared: bool) -> list[FeishuCode]:
    """The codes in the order of Feishu's pages, then by number."""
    rows = (row for row in feishu_codes.ALL if with_shared or row.endpoint_key != ANY_ENDPOINT)
    return sorted(rows, key=lambda row: (PLACES.index(row.endpoint_key), row.code))


def as_json(rows: list[FeishuCode]) -> str:
    """A list with one object a code; `http_status` is null where Feishu does not say."""
    table = [
        {
            "endpoint": row.endpoint_key,
            "http_status": row.http_status,
            "code": row.code,
            "sentence_zh": row.sentence_zh,
            "sentence_en": row.sentence_en,
            "advice_zh": row.advice_zh,
            "advice_en": row.advice_en,
            "owner": row.owner,
            "outcome": outcome(row),
        }
        for row in rows
    ]
    return json.dumps(table, ensure_ascii=False, indent=2)


def as_table(rows: list[FeishuCode], language: str) -> str:
    """Two lines a code under its call: what it means, then who can do what."""
    lines = []
    for place, of_place in groupby(rows, key=lambda row: row.endpoint_key):
        lines += ["", place if place != ANY_ENDPOINT else "any call"]
        for row in of_place:
            sentence, advice, who = (
                getattr(words, language) for words in (row.sentence, row.advice, row.owner_words)
            )
            numbers = f"{row.http_status or '-':>5}  {row.code:<8}  {outcome(row) or '-':<9}"
            lines += [f"{numbers}  {sentence}", f"{'':28}[{who}] {advice}"]
    return "\n".join(lines[1:])


def outcome(row: FeishuCode) -> str | None:
    """What the code makes of a change; None where only fetching a token can answer it."""
    own = ENDPOINTS.get(row.endpoint_key)
    places = (own,) if own else ANY_OF_THEM
    found = (outcomes.row_for(place, row.code) for place in places)
    return next((str(one.outcome) for one in found if one), None)


def _speak_utf_8(stream: Any) -> None:
    """Chinese whatever the locale; a buffer in a test has no encoding to change."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure:
        reconfigure(encoding="utf-8")
