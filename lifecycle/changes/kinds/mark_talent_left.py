"""Mark a talent as left (离职): A1 operation 2. It does not take operation 1 back."""

from __future__ import annotations

from datetime import datetime

from lifecycle import mirror, remote, rules
from lifecycle.changes.kinds.base import Facts
from lifecycle.changes.kinds.forms import MarkTalentLeftForm
from lifecycle.changes.kinds.talent_status import HAS_LEFT, TalentStatusKind, sent_day
from lifecycle.errors.words import Notice, Words
from lifecycle.models import StatusChange, Talent


class MarkTalentLeft(TalentStatusKind):
    name = "mark_talent_left"
    url_name = "mark-talent-left"
    step = "mark-left"
    title = Words("标记为已离职", "Mark as left")
    explanation = Words(
        "在飞书招聘的人才库中把已入职的人才标记为已离职。",
        "Marks an onboarded talent as left in the talent pool of Feishu Hire.",
    )
    form_class = MarkTalentLeftForm
    undo = Words(
        "不能撤销：已离职的人才不能再标记入职，只能重新走招聘流程。",
        "It cannot be taken back: a talent who has left cannot be onboarded again and has to go"
        " through recruiting.",
    )
    icon = "user-x"
    operation = remote.writes.TalentOperation.OFFBOARD
    day_name = "left_on"
    day_label = Words("离职日期", "Last day")
    becomes = HAS_LEFT
    may_repeat = False
    shows_result = False
    for_good = Notice(
        "plan.mark-left-for-good",
        Words(
            "这不是撤销入职：标记为已离职后，该人才不能再标记为已入职。",
            "This does not take the onboarding back: once marked as left, the talent cannot be"
            " marked as onboarded any more.",
        ),
        Words(
            "这个人以后要再入职，需要重新走招聘流程。请确认确实已经离职。",
            "To join again, the person has to go through recruiting. Make sure that the person"
            " has really left.",
        ),
    )

    def is_legal(self, talent: Talent) -> bool:
        return rules.can_mark_talent_left(
            is_onboarded=talent.is_onboarded, has_left=talent.has_left
        )

    def refused_because(self, talent: Talent) -> Words:
        if talent.has_left:
            return Words("该人才已经标记为已离职。", "The talent is already marked as left.")
        return Words(
            "该人才没有入职，不能标记为已离职。",
            "The talent is not onboarded and so cannot be marked as left.",
        )

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        """Nothing that Feishu hands out shows it."""
        return False

    def applied(self, change: StatusChange, *, at: datetime) -> None:
        mirror.note_talent_left(change.subject_id, at=at)

    def outcome_sentence(self, change: StatusChange) -> Words:
        name, day = change.person.name, sent_day(change)
        return Words(
            f"{name}已标记为已离职，离职日期 {day}。", f"{name} is marked as left on {day}."
        )
