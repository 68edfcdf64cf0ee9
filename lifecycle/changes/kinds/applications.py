"""Reading an application and its employee, for the verbs that move somebody between the two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lifecycle import remote
from lifecycle.changes.kinds.base import Facts, RecordMissing
from lifecycle.changes.kinds.words import NOTHING, text_words
from lifecycle.errors.words import Words

# H6 has no code of its own for an application that is not there; H7 and A3 have one each.
NO_SUCH_APPLICATION = (1002201, 1002901)
NO_SUCH_EMPLOYEE = 1002903
# Stage types of H6.
PRE_HIRE, ONBOARDED = 6, 7
TERMINATED = 2

STAGE = Words("投递阶段", "Stage")
RECORD = Words("员工记录", "Employee record")
THERE_IS_ONE, THERE_IS_NONE = Words("有", "Yes"), Words("无", "None")
STAGE_WORDS = {
    1: Words("初筛", "Screening"),
    2: Words("评估", "Evaluation"),
    3: Words("笔试", "Written test"),
    4: Words("面试", "Interview"),
    5: Words("Offer 沟通", "Offer"),
    PRE_HIRE: Words("待入职", "Pre-hire"),
    ONBOARDED: Words("已入职", "Onboarded"),
}


def read_application(application_id: str, feishu: remote.Client) -> Facts:
    """H6. Raises RecordMissing."""
    try:
        return feishu.get_application(application_id)
    except remote.errors.Refused as error:
        if error.code in NO_SUCH_APPLICATION:
            raise RecordMissing from error
        raise


def read_employee(application_id: str, feishu: remote.Client) -> Facts | None:
    """H11: the employee an application became, None while it has not."""
    try:
        return feishu.get_employee_by_application(application_id)
    except remote.errors.Refused as error:
        if error.code == NO_SUCH_EMPLOYEE:
            return None
        raise


def stage_type(application: Mapping[str, Any] | None) -> int | None:
    """The number of the stage's type; None for no application, or none that says."""
    stage = (application or {}).get("stage")
    number = stage.get("type") if isinstance(stage, Mapping) else None
    return number if isinstance(number, int) else None


def stage_words(number: int | None) -> Words:
    if number is None:
        return NOTHING
    return STAGE_WORDS.get(number, text_words(number))


def record_words(*, is_there: bool) -> Words:
    return THERE_IS_ONE if is_there else THERE_IS_NONE
