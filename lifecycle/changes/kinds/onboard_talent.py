"""Mark a talent as onboarded (入职): A1 operation 1."""

from __future__ import annotations

from datetime import datetime

from lifecycle import mirror, remote, rules
from lifecycle.changes.kinds.base import Facts
from lifecycle.changes.kinds.forms import OnboardTalentForm
from lifecycle.changes.kinds.talent_status import IS_ONBOARDED, TalentStatusKind, sent_day
from lifecycle.errors.words import Notice, Words
from lifecycle.models import StatusChange, Talent


class OnboardTalent(TalentStatusKind):
    name = "onboard_talent"
    url_name = "onboard-talent"
    step = "onboard"
    title = Words("标记为已入职", "Mark as onboarded")
    explanation = Words(
        "在飞书招聘的人才库中把人才标记为已入职。候选人走完招聘流程的，请在其投递上办理入职。",
        "Marks the talent as onboarded in the talent pool of Feishu Hire. For a candidate who"
        " went through recruiting, onboard the application instead.",
    )
    form_class = OnboardTalentForm
    undo = Words(
        "不能撤销：飞书不提供恢复为未入职的操作。“标记为已离职”不是撤销。",
        "It cannot be taken back: Feishu offers no way to make a talent not onboarded again."
        " “Mark as left” is no undo.",
    )
    icon = "user-check"
    operation = remote.writes.TalentOperation.ONBOARD
    day_name = "onboarded_on"
    day_label = Words("入职日期", "Onboarded on")
    becomes = IS_ONBOARDED
    for_good = Notice(
        "plan.onboard-talent-for-good",
        Words(
            "标记为已入职后不能撤销；之后只能标记为已离职，那不等于没有入职过。",
            "Marking as onboarded cannot be taken back; the only step from there is “left”,"
            " which is not the same as never having been onboarded.",
        ),
        Words("请确认人选和日期无误。", "Make sure of the person and the day."),
    )

    def is_legal(self, talent: Talent) -> bool:
        return rules.can_onboard_talent(is_onboarded=talent.is_onboarded, has_left=talent.has_left)

    def refused_because(self, talent: Talent) -> Words:
        if talent.has_left:
            return Words(
                "该人才已标记为已离职，不能再标记入职，需要重新走招聘流程。",
                "The talent is marked as left and cannot be onboarded again; the person has to"
                " go through recruiting.",
            )
        return Words("该人才已经入职。", "The talent is already onboarded.")

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        return bool(facts["is_onboarded"])

    def applied(self, change: StatusChange, *, at: datetime) -> None:
        mirror.note_talent_onboarded(change.subject_id, at=at)

    def outcome_sentence(self, change: StatusChange) -> Words:
        name, day = change.person.name, sent_day(change)
        return Words(
            f"{name}已标记为已入职，入职日期 {day}。", f"{name} is marked as onboarded on {day}."
        )
