"""What the tenant saw against what the portal says: one effect for each change, or none."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path
from typing import Any

from lifecycle.feishu import endpoints
from lifecycle.feishu.endpoints import Endpoint

Request = dict[str, Any]
Change = dict[str, Any]

# From the last moment at which a byte may leave to the tenant's own clock.
ON_THE_WAY_MS = 1500
CLOCK_MS = 2
# What a process says when the database server ended its session or takes no new ones.
DATABASE_WAS_AWAY = re.compile(
    r"OperationalError|InterfaceError|AdminShutdown|CrashShutdown|CannotConnectNow"
    r"|ObjectNotInPrerequisiteState|IdleInTransactionSessionTimeout"
    r"|DatabaseDoesNotAcceptConnections|failed to start: sentinel exited with code 1$"
)
# The last line of a traceback: the class, a colon, what it says.
NAMED = re.compile(r"[\w.]*[A-Z]\w*(: |$)")
# What urllib3 says of an answer that was cut short in its head; the answer counts as none.
HEAD_WAS_CUT = re.compile("urllib3.exceptions.HeaderParsingError: ")
# The queue's parent, when its first child was killed.
CHILD_WAS_KILLED = re.compile("failed to start: sentinel exited with code -9$")
CHAINED = re.compile(
    r"^(During handling of the above exception|The above exception was the direct cause)"
)
TOO_OFTEN = 99991400
TRACEBACK = "Traceback (most recent call last):"


def signature(request: Request) -> str:
    """The exact request, however it was written down."""
    query = sorted((name, value) for name, value in _flat(request["query"]))
    return json.dumps([request["method"], request["path"], query, request["body"]], sort_keys=True)


def signature_of(change: Change) -> str:
    call = change["call"] | {"body": change["payload"]["body"]}
    query = sorted((name, value) for name, value in call["query"])
    return json.dumps([call["method"], call["path"], query, call["body"]], sort_keys=True)


def _flat(query: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, given in query.items()
        for value in (given if isinstance(given, list) else [given])
    ]


class Evidence:
    """Every way in which the two do not fit. `duplicates`: an effect or a request too many.
    `lost`: ends that do not fit the effects. `wrong`: everything else."""

    def __init__(
        self, changes: list[Change], requests: list[Request], effects: list[dict[str, Any]]
    ) -> None:
        self.changes, self.requests = changes, requests
        self.effects = [effect for effect in effects if effect["source"] == "api"]
        self.duplicates: list[str] = []
        self.lost: list[str] = []
        self.wrong: list[str] = []
        self._sender: dict[str, Change] = {}
        self._effects_of: dict[int, int] = defaultdict(int)
        self._each_request_has_its_attempt()
        self._each_effect_has_its_request()
        self._each_end_fits_its_effects()

    def _each_request_has_its_attempt(self) -> None:
        """I4: an attempt for these very bytes, committed before they came, and used once."""
        attempts = defaultdict(list)
        for change in self.changes:
            for attempt in change["attempts"]:
                attempts[signature_of(change)].append((attempt["started_ms"], attempt, change))
        for found in attempts.values():
            found.sort(key=lambda item: item[0])
        used: set[tuple[int, int]] = set()
        for request in self.requests:
            mine = attempts.get(signature(request), [])
            at = bisect_right(
                [started for started, _, _ in mine], request["received_at"] + CLOCK_MS
            )
            if not at:
                self.duplicates.append(f"no attempt stands behind request {request}")
                continue
            _, attempt, change = mine[at - 1]
            if (change["id"], attempt["number"]) in used:
                self.duplicates.append(
                    f"attempt {attempt['number']} of change {change['id']} was sent twice"
                )
            if request["received_at"] > attempt["deadline_ms"] + ON_THE_WAY_MS:
                late_ms = request["received_at"] - attempt["deadline_ms"]
                self.wrong.append(f"change {change['id']} was sent {late_ms:.0f} ms too late")
            if attempt["hash"] != change["payload_hash"]:
                self.wrong.append(f"change {change['id']}: an attempt for something else")
            used.add((change["id"], attempt["number"]))
            self._sender[request["log_id"]] = change

    def _each_effect_has_its_request(self) -> None:
        for effect in self.effects:
            change = self._sender.get(effect["log_id"])
            if change is None:
                self.duplicates.append(f"an effect that nobody asked for: {effect}")
            else:
                self._effects_of[change["id"]] += 1

    def _each_end_fits_its_effects(self) -> None:
        """I1 to I3."""
        for change in self.changes:
            count = self._effects_of[change["id"]]
            if count not in _allowed(change):
                found = self.duplicates if count > 1 else self.lost
                found.append(
                    f"{count} effects of change {change['id']} ({change['kind']}), which stands as"
                    f" {change['status']} {change['via']} {change['problem']}"
                )


def _allowed(change: Change) -> tuple[int, ...]:
    match change["status"], change["via"]:
        case "succeeded", "answer" | "readback":
            return (1,)
        case "needs_attention", _:
            # Only the one who decides can tell; when nothing was sent, there is no effect.
            return (0, 1) if change["attempts"] else (0,)
        case "succeeded", "by_hand":
            return (0, 1)
    return (0,)


def tracebacks(path: Path, *, database_goes_away: bool) -> list[str]:
    """What a program wrote of errors that have no good reason; of a chain the last one counts."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    found, number = [], 0
    while number < len(lines):
        if TRACEBACK not in lines[number]:
            number += 1
            continue
        first, number = number, _end(lines, number)
        while any(CHAINED.search(line) for line in lines[number + 1 : number + 4]):
            number = _end(lines, number + 1)
        error = lines[number] if number < len(lines) else ""
        if not (
            CHILD_WAS_KILLED.search(error)
            or HEAD_WAS_CUT.match(error)
            or (database_goes_away and DATABASE_WAS_AWAY.search(error))
        ):
            shown = [lines[max(0, first - 1)], *lines[first : number + 1][-12:]]
            found.append("\n".join([f"{path.name}:{first + 1}", *shown]))
    return found


