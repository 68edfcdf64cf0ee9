"""The five calls that change something in Feishu, built from plain values.

Each builder returns a Call and sends nothing. The JSON types are exactly those of
Feishu's page (times are strings in one call and numbers in two others), and every id
type is named, because Feishu's defaults differ and partly point to retiring ids.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any, TypeVar, Unpack

from lifecycle.feishu import endpoints
from lifecycle.feishu.calls import Call
from lifecycle.feishu.errors import FieldNotEditable, InvalidValue
from lifecycle.feishu.id_types import (
    COREHR_USER_ID_TYPES,
    CoreHrUserIdType,
    HireIdTypes,
    checked_id_type,
    hire_id_types,
)
from lifecycle.feishu.times import checked_ms
from lifecycle.feishu.values import FieldValue

Operation = TypeVar("Operation", bound=IntEnum)

MOST_FIELDS = 10_000
DAY_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class TalentOperation(IntEnum):
    """What is done to a talent's employment status."""

    ONBOARD = 1
    OFFBOARD = 2


class EmployeeOperation(IntEnum):
    """What is done to a Hire employee's status."""

    CONVERT = 1
    OFFBOARD = 2
    RESTORE_TO_PRE_HIRE = 3
    UNDO_OFFBOARDING = 4
    UNDO_CONVERSION = 5


class OnboardingStatus(StrEnum):
    """The onboarding status of a pre-hire."""

    PREBOARDING = "preboarding"
    DELETED = "deleted"
    DAY_ONE = "day_one"
    WITHDRAWN = "withdrawn"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class CostCenterShare:
    """A cost center and its share in percent."""

    cost_center_id: str
    rate: int


# The page lists these as not editable; it prints `type` and `hrbp_ids` on one line.
FIXED_OFFBOARDING_FIELDS = frozenset(
    {
        "wk_id",
        "wk_tenant_id",
        "employment",
        "process_id",
        "flow_id",
        "node_id",
        "initiator_id",
        "status",
        "checklist_status",
        "checklist_process_id",
        "type",
        "hrbp_ids",
        "hrbp_list",
        "probation_id",
        "wk_created_at",
        "wk_created_by",
        "wk_updated_at",
        "wk_updated_by",
        "wk_deleted_at",
        "wk_is_deleted",
        "noncompete_agreement_id",
        "social_insurance_end_date",
        "provident_fund_end_date",
        "sign_type",
    }
)


# https://open.feishu.cn/document/server-docs/hire-v1/candidate-management/talent/onboard_status
def update_talent_onboard_status(talent_id: str, *, operation: TalentOperation, at_ms: int) -> Call:
    """Mark a talent as onboarded or as left.

    `at_ms`: the moment, in milliseconds; sent as a string in `onboard_time` or
    `overboard_time`, whichever belongs to the operation. Raises InvalidId, InvalidValue.
    Source: 更新人才在职状态, 请求体.
    """
    chosen = _operation(TalentOperation, operation)
    name = "onboard_time" if chosen is TalentOperation.ONBOARD else "overboard_time"
    return Call(
        endpoints.TALENT_ONBOARD_STATUS,
        {"talent_id": talent_id},
        body={"operation": int(chosen), name: str(checked_ms("at_ms", at_ms))},
    )


# https://open.feishu.cn/document/server-docs/hire-v1/candidate-management/delivery-process-management/onboard/patch
def update_employee(
    employee_id: str,
    *,
    operation: EmployeeOperation,
    actual_conversion_ms: int | None = None,
    actual_overboard_ms: int | None = None,
    overboard_note: str | None = None,
    **id_types: Unpack[HireIdTypes],
) -> Call:
    """Convert or offboard a Hire employee, or take one of these back.

    Times in milliseconds, sent as numbers. Only the info object of the operation is sent:
    `conversion_info` with CONVERT, `overboard_info` with OFFBOARD, none with the others;
    a value that belongs to another operation is left out. Raises InvalidId, InvalidValue.
    Source: 更新员工状态, 查询参数 and 请求体.
    """
    chosen = _operation(EmployeeOperation, operation)
    body: dict[str, Any] = {"operation": int(chosen)}
    if chosen is EmployeeOperation.CONVERT:
        body["conversion_info"] = _times(actual_conversion_time=actual_conversion_ms)
    if chosen is EmployeeOperation.OFFBOARD:
        body["overboard_info"] = _times(actual_overboard_time=actual_overboard_ms) | _texts(
            overboard_note=overboard_note
        )
    return Call(
        endpoints.EMPLOYEE_PATCH,
        {"employee_id": employee_id},
        query=hire_id_types(**id_types),
        body=body,
    )


# https://open.feishu.cn/document/server-docs/hire-v1/candidate-management/delivery-process-management/onboard/transfer_onboard
def transfer_onboard(
    application_id: str,
    *,
    actual_onboard_ms: int | None = None,
    expected_conversion_ms: int | None = None,
    job_requirement_id: str | None = None,
    operator_id: str | None = None,
    onboard_city_code: str | None = None,
    department: str | None = None,
    leader: str | None = None,
    sequence: str | None = None,
    level: str | None = None,
    employee_type: str | None = None,
    **id_types: Unpack[HireIdTypes],
) -> Call:
    """Onboard a candidate: the application becomes a Hire employee.

    Times in milliseconds, sent as numbers; None is left out. Without `actual_onboard_ms`
    Feishu takes the moment the call arrives, so a repeat would be another request: give
    it. It may not lie in the future. Raises InvalidId, InvalidValue.
    Source: 操作候选人入职, 查询参数 and 请求体.
    """
    times = _times(
        actual_onboard_time=actual_onboard_ms, expected_conversion_time=expected_conversion_ms
    )
    texts = _texts(
        job_requirement_id=job_requirement_id,
        operator_id=operator_id,
        onboard_city_code=onboard_city_code,
        department=department,
        leader=leader,
        sequence=sequence,
        level=level,
        employee_type=employee_type,
    )
    return Call(
        endpoints.APPLICATION_TRANSFER_ONBOARD,
        {"application_id": application_id},
        query=hire_id_types(**id_types),
        body=times | texts,
    )


