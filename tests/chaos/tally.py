"""The one line a chaos run ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Count = int | None


@dataclass
class Tally:
    """What a run counted; None: it did not get so far, which is as bad as a figure above 0.

    `changes`: those the portal has at the end. `faults`: requests the tenant made go wrong.
    `kills`: processes ended by SIGKILL. `effects`: what requests changed in the tenant.
    `duplicates`: effects beyond the first one of a change or that no change asked for, requests
    sent twice for one attempt, forms that became two changes. `lost`: forms that were taken and
    are no change, changes that are done without an effect, or not done with one, records that
    are not the same in the portal as in the tenant. `unsettled`: due changes neither at their
    end nor with a person. `limit_trips`: windows over a published limit, and requests Feishu
    turned away for it.
    """

    changes: int = 0
    faults: int = 0
    kills: int = 0
    effects: int = 0
    duplicates: Count = None
    lost: Count = None
    unsettled: Count = None
    limit_trips: Count = None

    def count(self, name: str, found: Sequence[object]) -> None:
        setattr(self, name, (getattr(self, name) or 0) + len(found))

    @property
    def is_clean(self) -> bool:
        return (self.duplicates, self.lost, self.unsettled, self.limit_trips) == (0, 0, 0, 0)

    @property
    def line(self) -> str:
        figures = " ".join(
            f"{name}={'unknown' if count is None else count}" for name, count in vars(self).items()
        )
        return f"chaos: {figures}"