def _end(lines: list[str], number: int) -> int:
    """Where the next traceback names its error; others write between its lines."""
    while TRACEBACK not in lines[number]:
        number += 1
    number += 1
    while number < len(lines) and not NAMED.match(lines[number]):
        number += 1
    return number


def over_the_limit(requests: list[Request], *, scale: float) -> list[str]:
    """I14: sliding windows that hold more calls than Feishu allows, times `scale`."""
    came: dict[str, list[int]] = defaultdict(list)
    for request in requests:
        endpoint = _endpoint(request)
        if endpoint is not None:
            came[endpoint.name].append(request["received_at"])
    found = []
    for name, times in came.items():
        times.sort()
        for window in endpoints.ALL[name].windows:
            allowed = max(1, int(window.calls * scale))
            for first, last in zip(times, times[allowed:], strict=False):
                if last - first < window.seconds * 1000:
                    found.append(
                        f"{name}: {allowed + 1} calls in {last - first} ms,"
                        f" {allowed} are allowed in {window.seconds} s"
                    )
    return found


def turned_away(requests: list[Request]) -> list[str]:
    """What the tenant itself refused for coming too often; a fault that only says so is none."""
    return [
        f"{request['method']} {request['path']} was turned away"
        for request in requests
        if request["code"] == TOO_OFTEN and not request["fault"]
    ]


def _endpoint(request: Request) -> Endpoint | None:
    fitting = [
        endpoint
        for endpoint in endpoints.ALL.values()
        if endpoint.method == request["method"]
        and re.fullmatch(re.sub(r":[a-z_]+", "[^/]+", endpoint.path), request["path"])
    ]
    # A fixed word in a path counts for more than an id.
    return min(fitting, key=lambda endpoint: endpoint.path.count(":"), default=None)
