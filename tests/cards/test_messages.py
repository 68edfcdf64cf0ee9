"""Cards are written down, sent once whatever happens on the way, and show what has become."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_init
from django.utils import timezone

from lifecycle import action_log, jobs
from lifecycle.errors.problems import MessageRefused, NotAllowed
from lifecycle.models import ActionEntry, ConversionRequest, FeishuMessage, LogCheckpoint
from lifecycle.sandbox.card_shape import checked
from lifecycle.services import cards, messages, reminders, requests
from tests.cards.conftest import later, the_message, told, words_of

pytestmark = pytest.mark.django_db
NOW = timezone.now


class TestTelling:
    def test_a_card_with_the_facts_and_the_buttons(self, asked, feishu, li, bo, mei):
        card = words_of(feishu.card(li)["card"])
        for words in (bo.person.name, str(asked.due_on), mei.name, "表现优秀", "Note by HR"):
            assert words in card
        for words in ("同意转正", "延长试用期", "不予转正", "https://hr.example.com/inbox/"):
            assert words in card
        assert mail.outbox == []
        entry = ActionEntry.objects.get(event="request.reminded")
        assert action_log.data_in(entry.body)["messaged"] is True

    def test_shows_nothing_the_inbox_does_not(self, asked, feishu, li, bo):
        card = words_of(feishu.card(li)["card"])
        assert bo.feishu_id not in card
        assert "ou_" not in card
        assert asked.pre_image_hash not in card

    def test_what_people_typed_is_no_markup(self, bo, mei, li, feishu):
        note = "<at id=all></at> [x](https://evil.example) **!**"
        requests.ask(bo, acting_user=mei, at=NOW(), note=note)
        told()
        card = words_of(feishu.card(li)["card"])
        assert "<at" not in card
        assert "](" not in card

    def test_off_is_the_mail_as_before(self, bo, mei, li, feishu, settings):
        settings.FEISHU_MESSAGES = False
        li.email = "li@example.com"
        li.save()
        requests.ask(bo, acting_user=mei, at=NOW())
        told()
        assert feishu.cards(li) == []
        assert len(mail.outbox) == 1

    def test_both_when_wanted(self, bo, mei, li, feishu, settings):
        settings.REQUEST_EMAILS = "always"
        li.email = "li@example.com"
        li.save()
        requests.ask(bo, acting_user=mei, at=NOW())
        told()
        assert len(feishu.cards(li)) == len(mail.outbox) == 1

    def test_a_reminder_is_a_new_card_and_the_old_one_says_so(self, asked, feishu, li):
        ConversionRequest.objects.update(next_reminder_at=NOW())
        told()
        assert len(feishu.cards(li)) == 1
        FeishuMessage.objects.update(created_at=NOW() - messages.FRESH)
        ConversionRequest.objects.update(next_reminder_at=NOW())
        told()
        old, new = feishu.cards(li)
        assert "已有新的提醒" in words_of(old["card"])
        assert "提醒 · " in words_of(new["card"])
        assert "button" not in words_of(old["card"])

    def test_whoever_stands_in_has_a_card_too(self, asked, feishu, li, qin):
        today = timezone.localdate()
        requests.delegate(qin, first_day=today, last_day=today, acting_user=li, at=NOW())
        told()
        assert f"您代{li.name}决定" in words_of(feishu.card(qin)["card"])

    def test_is_not_sent_when_decided_before(self, bo, mei, li, feishu):
        request = requests.ask(bo, acting_user=mei, at=NOW())
        reminders.remind(NOW())
        requests.cancel(request, reason="x", acting_user=mei, at=NOW())
        messages.send_due(NOW())
        assert feishu.cards(li) == []
        assert the_message().state == "dropped"


class TestOneEffect:
    @pytest.mark.parametrize(
        "fault", ["drop_after", "reset_after", "error_after", "garbage", "truncated_body", "late"]
    )
    def test_a_lost_answer_is_one_message(self, bo, mei, li, feishu, fault):
        feishu.control.fault(fault, endpoint="M1", delay_s=0)
        requests.ask(bo, acting_user=mei, at=NOW())
        told()
        waiting = the_message()
        assert (waiting.state, waiting.attempts) == ("waiting", 1)
        messages.send_due(later(1))
        message = the_message()
        assert message.state == "sent"
        assert message.message_id == feishu.card(li)["id"]
        sent = [r["body"] for r in feishu.control.requests(writes=True)]
        assert len(sent) == 2
        assert sent[0]["uuid"] == sent[1]["uuid"] == str(message.uuid)

    def test_never_repeated_when_feishu_may_have_forgotten(self, bo, mei, li, feishu):
        feishu.control.fault("drop_after", endpoint="M1", times=None)
        requests.ask(bo, acting_user=mei, at=NOW())
        reminders.remind(NOW())
        at = NOW()
        for _ in range(12):
            messages.send_due(at)
            at += timedelta(minutes=7)
        message = the_message()
        assert (message.state, message.problem) == ("failed", "message.no-answer")
        assert at - message.created_at > timedelta(hours=1)
        last = messages.REPEATABLE + timedelta(minutes=1)
        assert len(feishu.control.requests(writes=True)) <= len(messages.SILENT_WAITS) + 1
        assert last < timedelta(hours=1)
        assert len(feishu.cards(li)) == 1

    def test_never_repeated_by_a_worker_that_was_away(self, bo, mei, li, feishu):
        feishu.control.fault("drop_after", endpoint="M1")
        requests.ask(bo, acting_user=mei, at=NOW())
        told()
        messages.send_due(later(120))
        message = the_message()
        assert (message.state, message.problem) == ("failed", "message.no-answer")
        assert len(feishu.control.requests(writes=True)) == 1

    def test_never_repeated_after_a_worker_that_died_while_sending(self, bo, mei, li, feishu):
        requests.ask(bo, acting_user=mei, at=NOW())
        reminders.remind(NOW())
        with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(die_noting_the_answer):
            messages.send_due(NOW())
        assert len(feishu.cards(li)) == 1
        messages.send_due(later(120))
        message = the_message()
        assert (message.state, message.problem) == ("failed", "message.no-answer")
        assert len(feishu.control.requests(writes=True)) == 1

    def test_a_late_refusal_does_not_undo_what_a_press_has_shown(self, bo, mei, li, feishu):
        feishu.control.fault("drop_after", endpoint="M1")
        requests.ask(bo, acting_user=mei, at=NOW())
        told()
        waiting = FeishuMessage.objects.select_related(*messages.RELATED).get()
        feishu.press(li, "approve")
        messages._not_delivered(waiting, "message.refused", at=NOW())
        assert the_message().state == "sent"
        assert not ActionEntry.objects.filter(event="message.undelivered").exists()

    @pytest.mark.parametrize("fault", ["throttle", "expired_token"])
    def test_waits_without_using_up_attempts(self, bo, mei, li, feishu, fault):
        feishu.control.fault(fault, endpoint="M1", delay_s=0)
        requests.ask(bo, acting_user=mei, at=NOW())
        told()
        assert the_message().attempts == 0
        messages.send_due(later(2))
        assert the_message().state == "sent"

    def test_two_workers_send_one(self, bo, mei, li, feishu):
        requests.ask(bo, acting_user=mei, at=NOW())
        reminders.remind(NOW())
        at = NOW()
        stale = FeishuMessage.objects.select_related(*messages.RELATED).get()
        messages.send_due(at)
        assert messages._send(stale, at)
        assert len(feishu.control.requests(writes=True)) == 1

    def test_goes_out_with_the_queue_dead(self, bo, mei, li, feishu):
        requests.ask(bo, acting_user=mei, at=NOW())
        reminders.remind(NOW())
        jobs.sweep()
        assert the_message().state == "sent"


def die_noting_the_answer(execute, sql, params, many, context):
    """The process is killed after Feishu has the message and before we know."""
    if sql.startswith('UPDATE "lifecycle_feishumessage"') and '"sent_at"' in sql:
        raise KeyboardInterrupt
    return execute(sql, params, many, context)


class TestUndelivered:
    def fail(self, feishu, li, bo, mei, **tenant_settings) -> FeishuMessage:
        feishu.control.settings(**tenant_settings)
        requests.ask(bo, acting_user=mei, at=NOW())
        told()
        return the_message()

    def test_is_kept_with_its_code_and_logged(self, feishu, li, bo, mei):
        message = self.fail(feishu, li, bo, mei, unreachable=[li.open_id])
        assert (message.state, message.code) == ("failed", 230013)
        entry = ActionEntry.objects.get(event="message.undelivered")
        assert f"发给{li.name}的飞书消息没有送达" in action_log.sentence(entry).zh

    def test_goes_by_mail_instead(self, feishu, li, bo, mei):
        li.email = "li@example.com"
        li.save()
        self.fail(feishu, li, bo, mei, blocked_by=[li.open_id])
        assert mail.outbox == []
        told()
        told()
        assert len(mail.outbox) == 1

    def test_without_any_address_is_visible(self, feishu, li, bo, mei):
        request = requests.ask(bo, acting_user=mei, at=NOW())
        type(li).objects.filter(pk=li.pk).update(open_id="")
        told()
        ConversionRequest.objects.update(next_reminder_at=NOW())
        told()
        message = the_message()
        assert (message.state, message.problem) == ("unreachable", "message.no-address")
        assert message.request == request

    def test_is_sent_again_once_by_hr(self, feishu, li, bo, mei, hua):
        message = self.fail(feishu, li, bo, mei, unreachable=[li.open_id])
        feishu.control.settings(unreachable=[])
        again = messages.send_again(message, acting_user=hua, at=NOW())
        with pytest.raises(MessageRefused):
            messages.send_again(message, acting_user=mei, at=NOW())
        messages.send_due(NOW())
        again.refresh_from_db()
        assert again.state == "sent"
        assert again.uuid != message.uuid
        assert len(feishu.cards(li)) == 1
        entry = ActionEntry.objects.get(event="message.sent_again")
        assert action_log.sentence(entry).zh.startswith(f"{hua.name}再次向{li.name}")

    def test_is_for_hr_alone(self, feishu, li, bo, mei, ana):
        message = self.fail(feishu, li, bo, mei, unreachable=[li.open_id])
        for user in (li, ana):
            with pytest.raises(NotAllowed):
                messages.send_again(message, acting_user=user, at=NOW())

    def test_who_tried_in_vain_to_send_it_again_is_in_the_log(
        self, feishu, li, bo, mei, hua, client
    ):
        message = self.fail(feishu, li, bo, mei, unreachable=[li.open_id])
        messages.send_again(message, acting_user=hua, at=NOW())
        client.force_login(mei)
        address = f"/probation/messages/{message.pk}/again/"
        assert client.post(address).status_code == 409
        type(mei).objects.filter(pk=mei.pk).update(department_ids=["od-elsewhere"])
        assert client.post(address).status_code == 404
        refused = ActionEntry.objects.filter(event="user.refused").order_by("seq")
        assert [action_log.data_in(entry.body)["problem"] for entry in refused] == [
            "message.not-again",
            "person.not-found",
        ]
        assert {entry.person_ref for entry in refused} == {bo.person_id}

    @pytest.mark.parametrize("page", ["/probation/", "/sync/"])
    def test_is_shown_to_hr_with_what_to_do(self, feishu, li, bo, mei, client, page):
        self.fail(feishu, li, bo, mei, unreachable=[li.open_id])
        client.force_login(mei)
        text = client.get(page).content.decode()
        assert "230013" in text
        if page == "/probation/":
            assert "把此人加入应用的可用范围" in text
            assert "再次发送" in text
            message = the_message()
            answer = client.post(f"/probation/messages/{message.pk}/again/")
            assert answer.status_code == 303
            assert FeishuMessage.objects.filter(follows=message).exists()


class TestOutcome:
    def test_decided_on_the_page_the_card_turns(self, asked, feishu, li, worker):
        change = requests.approve(
            asked,
            day=timezone.localdate(),
            pre_image_hash=asked.pre_image_hash,
            acting_user=li,
            at=NOW(),
        )
        messages.update_due(NOW())
        assert "将在当天发送到飞书" in words_of(feishu.card(li)["card"])
        worker(change)
        messages.update_due(NOW())
        card = words_of(feishu.card(li)["card"])
        assert "已在飞书生效" in card
        assert "button" not in card
        assert the_message().is_settled
        feishu.control.clear_requests()
        messages.update_due(NOW())
        assert feishu.control.requests() == []

    @pytest.mark.parametrize(
        ("step", "said"),
        [("cancel", "HR 已撤回"), ("reassign", "已改由他人决定"), ("void", "此审批已作废")],
    )
    def test_of_what_hr_or_feishu_did(self, asked, feishu, li, qin, mei, step, said):
        if step == "cancel":
            requests.cancel(asked, reason="x", acting_user=mei, at=NOW())
        elif step == "reassign":
            requests.reassign(asked, to=qin, reason="x", acting_user=mei, at=NOW())
        else:
            requests.give_up(asked, ConversionRequest.Void.OVERTAKEN, at=NOW())
        told()
        assert said in words_of(feishu.card(li)["card"])
        assert len(feishu.cards(qin)) == (step == "reassign")

    def test_decided_before_the_lost_answer_was_made_up_for(self, bo, mei, li, feishu):
        feishu.control.fault("drop_after", endpoint="M1")
        request = requests.ask(bo, acting_user=mei, at=NOW())
        told()
        requests.cancel(request, reason="x", acting_user=mei, at=NOW())
        told(at=later(1))
        assert "撤回" in words_of(feishu.card(li)["card"])

    def test_one_that_cannot_be_made_holds_up_no_other(self, asked, feishu, li, mei):
        FeishuMessage.objects.update(message_id="om_1/../2")
        requests.cancel(asked, reason="x", acting_user=mei, at=NOW())
        assert messages.update_due(NOW()) == 1
        assert the_message().is_settled

    def test_reads_none_while_the_question_stands(self, asked, feishu, li, mei):
        read: list[FeishuMessage] = []

        def note(instance: FeishuMessage, **_: object) -> None:
            read.append(instance)

        post_init.connect(note, sender=FeishuMessage)
        try:
            messages.update_due(NOW())
            assert read == []
            requests.cancel(asked, reason="x", acting_user=mei, at=NOW())
            messages.update_due(NOW())
            assert len(read) == 1
        finally:
            post_init.disconnect(note, sender=FeishuMessage)

    def test_is_tried_again_when_feishu_is_silent(self, asked, feishu, li, mei):
        requests.cancel(asked, reason="x", acting_user=mei, at=NOW())
        feishu.control.fault("drop_before", endpoint="M2")
        messages.update_due(NOW())
        assert "撤回" not in words_of(feishu.card(li)["card"])
        messages.update_due(later(3))
        assert "撤回" in words_of(feishu.card(li)["card"])

    def test_is_given_up_when_the_message_is_gone(self, asked, feishu, li, mei):
        feishu.control.patch("messages", feishu.card(li)["id"], state="recalled")
        requests.cancel(asked, reason="x", acting_user=mei, at=NOW())
        messages.update_due(NOW())
        assert the_message().is_settled

    def test_of_a_card_older_than_14_days_is_left(self, asked, feishu, li, mei):
        requests.cancel(asked, reason="x", acting_user=mei, at=NOW())
        feishu.control.clear_requests()
        messages.update_due(NOW() + timedelta(days=15))
        assert feishu.control.requests() == []
        assert the_message().is_settled


class TestCheckpoints:
    def test_go_to_the_auditors_chat_once_in_a_while(self, mirror, feishu, mei, settings, tmp_path):
        settings.LOG_SIGNING_KEY_FILE = str(tmp_path / "key.pem")
        call_command("make_log_key", settings.LOG_SIGNING_KEY_FILE)
        settings.LOG_CHECKPOINT_CHAT = "oc_auditors"
        action_log.record("user.signed_in", actor=mei)
        jobs.sign_checkpoints()
        jobs.sign_checkpoints()
        messages.send_due(NOW())
        (message,) = feishu.control.messages("oc_auditors")
        exported = json.loads(json.loads(message["content"])["text"])
        assert json.loads(exported["checkpoint"])["size"] == LogCheckpoint.objects.get().size
        assert the_message().state == "sent"


def test_every_face_of_a_card_is_one_feishu_takes(asked, feishu, li, qin, mei):
    """The sandbox refuses what JSON 2.0 does not know."""
    message = FeishuMessage.objects.select_related(*messages.RELATED).get()
    for face in (cards.OPEN, cards.MOVED, cards.SUPERSEDED):
        checked(cards.card_of(message, face, at=NOW()))
    for status in ConversionRequest.Status:
        message.request.status = status
        message.request.closed_at = NOW()
        message.request.decided_by = li
        message.request.extended_to = timezone.localdate()
        if status != "open":
            checked(cards.card_of(message, cards.closed_face(message.request), at=NOW()))
