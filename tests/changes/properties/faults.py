"""How Feishu's answer to a write, or to a read, can go wrong, for each endpoint."""

from __future__ import annotations

from typing import Any

Fault = dict[str, Any]

# Executed after the worker has lost the line, within this share of the time an effect may take.
LATE = "late"
LATE_SHARE = 0.9
# So long Feishu asks to be left alone; longer than a worker waits with a change in hand.
PAUSE_S = 45

NAMES: tuple[str, ...] = (
    "", "drop_before", "drop_after", LATE, "unknown_applied", "already", "refused", "throttle",
    "reset_after", "error_before", "error_after", "truncated_header", "truncated_body", "garbage",
    "expired_token", "unknown", "undocumented", "unreadable",
)  # fmt: skip
SILENT = ("drop_before", "drop_after", LATE, "unknown_applied", "error_before", "error_after")
# Silence that looks the same from here, and is not; and two answers that are none.
TOLD_APART = ("drop_before", "drop_after", LATE, "unknown_applied", "undocumented")
# What leaves no trace in Feishu, and no answer.
LOST = "drop_before"

# As the tenant calls the endpoints.
KEYS = {
    "hire.talents.onboard_status": "A1",
    "hire.employees.patch": "A2",
    "hire.applications.transfer_onboard": "A3",
    "corehr.offboardings.edit": "A4",
    "corehr.pre_hires.patch": "A5",
}
# Feishu's own trouble, an "already done", and a plain no.
CODES: dict[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    "A1": ((1002001, 500), (1002103, 400), (99991672, 400)),
    "A2": ((1002001, 500), (1002902, 400), (1002908, 400)),
    "A3": ((1002001, 500), (1002904, 400), (1002210, 500)),
    "A4": ((1160103, 400), (1160631, 400), (1160610, 400)),
    "A5": ((1160025, 400), (1161022, 400), (1161022, 400)),
}


def fault(name: str, endpoint: str) -> Fault:
    """What the tenant is told to do to the next write to this endpoint; or to reads."""
    trouble, already, no = CODES[endpoint]
    if name == "unreadable":
        return {"kind": "drop_before", "on": "reads", "times": None}
    kinds: dict[str, Fault] = {
        LATE: {"kind": "drop_before"},
        "throttle": {"kind": "throttle", "delay_s": PAUSE_S},
        "unknown_applied": _code(trouble, applied=True),
        "unknown": _code(trouble, applied=False),
        "already": _code(already, applied=False),
        "refused": _code(no, applied=False),
        "undocumented": _code((7654321, 200), applied=True),
    }
    return kinds.get(name, {"kind": name}) | {"endpoint": endpoint}


def _code(pair: tuple[int, int], *, applied: bool) -> Fault:
    return {"kind": "code", "code": pair[0], "http_status": pair[1], "applied": applied}
