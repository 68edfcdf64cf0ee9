"""Every address of the portal. tests/views/test_urls.py keeps a row for each."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.i18n import set_language

from lifecycle import queries
from lifecycle.changes import kinds
from lifecycle.views import (
    accounts,
    action_log,
    changes,
    desk,
    drift,
    evidence,
    exports,
    feed,
    guards,
    health,
    help,
    home,
    inbox,
    people,
    pickers,
    probation,
    pushes,
    records,
    sync,
    themes,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", accounts.sign_in, name="sign-in"),
    path("sign-out/", accounts.sign_out, name="sign-out"),
    path("language/", login_not_required(set_language), name="language"),
    path("theme/", themes.choose_theme, name="theme"),
    *(path(f"{name}/", records.records, {"name": name}, name=name) for name in queries.LISTS),
    *(
        path(f"{name}/rows/", records.record_rows, {"name": name}, name=shape.rows_url)
        for name, shape in queries.LISTS.items()
    ),
    *(
        path(f"{name}/export/", exports.export, {"name": name}, name=shape.export_url)
        for name, shape in queries.LISTS.items()
    ),
    path("employees/<int:pk>/", people.employee, name="employee"),
    path("people/<int:pk>/", people.person, name="person"),
    *(
        path(
            f"{kind.subject.path}/<int:pk>/{kind.step}/",
            changes.ask_for_change,
            {"kind_name": kind.name},
            name=kind.url_name,
        )
        for kind in kinds.ALL.values()
    ),
    path("drift/", drift.drift, name="drift"),
    path("drift/<int:pk>/take/", drift.take_drift, name="take-drift"),
    path("drift/<int:pk>/dismiss/", drift.dismiss_drift, name="dismiss-drift"),
    path("feed/", feed.feed, name="feed"),
    path("feed/news/", feed.feed_news, name="feed-news"),
    path("feed/read/", feed.mark_feed_read, name="mark-feed-read"),
    path("changes/", changes.changes, name="changes"),
    path("changes/<int:pk>/", changes.change, name="change"),
    path("changes/<int:pk>/live/", changes.change_live, name="change-live"),
    path("changes/<int:pk>/cancel/", changes.cancel_change, name="cancel-change"),
    path("changes/<int:pk>/decide/", changes.decide_change, name="decide-change"),
    path("changes/<int:pk>/approval/", changes.approve_change, name="approve-change"),
    path("probation/", probation.probation, name="probation"),
    path("probation/ask/", probation.ask_for_decisions, name="ask-for-decisions"),
    path("probation/<int:pk>/reassign/", probation.reassign_request, name="reassign-request"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/done/", inbox.inbox_done, name="inbox-done"),
    path("inbox/approve/", inbox.approve_requests, name="approve-requests"),
    path("inbox/delegate/", inbox.delegate, name="delegate"),
    path("inbox/delegations/<int:pk>/end/", inbox.end_delegation, name="end-delegation"),
    path("inbox/<int:pk>/<slug:step>/", inbox.decide_request, name="decide-request"),
    path("pick/<slug:what>/", pickers.pick, name="pick"),
    path("log/", action_log.log, name="log"),
    path("log/verify/", evidence.verify_log, name="verify-log"),
    path("log/verify/start/", evidence.start_check, name="start-log-check"),
    path("log/views/save/", desk.save_view, name="save-log-view"),
    path("log/views/<int:pk>/remove/", desk.remove_view, name="remove-log-view"),
    path("log/exceptions/", desk.exceptions, name="log-exceptions"),
    path("log/samples/", desk.samples, name="log-samples"),
    path("log/samples/<int:pk>/", desk.sample, name="log-sample"),
    path("log/samples/<int:pk>/review/", desk.review, name="review-log-entry"),
    path("log/evidence/", evidence.take_evidence, name="take-evidence"),
    path("log/person/<int:pk>/", desk.person_as_of, name="person-as-of"),
    path("log/holds/", desk.holds, name="log-holds"),
    path("log/holds/<int:pk>/release/", desk.release_hold, name="release-log-hold"),
    path("log/accounts/", desk.accounts, name="log-accounts"),
    path("log/<int:seq>/", action_log.log_entry, name="log-entry"),
    path("sync/", sync.sync, name="sync"),
    path("sync/start/", sync.start_sync, name="start-sync"),
    path("sync/<slug:kind>/start/", sync.start_kind, name="start-kind"),
    path("sync/<slug:kind>/pause/", sync.pause_kind, name="pause-kind"),
    path("sync/cases/<int:pk>/decide/", guards.decide_sync_case, name="decide-sync-case"),
    path("guards/", guards.guards, name="guards"),
    path("guards/stop/", guards.stop_writes, name="stop-writes"),
    path("guards/start/", guards.start_writes, name="start-writes"),
    path("feishu/events/", pushes.feishu_events, name="feishu-events"),
    path("help/errors/", help.error_codes, name="help-errors"),
    path("metrics", health.metrics, name="metrics"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
