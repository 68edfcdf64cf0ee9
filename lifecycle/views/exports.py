"""A list as a file: the question what it is for, then the file itself."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from lifecycle import policies, queries
from lifecycle.errors.problems import InvalidValues
from lifecycle.policies import Capability
from lifecycle.queries import RecordFilter
from lifecycle.services import exports as export_service
from lifecycle.views.answers import acting_user, flat, page
from lifecycle.views.records import chosen_in_words


@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest, name: str) -> HttpResponseBase:
    if not policies.can(request.user, Capability.EXPORT):
        raise PermissionDenied
    narrowed = RecordFilter.read(queries.LISTS[name], flat(request.GET))
    if request.method == "POST":
        try:
            return _file(request, narrowed)
        except InvalidValues:
            return _question(request, narrowed, status=422)
    return _question(request, narrowed)


def _file(request: HttpRequest, narrowed: RecordFilter) -> HttpResponseBase:
    started = export_service.start_export(
        narrowed,
        file_format=request.POST.get("format", ""),
        purpose=request.POST.get("purpose", "").replace("\x00", ""),
        acting_user=acting_user(request),
        today=timezone.localdate(),
    )
    response = StreamingHttpResponse(started, content_type=started.content_type)
    response["Content-Disposition"] = f'attachment; filename="{started.filename}"'
    response["Cache-Control"] = "no-store"
    return response


def _question(request: HttpRequest, narrowed: RecordFilter, *, status: int = 200) -> HttpResponse:
    size = export_service.size_of(
        narrowed, acting_user=acting_user(request), today=timezone.localdate()
    )
    context = {
        "shape": narrowed.shape,
        "narrowed": narrowed,
        "query": narrowed.query_string(),
        "chosen": chosen_in_words(request.user, narrowed),
        "size": size,
        "most": settings.EXPORT_ROW_CAP,
        "longest": export_service.MOST_PURPOSE,
        "purpose": request.POST.get("purpose", ""),
        "format": request.POST.get("format", "") or export_service.Format.XLSX.value,
        "formats": [("xlsx", "Excel"), ("csv", "CSV")],
        "problem": _("Say in a few words what the file is for.") if status != 200 else "",
    }
    return page(request, "exports/ask.html", "exports/_ask.html", context, status=status)
