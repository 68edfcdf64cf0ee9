"""Which Feishu messages did not arrive, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from lifecycle import policies
from lifecycle.errors import feishu_codes
from lifecycle.errors.problems import NOTICES
from lifecycle.errors.words import Words
from lifecycle.models import ConversionRequest, FeishuMessage
from lifecycle.policies import Someone
from lifecycle.remote import endpoints

State = FeishuMessage.State
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that did not arrive, in words."""

    message: FeishuMessage

    @property
    def name(self) -> str:
        request = self.message.request
        return request.person.name if request is not None else ""

    @property
    def to(self) -> str:
        return self.message.user.name if self.message.user else self.message.receiver

    @property
    def sentence(self) -> Words:
        code = self._code
        return code.sentence if code else NOTICES[self.message.problem].sentence

    @property
    def advice(self) -> Words:
        code = self._code
        return code.advice if code else NOTICES[self.message.problem].advice

    @property
    def may_be_repeated(self) -> bool:
        return self.message.user is not None and bool(self.message.user.open_id)

    @property
    def _code(self) -> feishu_codes.FeishuCode | None:
        if self.message.problem != "message.refused":
            return None
        return feishu_codes.lookup(endpoints.MESSAGE_CREATE.key, self.message.code)


def open_undelivered() -> QuerySet[FeishuMessage]:
    """Not delivered, not sent again, and still needed."""
    return FeishuMessage.objects.filter(
        Q(request=None) | Q(request__status=ConversionRequest.Status.OPEN),
        state__in=FeishuMessage.UNDELIVERED,
        followed_by=None,
    )


def undelivered(user: Someone) -> Sequence[Undelivered]:
    """Those about people this user may see, the newest first; one query."""
    requests = policies.visible_requests(user)
    mine = open_undelivered().filter(request__in=requests.values("pk"))
    related = mine.select_related("user", "request__person", "request__approver")
    return [Undelivered(message) for message in related.order_by("-pk")[:SHOWN]]


@dataclass(frozen=True, slots=True)
class MessageFigures:
    """How the messages stand, for whoever keeps the portal running; no names."""

    sent: int
    waiting: int
    undelivered: int
    # Feishu's codes for what was refused, each once.
    codes: Sequence[int]


def message_figures(*, at: datetime) -> MessageFigures:
    """Four queries."""
    messages = FeishuMessage.objects.order_by()
    refused = open_undelivered().exclude(code=None).order_by()
    return MessageFigures(
        sent=messages.filter(sent_at__gte=at - timedelta(days=1)).count(),
        waiting=messages.filter(state=State.WAITING).count(),
        undelivered=open_undelivered().count(),
        codes=sorted({code for code in refused.values_list("code", flat=True) if code}),
    )


def message_for(user: Someone, pk: int) -> FeishuMessage:
    """The message, when it is about somebody this user may see; NotFound otherwise."""
    requests = policies.visible_requests(user)
    mine = FeishuMessage.objects.filter(pk=pk, request__in=requests.values("pk"))
    message = mine.select_related("user", "request__person").first()
    if message is None:
        raise policies.not_found(FeishuMessage.objects.filter(pk=pk), "request__person_id")
    return message
