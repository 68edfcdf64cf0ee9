"""Every verb, planned and confirmed as a person does, and carried out by the second server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lifecycle import action_log
from lifecycle.changes.kinds import ALL, kind_named
from lifecycle.errors.problems import ChangeBlocked

from .server import SecondServer
from .verbs import VERBS, Verb

pytestmark = pytest.mark.thorough

LATER = timedelta(minutes=2)


def ours(verb: Verb, theirs):
    """The mirrored row of a record of the server."""
    return kind_named(verb.kind).subject.find(theirs.id)


@pytest.fixture
def theirs(verb: Verb, synced: SecondServer):
    """A record in Feishu that the verb fits."""
    return verb.fits(synced.company)


@pytest.fixture
def plan(verb: Verb, theirs, synced: SecondServer, asking):
    return asking.plan(ours(verb, theirs), verb.kind, **verb.values(synced.company))


@pytest.mark.parametrize("verb", [VERBS[kind] for kind in ALL], ids=str)
class TestVerb:
    def test_is_done_once_and_as_the_page_says(self, verb, theirs, plan, synced, asking, worker):
        assert not plan.is_blocked, plan.blockers
        assert synced.writes == []
        wanted = verb.body(synced.company, theirs)
        change = worker(asking.confirm(plan))
        assert change.status == "succeeded", change
        (sent,) = synced.writes
        assert (sent.name, sent.code, sent.body) == (verb.endpoint, 0, wanted)
        assert tuple(sorted(sent.query)) == verb.query
        (effect,) = synced.effects
        assert (effect.id, effect.done) == (theirs.id, verb.done)
        assert verb.after(synced.company, theirs)
        assert change.settled_via == "answer"
        worker(change, later=LATER)
        assert len(synced.writes) == 1
        assert all(check.bad_seq is None for check in action_log.verify())

    def test_a_refusal_is_final_and_changes_nothing(
        self, verb, theirs, plan, synced, asking, worker
    ):
        change = asking.confirm(plan)
        verb.prevent(synced.company, theirs)
        change = worker(change)
        assert change.status == "failed"
        assert [request.code for request in synced.writes] == [verb.code]
        assert synced.effects == []
        assert change.attempts.get().feishu_code == verb.code
        worker(change, later=LATER)
        assert len(synced.writes) == 1

    def test_what_a_rule_forbids_is_never_sent(self, verb, synced, asking, worker):
        theirs = verb.forbidden(synced.company)
        values = (verb.forbidden_values or verb.values)(synced.company)
        plan = asking.plan(ours(verb, theirs), verb.kind, **values)
        assert plan.is_blocked
        with pytest.raises(ChangeBlocked):
            asking.confirm(plan)
        assert synced.writes == []
        assert synced.effects == []

    @pytest.mark.parametrize("done", [True, False], ids=["done", "not-done"])
    def test_silence_is_settled_by_reading_back(
        self, verb, theirs, plan, synced, asking, worker, done
    ):
        change = asking.confirm(plan)
        synced.keep_silent(verb.endpoint, after_doing_it=done)
        change = worker(change)
        assert change.status == "verifying"
        for minutes in range(1, 8):
            change = worker(change, later=minutes * LATER)
        if not verb.can_be_read_back:
            assert (change.status, len(synced.writes)) == ("needs_attention", 1)
            return
        assert change.status == "succeeded", change.problem
        assert len(synced.effects) == 1
        assert len(synced.writes) == (1 if done else 2)
        assert verb.after(synced.company, theirs)


class TestWhatThePagesLeaveOpen:
    """Feishu may go either way here; the change is done all the same, and once."""

    @pytest.mark.parametrize(
        ("kind", "either_way"),
        [
            (kind, either_way)
            for kind, either_way in (
                ("mark_talent_left", "left_talents_stay_onboarded"),
                ("restore_to_pre_hire", "restored_employees_stay"),
            )
            if kind in ALL
        ],
    )
    def test_is_taken_as_it_comes(self, kind, either_way, synced, asking, worker):
        verb = VERBS[kind]
        setattr(synced.company, either_way, True)
        theirs = verb.fits(synced.company)
        plan = asking.plan(ours(verb, theirs), kind, **verb.values(synced.company))
        change = worker(asking.confirm(plan))
        assert change.status == "succeeded"
        assert [effect.done for effect in synced.effects] == [verb.done]
        row = ours(verb, theirs)
        # Off the lists, or no more to be done with it.
        assert row is None or asking.plan(row, kind, **verb.values(synced.company)).is_blocked
        assert len(synced.writes) == 1
