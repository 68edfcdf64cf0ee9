"""One page per person, with every record Feishu keeps of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from lifecycle import policies, queries, watched
from lifecycle.changes.kinds import Kind
from lifecycle.errors.words import Words
from lifecycle.models import Employee
from lifecycle.models.mirror import Mirrored
from lifecycle.queries.people import RecordCard
from lifecycle.views.records import next_steps


@dataclass(frozen=True, slots=True)
class Step:
    """A verb that fits a record. `closed`: why it cannot be asked for here, and where it can."""

    kind: Kind[Any]
    address: str
    closed: Words | None


@dataclass(frozen=True, slots=True)
class ShownCard:
    card: RecordCard
    steps: list[Step]

    @property
    def closed(self) -> list[Words]:
        """The reasons against the steps, each once."""
        return list(dict.fromkeys(step.closed for step in self.steps if step.closed))


@require_safe
def person(request: HttpRequest, pk: int) -> HttpResponse:
    found = policies.person_for(request.user, pk)
    shown = queries.person_page(request.user, found, at=timezone.now())
    cards = [
        ShownCard(
            card,
            [
                _step(kind, card.record)
                for kind in next_steps(request.user, card.record, shown.open_change)
            ],
        )
        for card in shown.cards
    ]
    context = {
        "request_now": queries.request_about(request.user, found.pk),
        "shown": shown,
        "cards": cards,
        "person_mirror": queries.oldest_mirror_state(
            {watched.KINDS[type(card.card.record)].sync for card in cards} or {"employees"},
            at=timezone.now(),
        ),
    }
    return render(request, "people/detail.html", context)


@require_safe
def employee(request: HttpRequest, pk: int) -> HttpResponse:
    """The address employees had before people had pages."""
    found = policies.record_for(request.user, Employee, pk)
    return HttpResponseRedirect(reverse("person", args=[found.person_id]))


def _step(kind: Kind[Any], record: Mirrored) -> Step:
    address = reverse(kind.url_name, args=[record.pk])
    return Step(kind, address, None if kind.is_open_to(record) else kind.route_for(record))
