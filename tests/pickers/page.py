"""A page with a form that uses the field more than once; for tests only."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from lifecycle.forms.pick_field import PickField

PAGE = """{% extends "base.html" %}{% block content %}
<div class="card"><div class="card-body">
<a id="in-panel" href="?" hx-get="?part=1" hx-target="#panel-body" hx-swap="innerHTML">panel</a>
{% include part %}</div></div>{% endblock %}"""
FORM = """<form method="post" action="/test-page/" novalidate>{% csrf_token %}
{% for field in form %}{% include "components/_field.html" %}{% endfor %}
<button class="button" type="submit" data-send>Send</button></form>
<dl id="cleaned">{% for name, value in form.cleaned_data.items %}
<dd data-name="{{ name }}">{{ value }}</dd>{% endfor %}</dl>"""


class TestPageForm(forms.Form):
    department = PickField(what="department", label="Department", help_text="Where they work.")
    leader = PickField(what="contact", label="Leader", required=False)
    level = PickField(what="job_level", label="Level", required=False)
    family = PickField(what="job_family", label="Family", required=False)


def show(request: HttpRequest) -> HttpResponse:
    django = engines["django"]
    is_part = bool(request.GET.get("part"))
    data = request.POST if request.method == "POST" else None
    form = TestPageForm(data, auto_id="panel_%s" if is_part else "id_%s")
    context = {"form": form, "part": django.from_string(FORM).template}
    template = django.from_string(FORM if is_part else PAGE)
    status = 422 if form.is_bound and not form.is_valid() else 200
    return HttpResponse(template.render(context, request), status=status)


urlpatterns = [path("test-page/", show), path("", include("hrportal.urls"))]
