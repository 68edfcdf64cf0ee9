"""The action log: who did what, as an append-only chain of hashes.

    events.py     every kind of entry, its sentence and its keys
    writer.py     the one writer: chains entries, and erases what stands beside them
    sentences.py  entries as people read them

Whether it is whole is checked by lifecycle/evidence/.
"""

from lifecycle.action_log.events import (
    EVENTS,
    HOLD_PLACED,
    HOLD_RELEASED,
    PERSON_ERASED,
    Event,
)
from lifecycle.action_log.sentences import (
    HOW_SEEN,
    UNREADABLE,
    VERBS,
    ReadableEntry,
    entries_with_sentences,
    private_values,
    sentence,
)
from lifecycle.action_log.writer import (
    PART,
    Observation,
    UnknownEvent,
    coming_from,
    erase_person,
    erase_private,
    holds_in_the_log,
    lock_end,
    people_under_hold,
    record,
    record_observations,
)
from lifecycle.evidence.checking import Verification, verify
from lifecycle.evidence.hashes import commitment, entry_hash
from lifecycle.evidence.parts import data_in

__all__ = [
    "EVENTS",
    "HOLD_PLACED",
    "HOLD_RELEASED",
    "HOW_SEEN",
    "PART",
    "PERSON_ERASED",
    "UNREADABLE",
    "VERBS",
    "Event",
    "Observation",
    "ReadableEntry",
    "UnknownEvent",
    "Verification",
    "coming_from",
    "commitment",
    "data_in",
    "entries_with_sentences",
    "entry_hash",
    "erase_person",
    "erase_private",
    "holds_in_the_log",
    "lock_end",
    "people_under_hold",
    "private_values",
    "record",
    "record_observations",
    "sentence",
    "verify",
]
