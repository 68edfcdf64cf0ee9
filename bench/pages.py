"""Pages through the whole of Django, without a socket: the portal's, the same one by hand, and
the list of Django's admin over the same table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.test import Client, RequestFactory, override_settings

from lifecycle.models import Employee, Role, User

PLAIN_FILES = "django.contrib.staticfiles.storage.StaticFilesStorage"

Page = Callable[[], HttpResponse]

TABLE = Engine().from_string(
    "<table>{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>"
    "{% endfor %}</table>"
)
COLUMNS = (
    "e.id, p.name, e.feishu_id, e.onboard_status, e.conversion_status, e.onboarded_on,"
    " e.expected_conversion_on, e.converted_on, e.left_on, d.full_name, c.name"
)


def hr() -> User:
    user, _ = User.objects.get_or_create(username="bench", defaults={"role": Role.HR})
    return user


def portal_page(address: str) -> Page:
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": PLAIN_FILES}}
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(hr())

    def page() -> HttpResponse:
        response: Any = client.get(address)
        assert response.status_code == 200, response.status_code
        return response

    return page


def by_hand(search: str) -> Page:
    """One query with its joins and one template, behind the same session and middleware: the
    least a Django view of these rows can be."""
    from bench import by_hand_urls

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(hr())

    def page() -> HttpResponse:
        with override_settings(ROOT_URLCONF=by_hand_urls.__name__):
            response: Any = client.get("/")
        assert response.status_code == 200
        return response

    return page


def rows_by_hand(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM lifecycle_employee e"
            " JOIN lifecycle_person p ON p.id = e.person_id"
            " LEFT JOIN lifecycle_department d ON d.feishu_id = e.department_id"
            " LEFT JOIN lifecycle_contact c ON c.feishu_id = e.leader_open_id"
            " WHERE e.gone_at IS NULL ORDER BY e.due_sort_on, e.id LIMIT 51"
        )
        rows = cursor.fetchall()[:50]
    return HttpResponse(TABLE.render(Context({"rows": rows})))


class EmployeeAdmin(ModelAdmin):
    list_display = (
        "person", "feishu_id", "onboard_status", "conversion_status", "onboarded_on",
        "expected_conversion_on", "converted_on", "left_on", "department_id", "leader_open_id",
    )  # fmt: skip
    list_per_page = 50
    list_select_related = ("person",)
    search_fields = ("person__search_text",)
    ordering = ("due_sort_on", "pk")


def admin_page(query: str = "") -> Page:
    """The changelist's own work, its queries and rows; without its templates, which the portal
    does not install. So the admin is faster here than it is."""
    admin = EmployeeAdmin(Employee, AdminSite())
    user = hr()

    def page() -> HttpResponse:
        request = RequestFactory().get("/", {"q": query} if query else {})
        request.user = user
        user.has_perm = lambda *_: True  # type: ignore[method-assign]
        listed = admin.get_changelist_instance(request)
        rows = [[getattr(row, name) for name in admin.list_display] for row in listed.result_list]
        return HttpResponse(TABLE.render(Context({"rows": rows})))

    return page
