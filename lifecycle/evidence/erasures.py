"""Private values that are gone, and the entries of the log that account for it.

An erasure leaves an entry of its own in the chain: `log.private_erased` for everything before a
moment, `log.person_erased` for one person. A value that is missing and that none of them
accounts for was removed by somebody else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from lifecycle.evidence.dialects import MICROSECOND
from lifecycle.evidence.parts import data_in
from lifecycle.models import ActionEntry

BY_AGE, BY_PERSON = "log.private_erased", "log.person_erased"
# The moment of an erasure is kept to the second, and cut off.
SECOND = timedelta(seconds=1) // MICROSECOND


class Erasures:
    """`values`: how many private values the log says were erased."""

    def __init__(self) -> None:
        self.values = 0
        self._before = 0
        self._of_person: dict[int, int] = {}

    def read(self) -> None:
        """What the log says by now."""
        entries = ActionEntry.objects.filter(event__in=(BY_AGE, BY_PERSON))
        self.values = 0
        for seq, event, person, body in entries.values_list("seq", "event", "person_ref", "body"):
            data = data_in(body) or {}
            number = data.get("values")
            self.values += number if isinstance(number, int) else 0
            if event == BY_AGE:
                self._before = max(self._before, _microseconds(data.get("until")) + SECOND)
            elif isinstance(person, int):
                self._of_person[person] = max(self._of_person.get(person, 0), seq)

    def cover(self, seq: int, moment: int, person: int | None) -> bool:
        """An erasure accounts for values missing from this entry."""
        return moment < self._before or (
            person is not None and seq < self._of_person.get(person, 0)
        )


def _microseconds(said: object) -> int:
    """Of a moment in ISO form; long ago for anything else."""
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        return 0
    return int(moment.timestamp()) * SECOND if moment.tzinfo else 0
