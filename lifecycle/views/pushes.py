"""Where Feishu pushes its events. Off (404) unless both of its secrets are set."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from lifecycle.remote import events
from lifecycle.services import pushes

log = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
SIGNED_WITH = ("X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature")


@csrf_exempt
@login_not_required
@require_POST
def feishu_events(request: HttpRequest) -> HttpResponse:
    secrets = pushes.secrets()
    if secrets is None:
        raise Http404
    at = timezone.now()
    try:
        body = request.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            return HttpResponse(status=413)
        headers = {name: request.headers.get(name, "") for name in SIGNED_WITH}
        event = events.read_event(body, headers, secrets=secrets, now_s=at.timestamp())
        if isinstance(event, events.Challenge):
            return JsonResponse({"challenge": event.text})
        pushes.receive(event, at=at)
    except (events.BadEvent, UnreadablePostError):
        return HttpResponse(status=400)
    except events.Forged as error:
        log.warning("a pushed event is refused: %s", error)
        return HttpResponse(status=403)
    except DatabaseError:
        # Feishu repeats what was not answered with 200.
        log.exception("a pushed event could not be written down")
        return HttpResponse(status=503)
    return JsonResponse({})
