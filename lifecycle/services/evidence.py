"""Evidence packs for auditors: what they are about, and the entry that says one was taken."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any

from django.db.models import QuerySet
from django.utils import timezone

from lifecycle import action_log, policies, queries
from lifecycle.errors.problems import InvalidValues, NotAllowed
from lifecycle.evidence.pack import Cover, write_pack
from lifecycle.models import ActionEntry, Person, User
from lifecycle.policies import Capability
from lifecycle.queries import Period
from lifecycle.queries.narrowing import read_day, read_number

# A pack is held in memory while it is made.
MOST_ENTRIES = 20_000
LEAST_PURPOSE, MOST_PURPOSE = 2, 500
IN_MEMORY = 8 * 1024 * 1024
PERSON, CHANGE, PERIOD = "person", "change", "period"


@dataclass(frozen=True, slots=True)
class PackScope:
    """A person, a change or a period; the first that is named."""

    kind: str
    person: Person | None
    change: int | None
    period: Period

    @classmethod
    def read(cls, params: Mapping[str, str], *, today: date) -> PackScope:
        kind = params.get("scope", PERIOD)
        number = read_number(params.get("person", ""))
        since, until = read_day(params.get("since", "")), read_day(params.get("until", ""))
        return cls(
            kind=kind if kind in (PERSON, CHANGE, PERIOD) else PERIOD,
            person=Person.objects.filter(pk=number).first() if number is not None else None,
            change=read_number(params.get("change", "")),
            period=Period.read(since, until, today=today),
        )

    @property
    def title(self) -> str:
        if self.kind == PERSON:
            return f"{self.person.name} (#{self.person.pk})" if self.person else ""
        if self.kind == CHANGE:
            return f"变更 / Change {self.change}" if self.change is not None else ""
        return f"{self.period.since} – {self.period.until}"

    def entries(self) -> QuerySet[ActionEntry]:
        entries = ActionEntry.objects.all()
        if self.kind == PERSON:
            return entries.filter(person_ref=self.person.pk) if self.person else entries.none()
        if self.kind == CHANGE:
            own = queries.of_change(self.change) if self.change else None
            return entries.filter(own) if own else entries.none()
        return queries.entries_in(self.period, entries)

    def count(self) -> int:
        """How many entries there are, as far as a pack may hold them and one more."""
        return self.entries().order_by()[: MOST_ENTRIES + 1].count()

    def as_data(self) -> dict[str, Any]:
        if self.kind == PERSON and self.person:
            return {"scope": PERSON, "person_id": self.person.pk}
        if self.kind == CHANGE:
            return {"scope": CHANGE, "change_id": self.change}
        days = {"since": self.period.since.isoformat(), "until": self.period.until.isoformat()}
        return {"scope": PERIOD} | days


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that is ready to leave."""

    file: IO[bytes]
    filename: str
    sha256: str
    entries: int


def take_evidence(scope: PackScope, *, purpose: str, acting_user: User, at: datetime) -> Pack:
    """Make the pack and log its hash; only then may its first byte leave.

    Raises NotAllowed, and InvalidValues for a purpose that says nothing and for no entries or
    too many.
    """
    if not policies.can(acting_user, Capability.TAKE_EVIDENCE):
        raise NotAllowed
    purpose = purpose.strip()
    if not LEAST_PURPOSE <= len(purpose) <= MOST_PURPOSE:
        raise InvalidValues
    if not 1 <= scope.count() <= MOST_ENTRIES:
        raise InvalidValues
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, suffix=".zip")  # noqa: SIM115
    cover = Cover(scope.title, purpose, acting_user.name, at)
    count = write_pack(file, scope.entries(), cover)
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    action_log.record(
        "log.evidence_taken",
        actor=acting_user,
        at=at,
        data=scope.as_data() | {"entries": count, "sha256": sha256},
        private={"purpose": purpose},
    )
    name = f"evidence-{scope.kind}-{timezone.localtime(at):%Y%m%d-%H%M%S}.zip"
    return Pack(file, name, sha256, count)
