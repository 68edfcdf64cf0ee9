"""The action log: its check against a bare SHA-256 chain over the same rows read by the same
cursor, what comes after a checkpoint, and appending against the same rows written by hand."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.run import Figure, interleaved, main, set_up

# Entries after the newest checkpoint, and entries appended in a turn.
SINCE, APPENDED = 999, 500


def measure(size: int, repeats: int) -> list[Figure]:
    """`size`: entries."""
    from django.conf import settings

    from bench import log_entries
    from lifecycle.evidence import keys

    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key.pem"
        key_file.write_bytes(keys.make_key()[0])
        settings.LOG_SIGNING_KEY_FILE = str(key_file)
        log_entries.empty()
        log_entries.fill(size)
        return [*_checks(repeats), _since(repeats), _appends(min(size, APPENDED), repeats)]


def _checks(repeats: int) -> list[Figure]:
    from bench.log_entries import bare_chain, verifying

    floor, quick, usual, full = interleaved(
        bare_chain, verifying(quick=True), verifying(full=False), verifying(full=True),
        repeats=repeats,
    )  # fmt: skip
    return [
        Figure.at_most("the chain and the checkpoints (--quick)", quick, floor, 2),
        Figure.at_most("columns and private values too", usual, floor, 2),
        Figure.at_most("each text and Merkle root anew (--full)", full, floor, 14),
    ]


def _since(repeats: int) -> Figure:
    from django.utils import timezone

    from bench.log_entries import verifying
    from lifecycle import action_log
    from lifecycle.evidence import checkpoints

    checkpoints.sign(timezone.now())
    for _ in range(SINCE):
        action_log.record("user.signed_in", actor=None)
    (took,) = interleaved(verifying(since_checkpoint=True), repeats=repeats)
    return Figure.below(f"{SINCE} entries since a checkpoint", round(took, 3), 1, "s")


def _appends(count: int, repeats: int) -> Figure:
    from bench.log_entries import append, by_hand

    ours, hand = interleaved(append(count), by_hand(count), repeats=repeats)
    return Figure.at_most("an entry appended", ours / count, hand / count, 2)


if __name__ == "__main__":
    set_up()
    main(measure, size=1_000_000, quick=20_000)
