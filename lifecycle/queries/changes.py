"""The list of status changes, and those of one person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from lifecycle import policies
from lifecycle.change_states import EXCLUSIVE_STATUSES, FINAL_STATUSES, ChangeStatus
from lifecycle.models import StatusChange
from lifecycle.paging import Page, page_by_key
from lifecycle.policies import Someone
from lifecycle.queries.narrowing import SEARCH_LENGTH, search_condition

# A waiting change whose turn is nearer than this is watched on the screen.
SOON = timedelta(seconds=90)

OPEN = ~Q(status__in=[status.value for status in FINAL_STATUSES])

CHANGE_TABS = ("open", "attention", "pending", "succeeded", "failed", "cancelled", "all")
CHANGE_ORDER = ("-pk",)


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """What the list of status changes is narrowed to."""

    tab: str = "all"
    kind: str = ""
    q: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str], *, kinds: Iterable[str]) -> ChangeFilter:
        tab, kind = params.get("status", "all"), params.get("kind", "")
        return cls(
            tab=tab if tab in CHANGE_TABS else "all",
            kind=kind if kind in set(kinds) else "",
            q=params.get("q", "").strip()[:SEARCH_LENGTH],
        )

    def with_tab(self, tab: str) -> ChangeFilter:
        return replace(self, tab=tab)

    @property
    def is_narrow(self) -> bool:
        return self != ChangeFilter()

    def query_string(self, **more: str) -> str:
        values = {
            "status": "" if self.tab == "all" else self.tab,
            "kind": self.kind,
            "q": self.q,
        } | more
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, changes: QuerySet[StatusChange]) -> QuerySet[StatusChange]:
        changes = changes.filter(_change_tab_condition(self.tab))
        if self.kind:
            changes = changes.filter(kind=self.kind)
        if self.q:
            changes = changes.filter(search_condition(self.q, "person__search_text"))
        return changes


def _change_tab_condition(tab: str) -> Q:
    ended_badly = [
        ChangeStatus.FAILED.value,
        ChangeStatus.REJECTED.value,
        ChangeStatus.EXPIRED.value,
    ]
    return {
        "all": Q(),
        "open": OPEN,
        "attention": Q(status=ChangeStatus.NEEDS_ATTENTION.value),
        "pending": Q(status=ChangeStatus.PENDING.value),
        "succeeded": Q(status=ChangeStatus.SUCCEEDED.value),
        "failed": Q(status__in=ended_badly),
        "cancelled": Q(status=ChangeStatus.CANCELLED.value),
    }[tab]


def change_page(
    user: Someone, narrowed: ChangeFilter, params: Mapping[str, str]
) -> Page[StatusChange]:
    """One page of the list of status changes, newest first."""
    changes = narrowed.apply(policies.visible_changes(user))
    related = changes.select_related("person", "requested_by")
    return page_by_key(related, params, order=CHANGE_ORDER)


def changes_of_person(user: Someone, person_id: int, *, limit: int = 20) -> list[StatusChange]:
    """The latest changes of one person, newest first."""
    changes = policies.visible_changes(user).filter(person_id=person_id)
    return list(changes.select_related("requested_by", "undo_of").order_by("-pk")[:limit])


def changes_needing_attention(user: Someone) -> int:
    """How many changes wait for a person's decision, or for somebody else's than the
    requester's to be sent at all; counted up to 100."""
    mine = Q(requested_by_id=user.pk) if user.pk else Q()
    condition = _change_tab_condition("attention") | (_change_tab_condition("pending") & ~mine)
    waiting = policies.visible_changes(user).filter(condition)
    return waiting.order_by()[:100].count()


def is_moving(change: StatusChange, *, at: datetime) -> bool:
    """True while something is expected to happen by itself within moments."""
    if change.is_final or change.needs_attention:
        return False
    if change.status in EXCLUSIVE_STATUSES:
        return True
    return change.next_run_at is not None and change.next_run_at <= at + SOON


def open_changes_by_person(person_ids: set[int]) -> dict[int, StatusChange]:
    """The open change of each person; the earliest where several wait for their turn."""
    changes = StatusChange.objects.filter(OPEN, person_id__in=person_ids).order_by("-pk")
    return {change.person_id: change for change in changes}
