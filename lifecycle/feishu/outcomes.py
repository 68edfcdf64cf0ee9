"""What an answer to a write means: applied, refused, to be repeated, or not known.

A code decides first (`code_rows`: endpoint, then family, then gateway), the HTTP status
only when the code says nothing. Whatever is not documented is UNKNOWN, which makes the
portal look before it does anything else.
"""

from __future__ import annotations

from lifecycle.feishu import endpoints
from lifecycle.feishu.calls import Call
from lifecycle.feishu.code_rows import BY_PLACE, COREHR, GATEWAY, HIRE, IM, CodeRow, Outcome
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.envelope import Envelope

__all__ = ["Outcome", "classify", "is_already", "row_for"]

# Where an answer names the record it changed: (object in data, its field, our path id).
ECHOED_IDS: dict[str, tuple[str, str, str]] = {
    endpoints.EMPLOYEE_PATCH.name: ("employee", "id", "employee_id"),
    endpoints.APPLICATION_TRANSFER_ONBOARD.name: (
        "employee",
        "application_id",
        "application_id",
    ),
    endpoints.PRE_HIRE_PATCH.name: ("pre_hire", "id", "pre_hire_id"),
}


def classify(endpoint: Endpoint, envelope: Envelope, *, call: Call | None = None) -> Outcome:
    """The outcome an answer stands for.

    With `call`, a success that names another record than the one asked for is UNKNOWN.
    """
    if 300 <= envelope.http_status < 400:
        return Outcome.UNKNOWN
    if envelope.is_success:
        return Outcome.UNKNOWN if call and contradicts(call, envelope) else Outcome.APPLIED
    row = row_for(endpoint, envelope.code) if envelope.readable else None
    return row.outcome if row else _by_status(envelope.http_status)


def is_already(endpoint: Endpoint, code: int | None) -> bool:
    """True for a refusal that an earlier attempt that worked would explain."""
    row = row_for(endpoint, code)
    return row is not None and row.already


def row_for(endpoint: Endpoint, code: int | None) -> CodeRow | None:
    """The row for a code of this endpoint, None for an undocumented one."""
    if code is None:
        return None
    families = [family for family in (HIRE, COREHR, IM) if family in endpoint.path]
    places = (endpoint.key, *families, GATEWAY) if families else (GATEWAY,)
    rows = (BY_PLACE.get((place, code)) for place in places)
    return next((row for row in rows if row is not None), None)


def contradicts(call: Call, envelope: Envelope) -> bool:
    """True when the answer names another record than the call did."""
    echo = ECHOED_IDS.get(call.endpoint.name)
    if echo is None:
        return False
    holder, field, param = echo
    record = envelope.data.get(holder)
    if not isinstance(record, dict):
        return False
    named = record.get(field)
    return named not in (None, "", call.path_params[param])


def _by_status(http_status: int) -> Outcome:
    if http_status == 429:
        return Outcome.THROTTLED
    if http_status == 401:
        return Outcome.AUTH
    return Outcome.UNKNOWN
