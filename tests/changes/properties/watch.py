"""What has to be true of every change, each under the name of its invariant: I1 to I16 of
docs/operations.md, and STOP for "stopped is stopped".

What Feishu has seen and done is the tenant's account alone. Each of its requests belongs to the
change whose worker was at it, and each effect to its request.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import Q

from lifecycle import remote
from lifecycle.changes import invariants
from lifecycle.changes.kinds import kind_named
from lifecycle.models import ActionEntry, Approval, Attempt, StatusChange
from lifecycle.sandbox.control import SandboxControl
from tests.changes.properties.verbs import VERBS, Truth

# Said here once more, and not taken from the portal: these are what it is held against.
STEPS: dict[str, tuple[str, ...]] = {
    "pending": ("approved", "rejected", "cancelled", "expired"),
    "approved": (
        "in_flight", "succeeded", "failed", "needs_attention", "cancelled", "expired",
    ),
    "in_flight": ("succeeded", "failed", "approved", "verifying"),
    "verifying": ("succeeded", "approved", "needs_attention"),
    "needs_attention": ("verifying", "succeeded", "failed", "cancelled"),
}  # fmt: skip
FINAL = ("succeeded", "failed", "rejected", "cancelled", "expired")
EXCLUSIVE = ("in_flight", "verifying", "needs_attention")
USES_ATTEMPT = ("applied", "rejected", "unknown")
BUDGET = 3
# What no entry of the log says of time that has passed for the rows alone.
BY_THE_CLOCK = ("I12", "I16")


class Broken(AssertionError):
    """A promise that was not kept."""


def require(holds: object, invariant: str, sentence: str) -> None:
    if not holds:
        raise Broken(f"{invariant} broken: {sentence}")


@dataclass(frozen=True, slots=True)
class Seen:
    """What came since the last look: readings that were answered, and writes."""

    readings: int
    writes: int


class Watch:
    """The account of one example."""

    def __init__(self, tenant: SandboxControl) -> None:
        self.tenant = tenant
        self._started = time.monotonic()
        self._shifted = 0.0
        self._sender: dict[str, int] = {}
        self._effects_seen = 0
        self.effects: dict[int, int] = defaultdict(int)
        self.writes: dict[int, int] = defaultdict(int)
        self.tokens: dict[int, set[str]] = defaultdict(set)
        self.planned: dict[int, Truth] = {}
        # Changes whose end somebody else has brought about, as far as anybody can see.
        self.made_by_others: set[int] = set()
        self.awaited: set[int] = set()
        # Changes that Feishu has done later than it ever should; its own guard is the last one.
        self.too_late: set[int] = set()
        self.ended: dict[int, tuple[str, int, str]] = {}
        # Of the present doubt about a change: since when, and when it was read.
        self.sent_at: dict[int, float] = {}
        self.read_at: dict[int, list[float]] = defaultdict(list)
        self._first_entry = ActionEntry.objects.count()

    # -- time -----------------------------------------------------------------------------

    def clock(self) -> float:
        """Seconds, those that were skipped and those that really passed."""
        return self._shifted + time.monotonic() - self._started

    def skip(self, seconds: float) -> None:
        self._shifted += seconds

    # -- looking --------------------------------------------------------------------------

    def truth(self, change: StatusChange) -> Truth:
        return VERBS[change.kind].truth(self.tenant, change.subject_id)

    def is_as_planned(self, change: StatusChange) -> bool:
        return self.truth(change) == self.planned[change.pk]

    def note_plan(self, change: StatusChange) -> None:
        self.planned.setdefault(change.pk, self.truth(change))
        if change.status == "pending":
            self.awaited.add(change.pk)

    def look(self, change: StatusChange, *, is_late: bool = False) -> Seen:
        """What Feishu has seen since the last look, all of it from a worker at this change.

        `is_late`: Feishu itself has come round to what was sent before.
        """
        came = self.tenant.requests()
        self.tenant.clear_requests()
        writes = [request for request in came if request["write"]]
        for request in writes:
            self._sender[request["log_id"]] = change.pk
            if not is_late:
                self._check_request(change, request)
        self._count_effects()
        answered = [
            request
            for request in came
            if request["processed"] and not request["write"] and request["endpoint"] != "B1"
        ]
        return Seen(len(answered), len(writes))

    def _count_effects(self) -> None:
        effects = self.tenant.effects()
        for effect in effects[self._effects_seen :]:
            if effect["source"] == "api":
                self.effects[self._sender[effect["log_id"]]] += 1
        self._effects_seen = len(effects)

    def _check_request(self, change: StatusChange, request: dict[str, Any]) -> None:
        pk = change.pk
        frozen = json.loads(change.payload)
        path = remote.Call.from_canonical(change.payload).path
        sent = sorted(_flat(request["query"]))
        is_it = (request["path"], request["body"]) == (path, frozen["body"])
        require(is_it, "I4", f"change {pk} was sent as something else than was confirmed")
        require(
            sent == sorted((str(name), str(value)) for name, value in frozen["query"]),
            "I4",
            f"change {pk} was sent with the query {sent}",
        )
        self.writes[pk] += 1
        attempts = list(Attempt.objects.filter(change_id=pk).order_by("number"))
        require(
            len(attempts) >= self.writes[pk],
            "I4",
            f"{self.writes[pk]} requests of change {pk} came, {len(attempts)} attempts stand",
        )
        require(
            attempts[-1].request_hash == change.payload_hash,
            "I4",
            f"the attempt of change {pk} is for another request",
        )
        is_first = self.effects[pk] == 0 or pk in self.too_late
        require(is_first, "I1", f"change {pk} was sent again after Feishu had done it")
        self._check_token(pk, request)
        self._check_approval(change)

    def _check_token(self, pk: int, request: dict[str, Any]) -> None:
        if request["endpoint"] != "A5":
            return
        token = request["query"].get("client_token")
        require(token, "I13", f"change {pk} was sent without a client token")
        self.tokens[pk].add(str(token))
        require(len(self.tokens[pk]) == 1, "I13", f"change {pk} has gone out under two tokens")
        others = [other for other, tokens in self.tokens.items() if token in tokens and other != pk]
        require(not others, "I13", f"changes {pk} and {others} have one client token")

    def _check_approval(self, change: StatusChange) -> None:
        if change.pk not in self.awaited:
            return
        yes = Approval.objects.filter(change_id=change.pk, verdict="approved").first()
        require(yes, "I5", f"change {change.pk} was sent, and nobody had agreed to it")
        assert yes is not None
        require(
            (yes.payload_hash, yes.pre_image_hash) == (change.payload_hash, change.pre_image_hash),
            "I5",
            f"change {change.pk} was sent, and something else had been agreed to",
        )
        require(
            yes.by_id != change.requested_by_id,
            "I5",
            f"change {change.pk} was agreed to by its asker",
        )

    # -- what always holds ----------------------------------------------------------------

    def check_rows(self) -> None:
        """After every step."""
        changes = list(StatusChange.objects.prefetch_related("attempts").order_by("pk"))
        under_way = [change.person_id for change in changes if change.status in EXCLUSIVE]
        require(len(under_way) == len(set(under_way)), "I7", "two changes of one person under way")
        for change in changes:
            self._check_row(change, list(change.attempts.all()))
        self._check_told(changes)

    def _check_row(self, change: StatusChange, attempts: list[Attempt]) -> None:
        pk, count = change.pk, self.effects[change.pk]
        require(count <= 1, "I1", f"change {pk} took effect {count} times")
        if change.status in (*FINAL, "pending", "approved") and change.status != "succeeded":
            require(count == 0, "I3", f"change {pk} stands as {change.status} and has an effect")
        numbers = [attempt.number for attempt in attempts]
        require(numbers == list(range(1, len(numbers) + 1)), "I9", f"attempts {numbers} of {pk}")
        used = sum(attempt.outcome in USES_ATTEMPT for attempt in attempts)
        require(
            change.attempts_used == used,
            "I9",
            f"{used} attempts of change {pk} were used up, {change.attempts_used} are counted",
        )
        require(used <= BUDGET, "I9", f"change {pk} has used up {used} attempts")
        running = [attempt for attempt in attempts if attempt.finished_at is None]
        require(
            (change.status == "in_flight") == (len(running) == 1),
            "I12",
            f"change {pk} stands as {change.status} with {len(running)} attempts running",
        )
        stands = (change.status, change.version, change.settled_via)
        if pk in self.ended:
            require(stands == self.ended[pk], "I10", f"{self.ended[pk]} was final, now {stands}")
        if change.status in FINAL:
            self.ended[pk] = stands

    def _check_told(self, changes: list[StatusChange]) -> None:
        """I10 and I11: the log tells every step once, and only allowed ones."""
        told: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for change_id, body in (
            ActionEntry.objects.filter(seq__gt=self._first_entry, change_id__isnull=False)
            .order_by("seq")
            .values_list("change_id", "body")
        ):
            data = json.loads(body)["data"]
            if "to" in data:
                told[change_id].append((data.get("from", ""), data["to"]))
        for change in changes:
            steps = told[change.pk]
            require(steps and steps[0][0] == "", "I11", f"the log lacks the request {change.pk}")
            require(
                len(steps) - 1 == change.version,
                "I11",
                f"change {change.pk} moved {change.version} times, the log tells {steps}",
            )
            require(
                steps[-1][1] == change.status,
                "I11",
                f"change {change.pk} stands as {change.status}, the log says {steps[-1][1]}",
            )
            for (_, before), (start, target) in pairwise(steps):
                allowed = start == before and target in STEPS.get(start, ())
                require(allowed, "I10", f"change {change.pk} went from {before} to {target}")

    # -- one step of a worker -------------------------------------------------------------

    def check_sent(self, before: StatusChange, as_planned: bool, in_order: bool, due: bool) -> None:
        pk = before.pk
        require(as_planned, "I6", f"{pk} was written over a change made after it was asked for")
        require(in_order, "I8", f"{pk} was sent before an earlier change of the same person")
        require(due, "I8", f"{pk} was sent before its day")

    def is_in_order(self, change: StatusChange) -> bool:
        """Nothing of the same person is under way or waits to go first."""
        mine = (change.effective_at, change.created_at, change.pk)
        others = StatusChange.objects.filter(person_id=change.person_id).exclude(pk=change.pk)
        waiting = others.filter(Q(status="approved"))
        return not others.filter(status__in=EXCLUSIVE).exists() and all(
            (other.effective_at, other.created_at, other.pk) > mine for other in waiting
        )

    def check_patience(self, before: StatusChange, after: StatusChange) -> None:
        """I16, when a doubt has ended in "not applied", with a person, or in another attempt."""
        if after.problem == "change.unreadable":
            return
        reads, sent_at = self.read_at[before.pk], self.sent_at.get(before.pk)
        if sent_at is not None and reads:
            endpoint = kind_named(before.kind).endpoint.name
            settle = settings.SETTLE_AFTER[endpoint] + settings.SEND_DEADLINE
            waited = reads[0] - sent_at
            require(
                waited >= settle.total_seconds(),
                "I16",
                f"change {before.pk} was read {waited:.1f} s after it was sent",
            )
        if after.status == "approved" or after.problem == "change.not-applied":
            gap = settings.SETTLE_READ_GAP - timedelta(seconds=0.5)
            require(
                len(reads) >= 2 and reads[-1] - reads[0] >= gap.total_seconds(),
                "I16",
                f"change {before.pk} was called not applied after readings at {reads}",
            )

    # -- the end --------------------------------------------------------------------------

    def check_ends(self) -> None:
        """I2 and I3; then what the portal's own check of its rows and its log says."""
        for change in StatusChange.objects.all():
            self._check_end(change)
        for violation in invariants.violations():
            if violation.invariant not in BY_THE_CLOCK:
                numbers = violation.invariant.replace("I1-I3", "I1, I2, I3")
                raise Broken(f"{numbers} broken: {violation}")

    def _check_end(self, change: StatusChange) -> None:
        pk, count, via = change.pk, self.effects[change.pk], change.settled_via
        if change.status != "succeeded":
            require(count == 0, "I3", f"change {pk} ended as {change.status} and has an effect")
        elif via == "answer":
            require(count == 1, "I2", f"change {pk} was confirmed and has {count} effects")
        elif via == "already":
            require(count == 0, "I2", f"change {pk} was already so and has {count} effects")
        elif via == "readback":
            sent = Attempt.objects.filter(change_id=pk).exists()
            require(sent, "I2", f"change {pk} was read back and never sent")
            # What others did to the same end cannot be told from our own doing.
            require(
                count == 1 or pk in self.made_by_others,
                "I2",
                f"change {pk} was read back, and nobody has done it",
            )
        elif via == "by_hand":
            require(count == 1, "I2", f"change {pk} was confirmed by hand with {count} effects")
            named = ActionEntry.objects.filter(change_id=pk, actor_id__isnull=False)
            by = named.exclude(actor_id=change.requested_by_id)
            require(by.exists(), "I2", f"nobody stands behind the verdict on change {pk}")


def _flat(query: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, str(value))
        for name, given in query.items()
        for value in (given if isinstance(given, list) else [given])
    ]
