"""Every address has a row here: who gets what. An address without a row fails the test."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from lifecycle import action_log, queries
from lifecycle.changes import kinds
from lifecycle.changes.kinds.subjects import Subject
from lifecycle.models import ConversionRequest, Employee, User
from lifecycle.models.mirror import Mirrored
from lifecycle.services import requests
from tests.builders import a_change, a_sample, a_sync, an_employee

pytestmark = pytest.mark.django_db

OK, GO, NO, GONE, POST_ONLY, OUT = 200, 302, 403, 404, 405, "sign-in"

# What GET answers: HR, manager, auditor, administrator, and somebody not signed in.
# The manager's row is about one of her reports.
POLICY: dict[str, tuple[object, object, object, object, object]] = {
    "home": (GO, GO, GO, GO, OUT),
    "sign-in": (GO, GO, GO, GO, OK),
    # Switched off here.
    "feishu-sign-in": (GONE,) * 5,
    "feishu-callback": (GONE,) * 5,
    # For whoever has just shown a password, and nobody is signed in yet.
    "second-step": (OUT,) * 5,
    "first-second-step": (OUT,) * 5,
    "account": (OK, OK, OK, OK, OUT),
    "end-own-sessions": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "set-up-second-step": (OK, OK, OK, OK, OUT),
    "switch-off-second-step": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "renew-recovery-codes": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "users": (NO, NO, NO, OK, OUT),
    "user": (NO, NO, NO, OK, OUT),
    "new-user": (NO, NO, NO, OK, OUT),
    "edit-user": (NO, NO, NO, OK, OUT),
    "reset-second-step": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "end-user-sessions": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "sign-out": (POST_ONLY,) * 5,
    "language": (GO,) * 5,
    "theme": (POST_ONLY,) * 5,
    **dict.fromkeys(queries.LISTS, (OK, OK, OK, OK, OUT)),
    **{shape.rows_url: (OK, OK, OK, OK, OUT) for shape in queries.LISTS.values()},
    # A file of people: HR only.
    **{shape.export_url: (OK, NO, NO, NO, OUT) for shape in queries.LISTS.values()},
    "employee": (GO, GO, GO, GONE, OUT),
    "person": (OK, OK, OK, GONE, OUT),
    # Every verb: HR only.
    **{kind.url_name: (OK, NO, NO, GONE, OUT) for kind in kinds.ALL.values()},
    # Feishu only, and switched off here.
    "feishu-events": (POST_ONLY,) * 5,
    "feishu-cards": (POST_ONLY,) * 5,
    "drift": (OK, NO, OK, NO, OUT),
    "take-drift": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "dismiss-drift": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "feed": (OK, OK, OK, OK, OUT),
    "feed-news": (OK, OK, OK, OK, OUT),
    "mark-feed-read": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "changes": (OK, OK, OK, OK, OUT),
    "change": (OK, OK, OK, GONE, OUT),
    "change-live": (303, 303, 303, GONE, OUT),
    "cancel-change": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "decide-change": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "approve-change": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    # The cockpit: HR and auditors; the inbox: managers. The request is addressed to the manager.
    "probation": (OK, NO, OK, NO, OUT),
    "ask-for-decisions": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "reassign-request": (OK, GONE, NO, GONE, OUT),
    "send-again": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    # HR decides as HRBP, at steps that are theirs.
    "inbox": (OK, OK, NO, NO, OUT),
    "inbox-done": (OK, OK, NO, NO, OUT),
    "decide-request": (GONE, OK, NO, NO, OUT),
    "approval-steps": (OK, NO, NO, OK, OUT),
    "approve-requests": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "delegate": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "end-delegation": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "pick": (OK, NO, NO, NO, OUT),
    "log": (OK, OK, OK, OK, OUT),
    "log-entry": (OK, OK, OK, GONE, OUT),
    "save-log-view": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "remove-log-view": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "log-exceptions": (NO, NO, OK, NO, OUT),
    "log-samples": (NO, NO, OK, NO, OUT),
    "log-sample": (NO, NO, OK, NO, OUT),
    "review-log-entry": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "log-accounts": (NO, NO, OK, NO, OUT),
    "take-evidence": (NO, NO, OK, NO, OUT),
    "person-as-of": (OK, OK, OK, GONE, OUT),
    "log-holds": (NO, NO, OK, NO, OUT),
    "release-log-hold": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "verify-log": (NO, NO, OK, NO, OUT),
    "start-log-check": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "sync": (OK, NO, OK, OK, OUT),
    "start-sync": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "start-kind": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "pause-kind": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "decide-sync-case": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "health": (OK, NO, OK, OK, OUT),
    "start-change-check": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "guards": (OK, NO, OK, OK, OUT),
    "stop-writes": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "start-writes": (POST_ONLY, POST_ONLY, POST_ONLY, POST_ONLY, OUT),
    "help-errors": (OK, OK, OK, OK, OUT),
    # Switched off here.
    "metrics": (GONE,) * 5,
    "healthz": (OK,) * 5,
    "readyz": (503,) * 5,
}

# What POST answers, for the addresses that change something.
POST_POLICY: dict[str, tuple[object, object, object, object, object]] = {
    **{shape.export_url: (422, NO, NO, NO, OUT) for shape in queries.LISTS.values()},
    "convert-employee": (422, NO, NO, GONE, OUT),
    "account": (422, 422, 422, 422, OUT),
    "end-own-sessions": (303, 303, 303, 303, OUT),
    "set-up-second-step": (422, 422, 422, 422, OUT),
    # Without a second step no code is right.
    "switch-off-second-step": (303, 303, 303, NO, OUT),
    "renew-recovery-codes": (303, 303, 303, 303, OUT),
    "end-user-sessions": (NO, NO, NO, 303, OUT),
    "new-user": (NO, NO, NO, 422, OUT),
    "edit-user": (NO, NO, NO, 422, OUT),
    "reset-second-step": (NO, NO, NO, 303, OUT),
    "cancel-change": (303, NO, NO, GONE, OUT),
    "decide-change": (422, NO, NO, GONE, OUT),
    "feishu-events": (GONE,) * 5,
    "feishu-cards": (GONE,) * 5,
    "send-again": (GONE, NO, NO, NO, OUT),
    "take-drift": (GONE, NO, NO, NO, OUT),
    "dismiss-drift": (GONE, NO, NO, NO, OUT),
    "mark-feed-read": (303, 303, 303, 303, OUT),
    "start-sync": (303, NO, NO, 303, OUT),
    "start-kind": (303, NO, NO, 303, OUT),
    "pause-kind": (303, NO, NO, 303, OUT),
    "start-log-check": (NO, NO, 303, NO, OUT),
    "save-log-view": (303, 303, 303, 303, OUT),
    "remove-log-view": (303, 303, 303, 303, OUT),
    "log-samples": (NO, NO, 422, NO, OUT),
    "take-evidence": (NO, NO, 422, NO, OUT),
    "log-holds": (NO, NO, 422, NO, OUT),
    "release-log-hold": (NO, NO, GONE, NO, OUT),
    "review-log-entry": (NO, NO, 422, NO, OUT),
    "approve-change": (422, NO, NO, GONE, OUT),
    "decide-sync-case": (GONE, NO, NO, GONE, OUT),
    "ask-for-decisions": (422, NO, NO, NO, OUT),
    "reassign-request": (422, GONE, NO, GONE, OUT),
    "decide-request": (303, 422, NO, NO, OUT),
    "approval-steps": (422, NO, NO, 422, OUT),
    "approve-requests": (422, 422, NO, NO, OUT),
    "delegate": (NO, 422, NO, NO, OUT),
    "end-delegation": (GONE, GONE, NO, NO, OUT),
    "stop-writes": (422, NO, NO, 422, OUT),
    "start-writes": (NO, NO, NO, 422, OUT),
}


def every_pattern(resolver: URLResolver | None = None) -> list[URLPattern]:
    patterns = (resolver or get_resolver()).url_patterns
    return [
        pattern
        for entry in patterns
        for pattern in (every_pattern(entry) if isinstance(entry, URLResolver) else [entry])
    ]


@pytest.fixture
def addresses(mei: User) -> Callable[[str], str]:
    employee = an_employee("柏小林", leader="ou_li")
    change = a_change(employee, by=mei, status="approved")
    entry = action_log.record(
        "change.cancelled", actor=mei, change=change, data={"kind": "convert_employee"}
    )
    a_sync()
    asked = requests.ask(employee, acting_user=mei, at=timezone.now())
    keys = {
        "pk": employee.pk,
        "seq": entry.seq,
        "what": "department",
        "step": "approve",
        "kind": "talents",
    }
    verbs = {kind.url_name: kind.subject for kind in kinds.ALL.values()}

    def address(name: str) -> str:
        (pattern,) = (p for p in every_pattern() if p.name == name)
        wanted = {key: keys[key] for key in pattern.pattern.converters}
        if name in verbs:
            wanted["pk"] = record_of(verbs[name], employee).pk
        if "change" in name and "pk" in wanted:
            wanted["pk"] = change.pk
        if name in ("log-sample", "review-log-entry"):
            wanted["pk"] = a_sample(by=mei).pk
        if name in ("reassign-request", "decide-request"):
            leader = User.objects.get(username="li")
            ConversionRequest.objects.filter(pk=asked.pk).update(approver=leader, held="")
            wanted["pk"] = asked.pk
        if name in ("user", "edit-user", "reset-second-step", "end-user-sessions"):
            wanted["pk"] = mei.pk
        if name in ("person", "person-as-of"):
            wanted["pk"] = employee.person_id
        return reverse(name, kwargs=wanted)

    return address


def record_of(subject: Subject, employee: Employee) -> Mirrored:
    """The employee, or another record of the same person."""
    if subject.model is Employee:
        return employee
    record, _ = subject.model.objects.get_or_create(
        feishu_id="1", defaults={"person": employee.person, "asked_at": timezone.now()}
    )
    return record


def outcome(response) -> object:
    if response.status_code in (301, 302) and response["Location"].startswith(reverse("sign-in")):
        return OUT
    return response.status_code


def test_every_address_has_a_name_and_a_row():
    names = [pattern.name for pattern in every_pattern()]
    assert set(names) == set(POLICY)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", POLICY)
def test_who_may_open_it(name, addresses, as_user, mei, li, ana, zhou):
    clients = [*(as_user(user) for user in (mei, li, ana, zhou)), Client()]
    assert tuple(outcome(client.get(addresses(name))) for client in clients) == POLICY[name]


@pytest.mark.parametrize("name", POST_POLICY)
def test_who_may_post_to_it(name, addresses, as_user, mei, hua, li, ana, zhou):
    who = hua if name == "decide-change" else mei
    for user, expected in zip(
        (li, ana, zhou, None, who), POST_POLICY[name][1:] + POST_POLICY[name][:1], strict=True
    ):
        client = as_user(user) if user else Client()
        assert outcome(client.post(addresses(name))) == expected, user


def test_a_head_request_is_as_good_as_a_get(addresses, as_user, mei):
    assert as_user(mei).head(addresses("employees")).status_code == 200
