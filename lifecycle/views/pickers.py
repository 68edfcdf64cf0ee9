"""The options of a field that is filled in by name."""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lifecycle import pickers

LIST_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


@require_safe
def pick(request: HttpRequest, what: str) -> HttpResponse:
    """What fits the text. `list`: the id of the element the options stand in, so that two
    fields on one page keep theirs apart."""
    if what not in pickers.SOURCES:
        raise Http404
    hits = pickers.search(request.user, what, request.GET.get("q", ""))
    list_id = request.GET.get("list", "")
    context = {
        "hits": hits,
        "takes_unlisted": not hits.choices and pickers.takes_unlisted(what),
        "noun": pickers.source_of(what).noun,
        "list_id": list_id if LIST_ID.fullmatch(list_id) else "options",
        "chosen": request.GET.get("chosen", ""),
    }
    return render(request, "pickers/_options.html", context)
