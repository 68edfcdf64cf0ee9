"""What waits for a leader's decision, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lifecycle import calendars, policies
from lifecycle.models import ApprovalStep, ConversionRequest, Delegation, StepAgreement, User
from lifecycle.paging import Page, page_by_key
from lifecycle.policies import Capability, Someone
from lifecycle.queries.changes import is_moving
from lifecycle.queries.lists import days_in_words
from lifecycle.queries.names import department_names
from lifecycle.queries.probation import WORKING_DAYS_WITHIN

INBOX_SIZE = 30
LATELY = timedelta(days=14)
DONE_SHOWN = 12


@dataclass(frozen=True, slots=True)
class InboxCard:
    """One decision with what it takes to make it."""

    request: ConversionRequest
    department: str
    today: date
    # Whom the user stands in for.
    stands_for: User | None

    @property
    def name(self) -> str:
        return self.request.person.name or self.request.employee.feishu_id

    @property
    def days_left(self) -> int:
        return (self.request.due_on - self.today).days

    @property
    def time_left(self) -> str:
        return days_in_words(self.days_left)

    @property
    def working_days_left(self) -> int | None:
        if not 0 <= self.days_left <= WORKING_DAYS_WITHIN:
            return None
        return calendars.working_days_between(self.today, self.request.due_on)

    @property
    def agreed(self) -> list[StepAgreement]:
        """Who has agreed at the earlier steps; read with the cards."""
        return list(self.request.agreements.all()) if self.request.step else []

    @property
    def tone(self) -> str:
        return "bad" if self.days_left < 0 else "attention" if self.days_left <= 7 else "plain"


@dataclass(frozen=True, slots=True)
class Inbox:
    page: Page[Any]
    cards: Sequence[InboxCard]


def inbox(user: User, params: Mapping[str, str], *, today: date) -> Inbox:
    """One page of what waits for this user, the most urgent first; four queries."""
    waiting = policies.requests_to_decide(user, day=today)
    related = waiting.select_related("person", "employee", "approver", "requested_by")
    related = related.prefetch_related("agreements__by")
    page = page_by_key(related, params, order=("due_on", "pk"), size=INBOX_SIZE)
    return Inbox(page, cards_of(user, page.rows, today=today))


def cards_of(user: User, requests: Sequence[ConversionRequest], *, today: date) -> list[InboxCard]:
    """One more query, however many."""
    departments = department_names({request.employee.department_id for request in requests})
    return [
        InboxCard(
            request=request,
            department=departments.get(request.employee.department_id, ""),
            today=today,
            stands_for=None if request.approver_id == user.pk else request.approver,
        )
        for request in requests
    ]


def chosen_to_decide(user: User, ids: Sequence[int], *, today: date) -> list[InboxCard]:
    """Those of these requests the user may decide, the most urgent first."""
    chosen = policies.requests_to_decide(user, day=today).filter(pk__in=ids)
    related = chosen.select_related("person", "employee", "approver", "requested_by")
    related = related.prefetch_related("agreements__by")
    return cards_of(user, list(related.order_by("due_on", "pk")), today=today)


def count_to_decide(user: Someone, *, today: date) -> int:
    """How many wait for this user, counted up to 100; no query for who never decides."""
    if not policies.may_decide_requests(user):
        return 0
    return policies.requests_to_decide(user, day=today).order_by()[:100].count()


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of late; `is_moving` while its conversion is on its way to Feishu."""

    request: ConversionRequest
    is_moving: bool

    @property
    def name(self) -> str:
        return self.request.person.name


def decided_lately(user: User, *, at: datetime) -> list[Decided]:
    """What this user has decided in the last days, the latest first; one query."""
    mine = ConversionRequest.objects.filter(decided_by=user, closed_at__gte=at - LATELY)
    related = mine.select_related("person", "change", "decided_for").order_by("-closed_at")
    return [
        Decided(request, request.change is not None and is_moving(request.change, at=at))
        for request in related[:DONE_SHOWN]
    ]


def delegations_of(user: User, *, today: date) -> list[Delegation]:
    """Who stands in for this user now or later."""
    given = Delegation.objects.filter(from_user=user, ended_at=None, last_day__gte=today)
    return list(given.select_related("to_user").order_by("first_day", "pk"))


def delegation_given(user: User, pk: int) -> Delegation | None:
    return Delegation.objects.filter(from_user=user, pk=pk).first()


def has_delegation(pk: int) -> bool:
    """Whoever gave it."""
    return Delegation.objects.filter(pk=pk).exists()


def deciders_for(request: ConversionRequest) -> list[User]:
    """Who may be named to decide at the present step of this request, by name."""
    agreed = request.agreements.values_list("by", flat=True)
    out = {request.approver_id, request.requested_by_id, *agreed}
    if request.step_role == ApprovalStep.HRBP:
        able = policies.hrbps_of(request.employee)
        return sorted((user for user in able if user.pk not in out), key=lambda user: user.name)
    return deciders_but(*out)


def request_about(user: Someone, person_id: int) -> ConversionRequest | None:
    """The open request about this person, for HR and auditors; two queries."""
    if not policies.can(user, Capability.SEE_REQUESTS):
        return None
    mine = policies.visible_requests(user).filter(person=person_id, status="open")
    return mine.select_related("approver").prefetch_related("agreements__by").first()


def deciders_but(*users: int | None) -> list[User]:
    """Who may be named to decide, by name."""
    found = policies.deciders().exclude(pk__in=[pk for pk in users if pk is not None])
    return sorted(found[:500], key=lambda user: user.name)
