"""What Feishu refuses in a split between cost centers (A5, 1161019 to 1161025), said before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from lifecycle.changes.kinds.words import refusal
from lifecycle.errors.words import Notice, Words
from lifecycle.models import CatalogueEntry
from lifecycle.remote import Endpoint

DUPLICATE, BAD_SHARE, INCOMPLETE, UNKNOWN = 1161019, 1161020, 1161021, 1161022
WRONG_TOTAL, DEACTIVATED, ENDING = 1161023, 1161024, 1161025
WHOLE = 100
NO_END = date(9999, 12, 31)


def split_refusals(endpoint: Endpoint, split: Sequence[tuple[str, int]]) -> list[Notice]:
    """Every reason against a split, named by its cost centers; one query."""
    centers = [center for center, _ in split]
    known = {
        entry.feishu_id: entry
        for entry in CatalogueEntry.objects.filter(
            kind=CatalogueEntry.Kind.COST_CENTER, feishu_id__in=[*filter(None, centers)]
        )
    }
    total = sum(rate for _, rate in split)
    deactivated = [entry for entry in known.values() if not entry.is_active]
    ending = [entry for entry in known.values() if entry.is_active and _ends(entry)]
    found: list[tuple[int, Words | None]] = []
    if len(set(centers)) < len(centers):
        found.append((DUPLICATE, None))
    if any(not 1 <= rate <= WHOLE for _, rate in split):
        found.append((BAD_SHARE, None))
    if not all(centers):
        found.append((INCOMPLETE, None))
    if any(center and center not in known for center in centers):
        found.append((UNKNOWN, None))
    if total != WHOLE:
        found.append((WRONG_TOTAL, _total_words(total)))
    if deactivated:
        found.append((DEACTIVATED, _named(deactivated, "已停用。", "is no longer in use.")))
    if ending:
        found.append((ENDING, _named(ending, "即将停用。", "is about to be disabled.")))
    return [refusal(endpoint, code, sentence) for code, sentence in found]


def _ends(entry: CatalogueEntry) -> bool:
    """R9 writes 9999-12-31 for a cost center without an end."""
    text = entry.payload.get("expiration_time")
    return isinstance(text, str) and text != "" and text[:10] < NO_END.isoformat()


def _total_words(total: int) -> Words:
    return Words(
        f"成本中心分摊合计 {total}%，必须正好是 100%。",
        f"The cost center shares add up to {total}%; they have to be exactly 100%.",
    )


def _named(entries: Sequence[CatalogueEntry], zh: str, en: str) -> Words:
    names = [str(entry) for entry in entries]
    return Words(f"成本中心 {'、'.join(names)} {zh}", f"Cost center {', '.join(names)} {en}")
