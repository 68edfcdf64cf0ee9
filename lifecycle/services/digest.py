"""The daily e-mail of what has changed, for the addresses in DIGEST_EMAILS."""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from lifecycle import queries
from lifecycle.models import ChangeEvent, DigestMark

log = logging.getLogger(__name__)

# A longer e-mail is read by nobody; the rest stands in the feed.
MOST_LINES = 200


@transaction.atomic
def send_digest(at: datetime) -> int:
    """Send what has changed since the last one, once a tenant day from DIGEST_HOUR on; how many
    events it tells. The mark moves only with an e-mail that was sent."""
    local = timezone.localtime(at)
    if not settings.DIGEST_EMAILS or local.hour < settings.DIGEST_HOUR:
        return 0
    DigestMark.objects.get_or_create(pk=1, defaults={"last_event": _newest()})
    mark = DigestMark.objects.select_for_update().get(pk=1)
    if mark.sent_on is not None and mark.sent_on >= local.date():
        return 0
    # The whole company: the addresses are the administrator's choice.
    events = ChangeEvent.objects.filter(pk__gt=mark.last_event)
    rows = list(events.select_related("person").order_by("pk")[: MOST_LINES + 1])
    last = _newest()
    if rows and not _send(rows, events.count(), at):
        return 0
    mark.last_event, mark.sent_on = max(mark.last_event, last), local.date()
    mark.save(update_fields=["last_event", "sent_on"])
    return len(rows)


def _newest() -> int:
    newest = ChangeEvent.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def _send(rows: list[ChangeEvent], count: int, at: datetime) -> bool:
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Feishu: %(count)s changes until %(day)s") % {
            "count": count,
            "day": timezone.localtime(at).strftime("%Y-%m-%d"),
        }
        body = _body(rows, count)
    message = EmailMessage(subject, body, bcc=settings.DIGEST_EMAILS)
    try:
        message.send()
    except OSError:
        # SMTPException is one too. The addresses stay out of the log.
        log.exception("the digest could not be sent; it is tried again")
        return False
    return True


def _body(rows: list[ChangeEvent], count: int) -> str:
    told = queries.told_events(rows[:MOST_LINES])
    urgent = [line for line in told if line.alert]
    lines = []
    if urgent:
        lines += [_("Needs attention"), *map(_line, urgent), ""]
    rest = [line for line in told if not line.alert]
    if rest:
        lines += [_("What has changed"), *map(_line, rest), ""]
    if count > MOST_LINES:
        lines += [_("%(count)s more stand in the portal.") % {"count": count - MOST_LINES}, ""]
    where = f"{settings.PORTAL_URL}{reverse('feed')}"
    return "\n".join([*lines, _("Open in the portal: %(address)s") % {"address": where}])


def _line(line: queries.ToldEvent) -> str:
    moment = timezone.localtime(line.event.seen_at).strftime("%m-%d %H:%M")
    return f"- {moment} {line.name} {line.sentence.zh}"
