"""Every Feishu code in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from lifecycle.errors import feishu_codes
from lifecycle.errors.feishu_code import ANY_ENDPOINT, FeishuCode
from lifecycle.views.answers import flat, page


@dataclass(frozen=True, slots=True)
class HelpRow:
    row: FeishuCode

    @property
    def endpoint(self) -> str:
        """The method and path; empty for codes any endpoint can answer."""
        return "" if self.row.endpoint_key == ANY_ENDPOINT else self.row.endpoint_key

    def matches(self, text: str) -> bool:
        row = self.row
        everything = (str(row.code), row.endpoint_key, row.sentence_zh, row.sentence_en)
        return any(text in part.lower() for part in everything)


ROWS = tuple(HelpRow(row) for row in sorted(feishu_codes.ALL, key=lambda row: row.code))


@require_safe
def error_codes(request: HttpRequest) -> HttpResponse:
    q = flat(request.GET).get("q", "").strip()[:60]
    rows = [row for row in ROWS if row.matches(q.lower())]
    context = {"q": q, "rows": rows, "total": len(ROWS)}
    return page(request, "help/errors.html", "help/_codes.html", context)