# https://open.feishu.cn/document/corehr-v1/offboarding/edit
def edit_offboarding(
    offboarding_id: str,
    *,
    update_data: Sequence[FieldValue],
    operator_id: str | None = None,
    user_id_type: CoreHrUserIdType = "people_corehr_id",
) -> Call:
    """Change 1 to 10000 fields of an offboarding record.

    `operator_id`: who does it, an id of `user_id_type`; None means the system. Values are
    already encoded (`values.encode_offboarding_value`). Raises FieldNotEditable for the 24
    fields Feishu keeps fixed, InvalidValue. Source: 编辑离职信息, 查询参数 and 请求体.
    """
    body: dict[str, Any] = _texts(offboarding_id=offboarding_id, operator_id=operator_id)
    if not body.get("offboarding_id"):
        raise InvalidValue("offboarding_id is needed.")
    if not 1 <= len(update_data) <= MOST_FIELDS:
        raise InvalidValue(f"An edit holds 1 to {MOST_FIELDS} fields.")
    body["update_data"] = [_editable_field(entry) for entry in update_data]
    id_type = checked_id_type("user_id_type", user_id_type, COREHR_USER_ID_TYPES)
    return Call(endpoints.OFFBOARDING_EDIT, {}, query=(("user_id_type", id_type),), body=body)


# https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/pre_hire/patch
def update_pre_hire(
    pre_hire_id: str,
    *,
    client_token: str,
    onboarding_status: OnboardingStatus | str,
    hire_date: date | str | None = None,
    employee_type: str | None = None,
    worker_id: str | None = None,
    employee_type_id: str | None = None,
    person_id: str | None = None,
    ats_application_id: str | None = None,
    custom_fields: Sequence[FieldValue] | None = None,
    cost_center_rate: Sequence[CostCenterShare] | None = None,
) -> Call:
    """Update a pre-hire. Feishu checks no business rule here, except cost center shares.

    `client_token`: Feishu takes two requests with the same token for one.
    `onboarding_status`: has to be sent; echo the present one to leave it as it is.
    `hire_date`: a tenant day. `employee_type`: the enum name. Shares in percent. Values of
    custom fields are already encoded (`values.encode_pre_hire_value`). None is left out.
    Raises InvalidId, InvalidValue. Source: 更新待入职信息(不推荐), 查询参数 and 请求体.
    """
    body: dict[str, Any] = _texts(
        ats_application_id=ats_application_id,
        hire_date=None if hire_date is None else _day_text(hire_date),
        worker_id=worker_id,
        employee_type_id=employee_type_id,
        person_id=person_id,
    )
    if employee_type is not None:
        body["employee_type"] = _texts(enum_name=employee_type)
    if custom_fields is not None:
        body["custom_fields"] = [_field(entry) for entry in custom_fields]
    if cost_center_rate is not None:
        body["cost_center_rate"] = [_share(share) for share in cost_center_rate]
    body["onboarding_status"] = {"enum_name": _onboarding_status(onboarding_status)}
    token = _texts(client_token=client_token).get("client_token")
    if not token:
        raise InvalidValue("client_token is needed.")
    return Call(
        endpoints.PRE_HIRE_PATCH,
        {"pre_hire_id": pre_hire_id},
        query=(("client_token", token),),
        body=body,
    )


def _operation(kind: type[Operation], value: int) -> Operation:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue("operation has to be a whole number.")
    try:
        return kind(value)
    except ValueError as error:
        raise InvalidValue(f"There is no operation {value}.") from error


def _times(**values: int | None) -> dict[str, Any]:
    return {name: checked_ms(name, ms) for name, ms in values.items() if ms is not None}


def _texts(**values: str | None) -> dict[str, Any]:
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise InvalidValue(f"{name} has to be text.")
    return {name: str(value) for name, value in values.items() if value is not None}


def _field(entry: FieldValue) -> dict[str, str]:
    pair = _texts(field_name=entry.field_name, value=entry.value)
    if not pair.get("field_name") or "value" not in pair:
        raise InvalidValue("A field needs a name and a value.")
    return pair


def _editable_field(entry: FieldValue) -> dict[str, str]:
    if entry.field_name in FIXED_OFFBOARDING_FIELDS:
        raise FieldNotEditable(entry.field_name)
    return _field(entry)


def _share(share: CostCenterShare) -> dict[str, Any]:
    if isinstance(share.rate, bool) or not isinstance(share.rate, int):
        raise InvalidValue("rate has to be a whole number of percent.")
    return _texts(cost_center_id=share.cost_center_id) | {"rate": share.rate}


def _onboarding_status(value: OnboardingStatus | str) -> str:
    try:
        return OnboardingStatus(value).value
    except ValueError as error:
        raise InvalidValue(f"There is no onboarding status {value}.") from error


def _day_text(day: date | str) -> str:
    if isinstance(day, date) and not isinstance(day, datetime):
        return day.isoformat()
    if not isinstance(day, str) or not DAY_TEXT.fullmatch(day):
        raise InvalidValue("hire_date has to be a day, written YYYY-MM-DD.")
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise InvalidValue("hire_date is not a day of the calendar.") from error
