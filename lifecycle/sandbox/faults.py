"""Faults on demand: which request goes wrong, how, and how often."""

import threading
from dataclasses import dataclass, field
from random import Random
from typing import Any

# How each kind treats the request when nothing else is said: processed first, or never.
KINDS: dict[str, bool] = {
    "drop_before": False,
    "drop_after": True,
    "reset_before": False,
    "reset_after": True,
    "hang": False,
    "error_before": False,
    "error_after": True,
    "throttle": False,
    "expired_token": False,
    "garbage": True,
    "truncated_header": True,
    "truncated_body": True,
    "drip": True,
    "redirect": True,
    "gzip_bomb": True,
    "brackets": True,
    "code": False,
    "late": False,
}
_SCOPES = ("all", "reads", "writes")


class BadFault(ValueError):
    """The control API was asked for a fault that makes no sense."""


@dataclass
class Fault:
    """`times` None means for ever; `kinds` with several entries is a storm that draws one each time."""

    id: int
    kinds: tuple[str, ...]
    method: str = ""
    path_prefix: str = ""
    endpoint: str = ""
    on: str = "all"
    times: int | None = 1
    after: int = 0
    delay_s: float | None = None
    code: int | None = None
    http_status: int | None = None
    probability: float = 1.0
    applied: bool | None = None
    body: str | None = None
    content_type: str | None = None
    seed: int = 0
    hits: int = 0
    rng: Random = field(default_factory=Random, repr=False)

    def matches(self, method: str, path: str, endpoint: str, *, writes: bool) -> bool:
        if self.times is not None and self.times <= 0:
            return False
        return (
            (not self.method or self.method == method)
            and (not self.path_prefix or path.startswith(self.path_prefix))
            and (not self.endpoint or self.endpoint == endpoint)
            and (self.on == "all" or writes == (self.on == "writes"))
        )

    def describe(self) -> dict[str, Any]:
        names = (
            "id",
            "method",
            "path_prefix",
            "endpoint",
            "on",
            "after",
            "probability",
            "hits",
            "code",
        )
        return {
            "kinds": list(self.kinds),
            "remaining": self.times,
            **{name: getattr(self, name) for name in names},
        }


@dataclass(frozen=True)
class Strike:
    """One fault hitting one request."""

    kind: str
    applied: bool
    delay_s: float | None
    code: int | None
    http_status: int | None
    body: str | None
    content_type: str | None


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._next_id = 1
        self._lock = threading.Lock()

    def add(self, wanted: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            fault = _parsed(wanted, self._next_id)
            self._next_id += 1
            self._faults.append(fault)
            return fault.describe()

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.describe() for fault in self._faults]

    def strike(self, method: str, path: str, endpoint: str, *, writes: bool) -> Strike | None:
        with self._lock:
            for fault in self._faults:
                if not fault.matches(method, path, endpoint, writes=writes):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                elif fault.rng.random() < fault.probability:
                    return _hit(fault)
            return None


def _hit(fault: Fault) -> Strike:
    kind = fault.rng.choice(fault.kinds) if len(fault.kinds) > 1 else fault.kinds[0]
    fault.hits += 1
    if fault.times is not None:
        fault.times -= 1
    applied = KINDS[kind] if fault.applied is None else fault.applied
    return Strike(
        kind, applied, fault.delay_s, fault.code, fault.http_status, fault.body, fault.content_type
    )


def _parsed(wanted: dict[str, Any], fault_id: int) -> Fault:
    given = dict(wanted)
    kinds = tuple(given.pop("kinds", None) or [given.pop("kind", "")])
    given.pop("kind", None)
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise BadFault(f"unknown kind {unknown[0]!r}; known: {', '.join(KINDS)}")
    allowed = {
        name for name in Fault.__dataclass_fields__ if name not in ("id", "kinds", "hits", "rng")
    }
    strange = sorted(set(given) - allowed)
    if strange:
        raise BadFault(f"unknown option {strange[0]!r}; known: {', '.join(sorted(allowed))}")
    if "code" in kinds and not isinstance(given.get("code"), int):
        raise BadFault("kind 'code' needs a code")
    if len(kinds) > 1 or "probability" in given:
        given.setdefault("times", None)
    fault = Fault(id=fault_id, kinds=kinds, **given)
    if fault.on not in _SCOPES:
        raise BadFault(f"'on' must be one of {', '.join(_SCOPES)}")
    fault.rng = Random(fault.seed)
    return fault
