"""Every address of the portal. tests/views/test_urls.py keeps a row for each."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.i18n import set_language

from lifecycle.changes import kinds
from lifecycle.views import (
    accounts,
    action_log,
    changes,
    employees,
    health,
    help,
    home,
    pickers,
    sync,
    themes,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", accounts.sign_in, name="sign-in"),
    path("sign-out/", accounts.sign_out, name="sign-out"),
    path("language/", login_not_required(set_language), name="language"),
    path("theme/", themes.choose_theme, name="theme"),
    path("employees/", employees.employees, name="employees"),
    path("employees/rows/", employees.employee_rows, name="employee-rows"),
    path("employees/<int:pk>/", employees.employee, name="employee"),
    *(
        path(
            f"{kind.subject.path}/<int:pk>/{kind.step}/",
            changes.ask_for_change,
            {"kind_name": kind.name},
            name=kind.url_name,
        )
        for kind in kinds.ALL.values()
    ),
    path("changes/", changes.changes, name="changes"),
    path("changes/<int:pk>/", changes.change, name="change"),
    path("changes/<int:pk>/live/", changes.change_live, name="change-live"),
    path("changes/<int:pk>/cancel/", changes.cancel_change, name="cancel-change"),
    path("changes/<int:pk>/decide/", changes.decide_change, name="decide-change"),
    path("pick/<slug:what>/", pickers.pick, name="pick"),
    path("log/", action_log.log, name="log"),
    path("log/<int:seq>/", action_log.log_entry, name="log-entry"),
    path("sync/", sync.sync, name="sync"),
    path("sync/start/", sync.start_sync, name="start-sync"),
    path("help/errors/", help.error_codes, name="help-errors"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
