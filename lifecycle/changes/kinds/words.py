"""Words and notices that several verbs need."""

from __future__ import annotations

from datetime import date

from lifecycle import remote
from lifecycle.errors import feishu_codes
from lifecycle.errors.words import Notice, Words

NOTHING = Words("—", "—")


def filled(notice: Notice, **values: object) -> Notice:
    """The notice with the values in its sentence."""
    return Notice(notice.code, notice.sentence.fill(**values), notice.advice)


def refusal(endpoint: remote.Endpoint, code: int, sentence: Words | None = None) -> Notice:
    """What Feishu would refuse with this code, said before anything is sent.

    `sentence`: says it more closely than the table of codes does.
    """
    row = feishu_codes.lookup(endpoint.key, code)
    if row is None:
        raise LookupError(code)
    return Notice(
        f"feishu.{code}",
        sentence or Words(row.sentence_zh, row.sentence_en),
        Words(row.advice_zh, row.advice_en),
    )


def text_words(text: object) -> Words:
    """Feishu's own text, which is the same in both languages; a dash for none."""
    return Words(str(text), str(text)) if text not in (None, "") else NOTHING


def day_words(day: date | None) -> Words:
    return text_words(day.isoformat() if day else None)


def day_of(ms: object) -> date | None:
    """The tenant day of a time in ms, None for none."""
    known = remote.times.ms_of(ms) if isinstance(ms, str | int) else None
    return remote.times.ms_to_day(known, remote.tenant_zone()) if known else None
