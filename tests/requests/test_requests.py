"""A leader decides about the end of a probation: who may, what follows, what is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from lifecycle import action_log
from lifecycle.changes import invariants
from lifecycle.errors.problems import ChangeBlocked, NotAllowed, RequestRefused
from lifecycle.models import ActionEntry, ConversionRequest, Employee, Role, StatusChange
from lifecycle.queries import probation
from lifecycle.services import reminders, requests
from tests.builders import a_change

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate
NOW = timezone.now
DAY = timedelta(days=1)


def ask(bo, mei, **more) -> ConversionRequest:
    return requests.ask(bo, acting_user=mei, at=NOW(), **more)


def approve(request, user, *, day=None, **more):
    return requests.approve(
        request,
        day=day or TODAY(),
        pre_image_hash=more.get("seen", request.pre_image_hash),
        acting_user=user,
        at=NOW(),
    )


def said(event: str) -> str:
    entry = ActionEntry.objects.filter(event=event).first()
    assert entry is not None, f"the log does not tell of {event}"
    return action_log.sentence(entry).zh


class TestAsking:
    def test_addresses_the_leader(self, bo, mei, li):
        request = ask(bo, mei, note="表现优秀")
        assert (request.approver, request.held, request.status) == (li, "", "open")
        assert request.note == "表现优秀"
        assert f"请{li.name}决定{bo.person.name}是否转正" in said("request.asked")

    def test_goes_up_to_the_next_leader_with_an_account(self, bo, mei, above, li):
        li.is_active = False
        li.save()
        assert ask(bo, mei).approver == above

    def test_stays_with_hr_without_anybody_up_the_line(self, bo, mei):
        request = ask(bo, mei)
        assert (request.approver, request.held) == (None, "no_approver")

    def test_a_line_that_leads_in_a_circle_ends(self, bo, mei, above, li):
        Employee.objects.filter(pk=bo.pk).update(leader_open_id="ou_nobody")
        bo.refresh_from_db()
        assert ask(bo, mei).approver is None

    def test_what_is_kept_in_core_hr_stays_with_hr(self, bo, mei, li):
        Employee.objects.filter(pk=bo.pk).update(employment_id="7")
        bo.refresh_from_db()
        assert ask(bo, mei).held == "core_hr"

    def test_twice_is_refused(self, bo, mei, li):
        ask(bo, mei)
        with pytest.raises(RequestRefused), transaction.atomic():
            ask(bo, mei)

    def test_is_for_hr_in_reach(self, bo, li, ana, mei):
        for user in (li, ana):
            with pytest.raises(NotAllowed):
                ask(bo, user)
        mei.department_ids = ["od-elsewhere"]
        with pytest.raises(NotAllowed):
            ask(bo, mei)

    def test_never_about_oneself(self, bo, mei):
        bo.person.open_id = mei.open_id = "ou_mei"
        bo.person.save()
        with pytest.raises(NotAllowed):
            ask(bo, mei)

    def test_no_open_request_without_a_next_date(self, bo, mei, li):
        request = ask(bo, mei)
        with pytest.raises(IntegrityError), transaction.atomic():
            ConversionRequest.objects.filter(pk=request.pk).update(next_reminder_at=None)

    def test_of_several_skips_those_who_cannot_be_asked_about(self, bo, mei, li, mirror_rows):
        rows = mirror_rows(3)
        a_change(rows[1].employee, by=mei)
        ask(rows[2].employee, mei)
        fresh = mirror_rows(3)
        asked = requests.ask_for_decisions(fresh, note="", acting_user=mei, at=NOW())
        assert [r.employee for r in asked.requests] == [rows[0].employee]
        assert [why for _, why in asked.skipped] == [requests.CHANGE_OPEN, requests.ASKED_ALREADY]


class TestApproving:
    def test_becomes_a_change_asked_for_by_hr_and_approved_by_the_leader(
        self, bo, mei, li, worker, mirror
    ):
        request = ask(bo, mei)
        change = approve(request, li)
        assert (change.status, change.requested_by) == ("approved", mei)
        assert [a.by for a in change.approvals.all()] == [li]
        worker(change)
        assert change.status == "succeeded"
        assert mirror.operations(bo.feishu_id) == ["convert"]
        told = [action_log.sentence(e).zh for e in ActionEntry.objects.filter(change_id=change.pk)]
        assert any(f"{mei.name}发起" in line for line in told)
        assert any(f"{li.name}同意" in line for line in told)
        assert list(invariants.violations()) == []

    def test_on_a_later_day_waits_for_it(self, bo, mei, li):
        change = approve(ask(bo, mei), li, day=TODAY() + 5 * DAY)
        assert change.status == "approved"
        assert change.next_run_at > NOW() + 4 * DAY

    def test_twice_is_one_change(self, bo, mei, li):
        request = ask(bo, mei)
        approve(request, li)
        with pytest.raises(RequestRefused):
            approve(request, li)
        assert StatusChange.objects.count() == 1

    def test_is_for_the_one_it_is_addressed_to(self, bo, mei, hua, li, qin, ana):
        request = ask(bo, mei)
        for user in (mei, hua, qin, ana):
            with pytest.raises(NotAllowed):
                approve(request, user)
        assert StatusChange.objects.count() == 0

    def test_never_by_the_one_who_asked_whatever_the_role_is_now(self, bo, mei, li):
        request = ask(bo, mei)
        mei.role = Role.MANAGER
        mei.save()
        ConversionRequest.objects.filter(pk=request.pk).update(approver=mei)
        request.refresh_from_db()
        with pytest.raises(NotAllowed):
            approve(request, mei)

    def test_never_by_the_employee(self, bo, mei, li):
        request = ask(bo, mei)
        bo.person.open_id = li.open_id
        bo.person.save()
        with pytest.raises(NotAllowed):
            approve(request, li)

    def test_over_changed_facts_sends_nothing_and_asks_anew(self, bo, mei, li, mirror):
        request = ask(bo, mei)
        mirror.patch("employees", bo.feishu_id, expected_conversion_time=1893456000000)
        with pytest.raises(RequestRefused) as caught:
            approve(request, li)
        assert caught.value.notice.code == "request.facts-changed"
        request.refresh_from_db()
        anew = ConversionRequest.objects.get(follows=request)
        assert (request.status, anew.status, anew.approver) == ("void", "open", li)
        assert anew.requested_by == mei
        assert anew.pre_image_hash != request.pre_image_hash
        assert StatusChange.objects.count() == 0
        assert mirror.requests(writes=True) == []

    def test_of_somebody_converted_meanwhile_is_void(self, bo, mei, li, mirror):
        request = ask(bo, mei)
        mirror.patch("employees", bo.feishu_id, conversion_status=2)
        with pytest.raises(RequestRefused) as caught:
            approve(request, li)
        assert caught.value.notice.code == "request.overtaken"
        assert mirror.requests(writes=True) == []
        assert not ConversionRequest.objects.filter(status="open").exists()

    def test_state_changed_before_it_is_sent_sends_nothing_and_asks_anew(
        self, bo, mei, li, worker, mirror
    ):
        request = ask(bo, mei)
        change = approve(request, li)
        mirror.patch("employees", bo.feishu_id, expected_conversion_time=1893456000000)
        assert worker(change).status == "needs_attention"
        reminders.tend(NOW())
        change.refresh_from_db()
        request.refresh_from_db()
        assert (change.status, request.status) == ("cancelled", "void")
        anew = ConversionRequest.objects.get(follows=request)
        assert (anew.status, anew.approver) == ("open", li)
        assert mirror.requests(writes=True) == []

    def test_that_feishu_refuses_is_asked_anew(self, bo, mei, li, worker, mirror):
        request = ask(bo, mei)
        mirror.fault("code", endpoint="A2", code=1002905, http_status=400)
        assert worker(approve(request, li)).status == "failed"
        reminders.tend(NOW())
        anew = ConversionRequest.objects.get(follows=request)
        assert anew.is_open
        assert "转正没有执行" in said("request.void")

    def test_while_another_change_is_open_is_blocked(self, bo, mei, li):
        request = ask(bo, mei)
        a_change(bo, by=mei)
        with pytest.raises(ChangeBlocked):
            approve(request, li)
        request.refresh_from_db()
        assert request.is_open

    def test_not_by_whom_it_was_taken_from_meanwhile(self, bo, mei, li, qin):
        request = ask(bo, mei)
        moved: list[bool] = []

        def hand_on_before_the_lock(execute, sql, params, many, context):
            if not moved and sql.startswith('SELECT "lifecycle_person"'):
                moved.append(True)
                ConversionRequest.objects.filter(pk=request.pk).update(approver=qin)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(hand_on_before_the_lock), pytest.raises(NotAllowed):
            approve(request, li)
        assert moved
        assert not StatusChange.objects.exists()


class TestExtending:
    def test_keeps_a_day_of_our_own(self, bo, mei, li, mirror):
        request = ask(bo, mei)
        until = max(TODAY(), request.due_on) + 30 * DAY
        requests.extend(request, until=until, reason="再观察", acting_user=li, at=NOW())
        assert probation.due_of(bo) == until
        found = probation.on_probation(Employee.objects.all()).get(pk=bo.pk)
        assert (found.due, found.expected_conversion_on) == (until, bo.expected_conversion_on)
        assert mirror.requests(writes=True) == []
        assert f"延长至 {until}" in said("request.extended")

    def test_is_asked_about_again_before_the_new_day(self, bo, mei, li):
        request = ask(bo, mei)
        until = max(TODAY(), request.due_on) + 60 * DAY
        requests.extend(request, until=until, reason="再观察", acting_user=li, at=NOW())
        reminders.ask_by_rule(NOW())
        assert not ConversionRequest.objects.filter(employee=bo, status="open").exists()
        later = NOW() + (until - TODAY()) - 29 * DAY
        reminders.ask_by_rule(later)
        assert ConversionRequest.objects.get(employee=bo, status="open").due_on == until

    @pytest.mark.parametrize("days", [-1, 0])
    def test_needs_a_later_day(self, bo, mei, li, days):
        request = ask(bo, mei)
        until = max(TODAY(), request.due_on) + days * DAY
        with pytest.raises(RequestRefused):
            requests.extend(request, until=until, reason="再观察", acting_user=li, at=NOW())

    def test_needs_a_reason(self, bo, mei, li):
        request = ask(bo, mei)
        until = max(TODAY(), request.due_on) + DAY
        with pytest.raises(RequestRefused):
            requests.extend(request, until=until, reason=" ", acting_user=li, at=NOW())


class TestDeclining:
    def test_sends_nothing_and_keeps_reminding_hr(self, bo, mei, li, mirror, mailoutbox):
        mei.email = "mei@example.com"
        mei.save()
        request = ask(bo, mei)
        requests.decline(request, reason="不胜任", acting_user=li, at=NOW())
        reminders.tend(NOW())
        assert mirror.requests(writes=True) == []
        to_mei = [mail for mail in mailoutbox if mail.to == ["mei@example.com"]]
        (mail,) = [mail for mail in to_mei if bo.person.name in mail.body]
        assert "离职" in mail.body
        request.refresh_from_db()
        assert request.next_reminder_at > NOW()

    def test_reminds_no_longer_once_the_employee_has_left(self, bo, mei, li):
        request = ask(bo, mei)
        requests.decline(request, reason="不胜任", acting_user=li, at=NOW())
        Employee.objects.filter(pk=bo.pk).update(onboard_status="left")
        reminders.tend(NOW())
        request.refresh_from_db()
        assert (request.status, request.next_reminder_at) == ("declined", None)


class TestHandingOn:
    def test_by_hr_with_a_reason(self, bo, mei, li, qin):
        request = ask(bo, mei)
        requests.reassign(request, to=qin, reason="李休假", acting_user=mei, at=NOW())
        assert request.approver == qin
        assert qin.name in said("request.reassigned")
        with pytest.raises(NotAllowed):
            approve(request, li)
        approve(request, qin)

    @pytest.mark.parametrize("who", ["mei", "hua", "ana"])
    def test_never_to_hr_or_an_auditor(self, bo, mei, li, who, request, hua, ana):
        asked = ask(bo, mei)
        with pytest.raises(RequestRefused):
            requests.reassign(
                asked, to=request.getfixturevalue(who), reason="急", acting_user=mei, at=NOW()
            )

    def test_never_without_a_reason_nor_by_a_manager(self, bo, mei, li, qin):
        request = ask(bo, mei)
        with pytest.raises(RequestRefused):
            requests.reassign(request, to=qin, reason="", acting_user=mei, at=NOW())
        with pytest.raises(NotAllowed):
            requests.reassign(request, to=qin, reason="急", acting_user=li, at=NOW())

    def test_taken_back_by_hr(self, bo, mei, li):
        request = ask(bo, mei)
        requests.cancel(request, reason="误发", acting_user=mei, at=NOW())
        with pytest.raises(RequestRefused):
            approve(request, li)


class TestStandingIn:
    def test_decides_for_the_one_who_is_away(self, bo, mei, li, qin):
        request = ask(bo, mei)
        requests.delegate(qin, first_day=TODAY(), last_day=TODAY(), acting_user=li, at=NOW())
        approve(request, qin)
        request.refresh_from_db()
        assert (request.decided_by, request.decided_for) == (qin, li)
        assert f"{qin.name}代{li.name}同意" in said("request.approved")

    def test_only_on_those_days_and_until_it_is_ended(self, bo, mei, li, qin):
        request = ask(bo, mei)
        made = requests.delegate(
            qin, first_day=TODAY() + DAY, last_day=TODAY() + DAY, acting_user=li, at=NOW()
        )
        with pytest.raises(NotAllowed):
            approve(request, qin)
        now = requests.delegate(qin, first_day=TODAY(), last_day=TODAY(), acting_user=li, at=NOW())
        requests.end_delegation(now, acting_user=li, at=NOW())
        with pytest.raises(NotAllowed):
            approve(request, qin)
        with pytest.raises(NotAllowed):
            requests.end_delegation(made, acting_user=qin, at=NOW())

    def test_never_to_hr_oneself_or_backwards(self, mei, li, qin):
        for to, last in ((mei, TODAY()), (li, TODAY()), (qin, TODAY() - DAY), (None, TODAY())):
            with pytest.raises(RequestRefused):
                requests.delegate(to, first_day=TODAY(), last_day=last, acting_user=li, at=NOW())


class TestReminding:
    def test_mails_once_and_writes_it_down(self, bo, mei, li, mailoutbox):
        request = ask(bo, mei)
        reminders.remind(NOW())
        reminders.remind(NOW())
        (mail,) = mailoutbox
        assert (mail.to, bo.person.name in mail.body) == ([li.email], True)
        request.refresh_from_db()
        assert request.reminders == 1
        assert request.next_reminder_at > NOW()
        assert li.name in said("request.reminded")

    def test_names_all_that_waits_in_one_mail(self, mei, li, mirror_rows, mailoutbox):
        for row in mirror_rows(2):
            Employee.objects.filter(pk=row.employee.pk).update(leader_open_id=li.open_id)
            row.employee.refresh_from_db()
            ask(row.employee, mei)
        reminders.remind(NOW())
        assert len(mailoutbox) == 1

    def test_without_a_mail_server_is_tried_again(self, bo, mei, li, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        request = ask(bo, mei)
        reminders.remind(NOW())
        request.refresh_from_db()
        assert request.reminders == 0
        assert NOW() < request.next_reminder_at <= NOW() + timedelta(hours=1)

    def test_comes_at_30_14_7_and_0_days_and_then_every_few(self, settings):
        due = TODAY() + 20 * DAY
        at, days = NOW(), []
        for _ in range(5):
            at = requests.next_reminder(due, after=at)
            days.append((due - timezone.localdate(at)).days)
        assert days == [14, 7, 0, -settings.OVERDUE_REMINDER_DAYS, -2 * 3]

    def test_goes_to_hr_when_nobody_may_decide(self, bo, mei, mailoutbox):
        mei.email = "mei@example.com"
        mei.save()
        ask(bo, mei)
        reminders.remind(NOW())
        assert [mail.to for mail in mailoutbox] == [["mei@example.com"]]


class TestEscalating:
    def test_goes_up_the_line_after_some_days(self, bo, mei, li, above, settings):
        request = ask(bo, mei)
        reminders.escalate(NOW() + 9 * DAY)
        request.refresh_from_db()
        assert request.approver == li
        reminders.escalate(NOW() + 10 * DAY)
        request.refresh_from_db()
        assert (request.approver, request.escalations) == (above, 1)
        assert above.name in said("request.escalated")

    def test_stays_at_the_end_of_the_line(self, bo, mei, li, above):
        request = ask(bo, mei)
        for days in (10, 20, 30):
            reminders.escalate(NOW() + days * DAY)
        request.refresh_from_db()
        assert request.approver == above

    def test_what_lay_with_hr_goes_to_a_leader_who_gets_an_account(self, bo, mei, request):
        asked = ask(bo, mei)
        li = request.getfixturevalue("li")
        reminders.find_approvers(NOW())
        asked.refresh_from_db()
        assert (asked.approver, asked.held) == (li, "")


class TestTheRule:
    def test_nobody_ends_in_silence(self, mirror, mei, li, above, worker):
        """After the job: within 30 days or past it, everybody has an open request with a
        reminder to come, or a decision."""
        for days in (0, 5, 12, 40):
            at = NOW() + days * DAY
            reminders.tend(at)
            assert unattended(at) == []

    def test_lets_rest_for_some_days_what_hr_has_taken_back(self, bo, mei, li):
        Employee.objects.filter(pk=bo.pk).update(due_sort_on=TODAY())
        requests.cancel(ask(bo, mei), reason="误发", acting_user=mei, at=NOW())
        reminders.ask_by_rule(NOW() + 2 * DAY)
        assert not ConversionRequest.objects.filter(employee=bo, status="open").exists()
        reminders.ask_by_rule(NOW() + 3 * DAY)
        assert ConversionRequest.objects.filter(employee=bo, status="open").exists()

    def test_off_asks_nobody(self, mirror, settings):
        settings.AUTO_REQUEST_DAYS = 0
        reminders.tend(NOW())
        assert not ConversionRequest.objects.exists()
        assert unattended(NOW()) != []

    def test_asks_again_after_a_conversion_was_undone(self, bo, mei, li, asking, worker, mirror):
        worker(approve(ask(bo, mei), li))
        bo.refresh_from_db()
        worker(asking.ask(bo, "undo_conversion"))
        due = {"expected_conversion_on": TODAY(), "due_sort_on": TODAY()}
        Employee.objects.filter(pk=bo.pk).update(**due)
        reminders.tend(NOW())
        assert ConversionRequest.objects.filter(employee=bo, status="open").exists()


def unattended(at) -> list[Employee]:
    latest = timezone.localdate(at) + 30 * DAY
    attended = ConversionRequest.objects.filter(status="open", next_reminder_at__gt=at)
    decided = ConversionRequest.objects.filter(status__in=("approved", "declined"))
    due = probation.on_probation(Employee.objects.all()).filter(due__lte=latest)
    return list(
        due.exclude(pk__in=attended.values("employee")).exclude(pk__in=decided.values("employee"))
    )


@pytest.fixture
def mirror_rows(mirror, mei):
    """`mirror_rows(3)`: rows of three who are in Hire only."""

    def rows(count: int):
        some = Employee.objects.filter(
            onboard_status="onboarded", conversion_status="not_converted", employment_id=""
        ).order_by("-pk")[:count]
        ids = [employee.pk for employee in some]
        found = probation.chosen_on_probation(mei, ids, today=TODAY())
        return sorted(found, key=lambda row: -row.employee.pk)

    return rows
