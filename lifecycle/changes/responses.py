"""What Feishu answered to an attempt, as the log keeps it beside its chain."""

from __future__ import annotations

import json

from lifecycle.masking import masked_record
from lifecycle.remote import SendResult

MOST = 4000
CUT = " …[cut]"


def beside(result: SendResult) -> dict[str, str]:
    """The private value of an entry made from this answer; none when no answer came.

    Contact data in it are masked as in the lists. What cannot be read is kept as it came.
    """
    is_readable = result.code is not None
    text = _as_json(result) if is_readable else result.evidence
    if not text:
        return {}
    # Of what cannot be read only a first part is at hand, counted in bytes.
    size = len(text) if is_readable else len(text.encode())
    return {"response": text[:MOST] + CUT if size > MOST else text}


def _as_json(result: SendResult) -> str:
    said = {"data": masked_record(result.data), "error": masked_record(result.error)}
    answer = {"code": result.code, "msg": result.msg} | {k: v for k, v in said.items() if v}
    return json.dumps(answer, ensure_ascii=False)
