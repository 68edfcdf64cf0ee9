"""What Feishu answered, beside the entries of the log that were made from it."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from lifecycle import action_log
from lifecycle.changes.responses import CUT, MOST, beside
from lifecycle.evidence.pack import private_of
from lifecycle.models import ActionEntry, StatusChange
from lifecycle.remote import Outcome, SendResult
from tests.views.conftest import _a_browser_on_this_machine, as_user

__all__ = ["_a_browser_on_this_machine", "as_user"]

A2 = "A2"


def said(change: StatusChange, event: str) -> tuple[ActionEntry, str | None]:
    """The newest entry of this event and the answer beside it."""
    entry = ActionEntry.objects.filter(change_id=change.pk, event=event).order_by("-seq")[0]
    return entry, action_log.private_values(entry).get("response")


@pytest.mark.django_db
class TestBesideAnEntry:
    def test_of_a_success_is_shown_and_packed(self, asking, bo, mirror, worker, as_user, ana):
        change = worker(asking.ask(bo))
        entry, response = said(change, "change.succeeded")
        answer = json.loads(response)
        assert answer["code"] == 0
        assert answer["data"]["employee"]["id"] == bo.feishu_id
        assert response not in entry.body
        assert private_of([entry])[entry.seq]["response"]["value"] == response
        page = as_user(ana).get(reverse("log-entry", args=[entry.seq])).text
        assert "Feishu&#x27;s answer" in page or "Feishu's answer" in page or "飞书的答复" in page
        assert bo.feishu_id in page.split("</dl>")[0]

    def test_of_a_refusal_holds_its_words(self, asking, bo, mirror, worker):
        mirror.fault("code", endpoint=A2, code=1002902, http_status=400)
        change = worker(asking.ask(bo))
        _, response = said(change, "change.failed")
        answer = json.loads(response)
        assert (answer["code"], answer["msg"]) == (1002902, change.feishu_msg)

    def test_of_a_throttle(self, asking, bo, mirror, worker):
        mirror.fault("throttle", endpoint=A2)
        _, response = said(worker(asking.ask(bo)), "change.postponed")
        assert json.loads(response)["code"] != 0

    def test_that_makes_no_sense_is_kept_as_it_came(self, asking, bo, mirror, worker):
        mirror.fault("garbage", endpoint=A2)
        change = worker(asking.ask(bo))
        _, response = said(change, "change.verifying")
        assert response
        assert response == change.attempts.get().evidence[:MOST]

    def test_is_absent_when_none_came(self, asking, bo, mirror, worker):
        mirror.fault("drop_after", endpoint=A2)
        assert said(worker(asking.ask(bo)), "change.verifying")[1] is None


class TestText:
    def test_masks_contact_data_at_any_depth(self):
        data = {
            "employee": {
                "id": "7",
                "phone_list": [{"number": "13812341234"}, {"number": 13812341234}],
                "work_email": "lin.wei@example.com",
                "bank_account_list": [{"bank_account_number": "6222021234567890123"}],
                "national_id_number_list": ["110101199003078515"],
                "mobile": "",
                "is_email_shown": True,
            }
        }
        text = beside(SendResult(Outcome.APPLIED, http_status=200, code=0, data=data))["response"]
        assert json.loads(text)["data"]["employee"] == {
            "id": "7",
            "phone_list": [{"number": "138****1234"}] * 2,
            "work_email": "l***@example.com",
            "bank_account_list": [{"bank_account_number": "***"}],
            "national_id_number_list": ["***"],
            "mobile": "",
            "is_email_shown": True,
        }

    @pytest.mark.parametrize(
        "result",
        [
            SendResult(Outcome.APPLIED, code=0, data={"note": "字" * MOST}),
            SendResult(Outcome.UNKNOWN, http_status=502, evidence="x" * 4096),
            SendResult(Outcome.UNKNOWN, http_status=502, evidence="字" * 1365),
        ],
    )
    def test_is_cut_and_says_so(self, result):
        text = beside(result)["response"]
        assert text.endswith(CUT)
        assert len(text) <= MOST + len(CUT)

    def test_as_long_as_may_be_is_whole(self):
        result = SendResult(Outcome.UNKNOWN, http_status=502, evidence="x" * MOST)
        assert beside(result) == {"response": "x" * MOST}

    def test_is_nothing_without_an_answer(self):
        assert beside(SendResult(Outcome.NOT_SENT, problem="no-connection")) == {}
