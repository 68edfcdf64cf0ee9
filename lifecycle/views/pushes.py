"""Where Feishu pushes its events and the buttons that were pressed on cards. Off (404) unless
both of its secrets are set."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from lifecycle.remote import events
from lifecycle.services import card_presses, pushes

log = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
SIGNED_WITH = ("X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature")


@csrf_exempt
@login_not_required
@require_POST
def feishu_events(request: HttpRequest) -> HttpResponse:
    """Something has changed. Feishu repeats what was not answered with 200."""

    def take(event: events.Announced, at: datetime) -> dict[str, Any]:
        pushes.receive(event, at=at)
        return {}

    return _pushed(request, events.read_event, take)


@csrf_exempt
@login_not_required
@require_POST
def feishu_cards(request: HttpRequest) -> HttpResponse:
    """A button of a card was pressed. Whoever reads an error there can press again."""
    return _pushed(
        request, events.read_card_press, lambda press, at: card_presses.take(press, at=at)
    )


def _pushed(
    request: HttpRequest, read: Callable[..., Any], take: Callable[[Any, datetime], dict[str, Any]]
) -> HttpResponse:
    """What Feishu has sent, once it is proven to be Feishu's."""
    secrets = pushes.secrets()
    if secrets is None:
        raise Http404
    at = timezone.now()
    try:
        body = request.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            return HttpResponse(status=413)
        headers = {name: request.headers.get(name, "") for name in SIGNED_WITH}
        said = read(body, headers, secrets=secrets, now_s=at.timestamp())
        if isinstance(said, events.Challenge):
            return JsonResponse({"challenge": said.text})
        return JsonResponse(take(said, at))
    except (events.BadEvent, UnreadablePostError):
        return HttpResponse(status=400)
    except events.Forged as error:
        log.warning("what came to %s is refused: %s", request.path, error)
        return HttpResponse(status=403)
    except DatabaseError:
        log.exception("what came to %s could not be written down", request.path)
        return HttpResponse(status=503)
