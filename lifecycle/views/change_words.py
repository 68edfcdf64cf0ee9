"""What the page of a status change says: where it stands, what happens next, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from lifecycle import queries
from lifecycle.change_states import ChangeStatus
from lifecycle.changes import guards, kinds
from lifecycle.errors import feishu_codes
from lifecycle.errors.problems import NOTICES
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Approval, Attempt, StatusChange, WritesSwitch
from lifecycle.templatetags.portal import day, minute, words

# How often a page looks again while a change is open.
QUICKLY = "every 1s"
SLOWLY = "every 5s"
RARELY = "every 30s"


@dataclass(frozen=True, slots=True)
class Step:
    """One station of a change. `state`: done, now, todo, problem or skipped."""

    label: str
    state: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """The state of a change in plain words: what is so, what comes next, what to do."""

    headline: str
    text: str = ""
    advice: str = ""


def steps_of(
    change: StatusChange, attempts: list[Attempt], approvals: list[Approval]
) -> list[Step]:
    """The stations from the confirmation to the end."""
    sent_at = attempts[0].started_at if attempts else None
    return [
        Step(_("Confirmed"), "done", change.created_at),
        *_approval_steps(change, approvals),
        Step(_("Sent to Feishu"), _sending_state(change, attempts), sent_at),
        Step(_answer_label(change), _answer_state(change, attempts), _answered_at(attempts)),
        Step(_end_label(change), _end_state(change), change.finished_at),
    ]


def _approval_steps(change: StatusChange, approvals: list[Approval]) -> list[Step]:
    """The station of the second person, for a change that needed one."""
    label = _("Second person")
    if approvals:
        last = approvals[-1]
        return [Step(label, "problem" if last.is_rejection else "done", last.decided_at)]
    if change.is_pending:
        return [Step(label, "now")]
    gave_up = change.problem == guards.DAILY_LIMIT or change.status == ChangeStatus.EXPIRED
    return [Step(label, "skipped")] if gave_up else []


def _sending_state(change: StatusChange, attempts: list[Attempt]) -> str:
    if change.status == ChangeStatus.IN_FLIGHT or change.is_waiting:
        return "now"
    if attempts:
        return "done"
    return "skipped" if change.is_final or change.needs_attention else "todo"


def _answer_label(change: StatusChange) -> str:
    if change.is_verifying:
        return _("Checking with Feishu")
    if change.needs_attention:
        return _("Needs a decision")
    if change.settled_via == StatusChange.Via.READBACK:
        return _("Read back from Feishu")
    return _("Feishu's answer")


def _answer_state(change: StatusChange, attempts: list[Attempt]) -> str:
    if change.needs_attention:
        return "problem"
    if change.is_verifying:
        return "now"
    if change.is_open:
        return "todo"
    return "done" if attempts else "skipped"


def _answered_at(attempts: list[Attempt]) -> datetime | None:
    return attempts[-1].finished_at if attempts else None


def _end_label(change: StatusChange) -> str:
    return change.get_status_display() if change.is_final else pgettext("final step", "Done")


def _end_state(change: StatusChange) -> str:
    if change.is_open:
        return "todo"
    if change.is_done:
        return "done"
    return "problem" if change.is_failed else "skipped"


def story_of(
    change: StatusChange, *, was_sent: bool, at: datetime, stop: WritesSwitch | None = None
) -> Story:
    """One headline and one or two sentences for the present state. `stop`: the one in force."""
    if change.status == ChangeStatus.CANCELLED:
        return _tell_cancelled(was_sent=was_sent)
    if change.is_waiting and stop is not None:
        return _tell_held(change, at, stop)
    tell = {
        ChangeStatus.PENDING: _tell_pending,
        ChangeStatus.APPROVED: _tell_waiting,
        ChangeStatus.IN_FLIGHT: _tell_sending,
        ChangeStatus.VERIFYING: _tell_verifying,
        ChangeStatus.NEEDS_ATTENTION: _tell_attention,
        ChangeStatus.SUCCEEDED: _tell_done,
        ChangeStatus.FAILED: _tell_failed,
        ChangeStatus.REJECTED: _tell_rejected,
        ChangeStatus.EXPIRED: _tell_expired,
    }[ChangeStatus(change.status)]
    return tell(change, at)


def _tell_pending(change: StatusChange, at: datetime) -> Story:
    return _story_of_problem(change, _("Awaiting a second person"))


def _tell_held(change: StatusChange, at: datetime, stop: WritesSwitch) -> Story:
    since = {
        "at": minute(stop.stopped_at),
        "name": stop.stopped_by.name if stop.stopped_by else _("the command line"),
    }
    goes_on = _("It goes on by itself, in its order, once an administrator lets writing go on.")
    if change.effective_at > at:
        text = _("Besides, writing to Feishu is stopped since %(at)s by %(name)s.") % since
        return Story(_("Waiting for %(day)s") % {"day": day(change.effective_at)}, text, goes_on)
    text = _("Waits because writing to Feishu is stopped since %(at)s by %(name)s.") % since
    return Story(_("Held up"), text, goes_on)


def _calls_a_minute(change: StatusChange) -> int | None:
    """Feishu's own limit, when it counts by the minute alone."""
    windows = kinds.kind_named(change.kind).endpoint.windows
    return windows[0].calls if len(windows) == 1 and windows[0].seconds == 60 else None


