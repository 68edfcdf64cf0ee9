"""The feed: what has changed in Feishu, newest first."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from lifecycle import queries, watched
from lifecycle.models import ChangeEvent
from lifecycle.queries import FeedFilter
from lifecycle.services import feed as feed_service
from lifecycle.views.answers import (
    acting_user,
    flat,
    neighbour_queries,
    page,
    push_address,
    see_other,
)
from lifecycle.views.tabs import Tab

ONLY = (("", _("All")), ("unread", _("Unread")), ("alerts", _("Needs attention")))
SYNCS = ("pre_hires", "offboardings", "employees")


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    params = flat(request.GET)
    narrowed = FeedFilter.read(params)
    seen = queries.last_seen(request.user)
    found = queries.feed_page(request.user, narrowed, params, last_seen=seen)
    newest = queries.newest_event(request.user)
    context = {
        "narrowed": narrowed,
        "page": found,
        **neighbour_queries(narrowed, found),
        "told": queries.told_events(found.rows, last_seen=seen),
        "newest": newest,
        "has_unread": newest > seen,
        "tabs": [
            Tab(name or "all", label, narrowed.with_only(name).query_string())
            for name, label in ONLY
        ],
        "kinds": watched.KINDS.values(),
        "sources": ChangeEvent.Source.choices,
        "departments": queries.department_choices(request.user),
        "feed_mirror": queries.oldest_mirror_state(SYNCS, at=timezone.now()),
    }
    response = page(request, "feed/list.html", "feed/_table.html", context)
    return push_address(request, response, narrowed, params)


@require_safe
def feed_news(request: HttpRequest) -> HttpResponse:
    """How many events there are since the newest one on the screen."""
    since = request.GET.get("since", "")
    newest = int(since) if since.isdecimal() and len(since) < 19 else 0
    count = queries.count_events_after(request.user, newest)
    return render(request, "feed/_news.html", {"count": count, "newest": newest})


@require_POST
def mark_feed_read(request: HttpRequest) -> HttpResponse:
    """As far as the page that is left shows, not what has come since."""
    upto = request.POST.get("upto", "")
    if upto.isdecimal() and len(upto) < 19:
        newest = queries.newest_event(request.user)
        feed_service.mark_read(min(int(upto), newest), acting_user=acting_user(request))
    return see_other("feed")