def _tell_waiting(change: StatusChange, at: datetime) -> Story:
    if change.effective_at > at and not queries.is_moving(change, at=at):
        return Story(
            _("Waiting for %(day)s") % {"day": day(change.effective_at)},
            _("The portal sends it to Feishu on that day. Until then you can cancel it."),
        )
    if change.problem == "feishu.busy" and (calls := _calls_a_minute(change)):
        return Story(
            change.get_status_display(),
            _("Feishu takes %(calls)s of these a minute; it is sent as soon as there is room.")
            % {"calls": calls},
        )
    if change.problem and change.problem != guards.WRITES_STOPPED:
        return _story_of_problem(change, change.get_status_display())
    return Story(
        _("About to be sent"),
        _("It is next in line. You may leave this page: it goes on without you."),
    )


def _tell_sending(change: StatusChange, at: datetime) -> Story:
    return Story(
        _("Sending to Feishu"),
        _("The request is on its way. You may leave this page: it goes on without you."),
    )


def _tell_verifying(change: StatusChange, at: datetime) -> Story:
    return Story(
        _("Checking with Feishu whether it took effect"),
        _(
            "The request was sent, but no clear answer came back. It is not sent again while"
            " this is unclear: the portal reads the record in Feishu instead. Please do not"
            " repeat it, here or in Feishu."
        ),
    )


def _tell_attention(change: StatusChange, at: datetime) -> Story:
    return _story_of_problem(change, _("A person has to decide how this ended"))


def _tell_done(change: StatusChange, at: datetime) -> Story:
    notes = {
        "": "",
        StatusChange.Via.ANSWER: _("Feishu confirmed it."),
        StatusChange.Via.ALREADY: _("It was already so in Feishu, so nothing was sent."),
        StatusChange.Via.READBACK: _(
            "No clear answer came back, so the portal read the record in Feishu: it has taken"
            " effect."
        ),
        StatusChange.Via.BY_HAND: _("A colleague checked in Feishu and settled it by hand."),
    }
    outcome = kinds.kind_named(change.kind).outcome_sentence(change)
    return Story(words(outcome), notes[change.settled_via])


def _tell_failed(change: StatusChange, at: datetime) -> Story:
    if change.settled_via == StatusChange.Via.BY_HAND:
        return Story(
            _("Not done"), _("A colleague checked in Feishu and found that it did not take effect.")
        )
    return _story_of_problem(change, _("Not done"))


def _tell_rejected(change: StatusChange, at: datetime) -> Story:
    return Story(_("Rejected"), _("Nothing was sent to Feishu."))


def _tell_cancelled(*, was_sent: bool) -> Story:
    sent = _("Nothing was sent to Feishu.")
    return Story(_("Cancelled"), _("Nothing took effect in Feishu.") if was_sent else sent)


def _tell_expired(change: StatusChange, at: datetime) -> Story:
    return _story_of_problem(change, _("Void"))


def problem_of(change: StatusChange) -> Notice | None:
    """Our own notice for why it waits, failed or needs a person."""
    return NOTICES.get(change.problem)


def _story_of_problem(change: StatusChange, headline: str) -> Story:
    notice = problem_of(change)
    if notice is None:
        return Story(headline)
    return Story(headline, words(notice.sentence), words(notice.advice))


def refusal_of(change: StatusChange) -> Notice | None:
    """Feishu's code in the words of HR; None for a code nobody documented."""
    endpoint = kinds.kind_named(change.kind).endpoint.key
    row = feishu_codes.lookup(endpoint, change.feishu_code)
    if row is None:
        return None
    return Notice(
        f"feishu.{row.code}",
        Words(row.sentence_zh, row.sentence_en),
        Words(row.advice_zh, row.advice_en),
    )


def watch_interval(change: StatusChange, *, at: datetime, stop: WritesSwitch | None = None) -> str:
    """The htmx trigger that looks at an open change again; empty when nothing will move."""
    if change.is_final or change.needs_attention:
        return ""
    if change.is_verifying or (stop is not None and change.is_waiting):
        return SLOWLY
    return QUICKLY if queries.is_moving(change, at=at) else RARELY


def stamp_of(
    change: StatusChange, attempts: list[Attempt], stop: WritesSwitch | None = None
) -> str:
    """Changes whenever the page would read differently, so that an unchanged one is left alone."""
    if stop is not None and stop.stopped_at is not None and change.is_waiting:
        # When it is looked at next says nothing then, and is not shown.
        return f"{change.version}-stopped-{int(stop.stopped_at.timestamp())}"
    next_run = int(change.next_run_at.timestamp()) if change.next_run_at else 0
    finished = sum(1 for attempt in attempts if attempt.finished_at)
    return f"{change.version}-{change.reads}-{len(attempts)}-{finished}-{next_run}"


@dataclass(frozen=True, slots=True)
class Compared:
    """One fact as it was when confirmed, as it was wanted, and as Feishu shows it now."""

    label: str
    before: str
    wanted: str
    now: str

    @property
    def is_as_wanted(self) -> bool:
        return self.now == self.wanted


def comparison_of(change: StatusChange) -> list[Compared]:
    """Before, wanted and now, for a person who has to decide; empty when nothing was read."""
    if not isinstance(change.observed, dict):
        return []
    kind = kinds.kind_named(change.kind)
    wanted = {
        field["label"]["en"]: words(field["after"]) for field in change.plan.get("fields", [])
    }
    rows = []
    for before, now in zip(
        kind.shown_facts(change.pre_image), kind.shown_facts(change.observed), strict=True
    ):
        aim = str(wanted.get(before.label.en, words(before.value)))
        row = Compared(words(before.label), words(before.value), aim, words(now.value))
        if (row.before, row.wanted, row.now) != ("—", "—", "—"):
            rows.append(row)
    return rows
