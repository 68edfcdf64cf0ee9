"""The records Feishu answers with, as far as the portal reads them.

Feishu may leave any field out (missing permission, unset value), so none is required, and
it may add others. Ids are strings throughout. `ms` marks milliseconds since the epoch.
"""

from __future__ import annotations

from typing import TypedDict


class I18nText(TypedDict, total=False):
    lang: str
    value: str


class I18nNames(TypedDict, total=False):
    zh_cn: str
    en_us: str


class EnumPayload(TypedDict, total=False):
    enum_name: str
    display: list[I18nText]


class FieldPayload(TypedDict, total=False):
    field_name: str
    value: str


class CostCenterRatePayload(TypedDict, total=False):
    cost_center_id: str
    rate: int


class TalentBasicInfo(TypedDict, total=False):
    name: str
    mobile: str
    mobile_number: str
    mobile_code: str
    email: str
    gender: int
    modify_time: str
    update_time: str
    create_time: str


class TalentItem(TypedDict, total=False):
    """One talent of a list."""

    id: str
    is_onboarded: bool
    is_in_agency_period: bool
    basic_info: TalentBasicInfo


class TalentPayload(TypedDict, total=False):
    """One talent by itself. No field tells that a talent has left."""

    talent_id: str
    is_onboarded: bool
    is_in_agency_period: bool
    basic_info: TalentBasicInfo


class StagePayload(TypedDict, total=False):
    """`type`: 1 screening to 5 offer, 6 pre-hire, 7 onboarded, 8 other, 255 default."""

    id: str
    zh_name: str
    en_name: str
    type: int


class JobProcessPayload(TypedDict, total=False):
    id: str
    zh_name: str
    en_name: str
    type: int
    stage_list: list[StagePayload]


class ApplicationPayload(TypedDict, total=False):
    """`active_status`: 1 active, 2 ended. Times are ms in strings."""

    id: str
    job_id: str
    talent_id: str
    stage: StagePayload
    active_status: int
    delivery_type: int
    create_time: str
    modify_time: str
    creator_id: str


class ApplicationBasicInfo(ApplicationPayload, total=False):
    """`onboard_status` here: 1 not onboarded, 2 onboarded."""

    onboard_status: int
    owner_id: str


class ApplicationEmployee(TypedDict, total=False):
    """`onboard_status` here: 1 onboarded, 2 left. Times are ms in strings."""

    id: str
    application_id: str
    onboard_status: int
    conversion_status: int
    onboard_time: str
    expected_conversion_time: str
    actual_conversion_time: str
    overboard_time: str
    overboard_note: str
    onboard_city_code: str
    department_id: str
    leader_id: str
    sequence_id: str
    level_id: str
    employee_type: str
    job_requirement_id: str


class ApplicationDetailPayload(TypedDict, total=False):
    """`basic_info` always comes, the other parts when asked for by `options`."""

    basic_info: ApplicationBasicInfo
    employee: ApplicationEmployee
    job: dict[str, object]
    talent: dict[str, object]
    offer: dict[str, object]


class EmployeePayload(TypedDict, total=False):
    """A Hire employee. `onboard_status`: 1 onboarded, 2 left; `conversion_status`: 1 not
    converted, 2 converted. Times are ms as numbers, 0 for unset.
    """

    id: str
    application_id: str
    external_employment_id: str
    onboard_status: int
    conversion_status: int
    onboard_time: int
    expected_conversion_time: int
    actual_conversion_time: int
    overboard_time: int
    overboard_note: str
    onboard_city_code: str
    department: str
    leader: str
    sequence: str
    level: str
    employee_type: str
    job_requirement_id: str


class PreHirePayload(TypedDict, total=False):
    """A pre-hire of CoreHR's first version: the status is an object."""

    id: str
    ats_application_id: str
    hire_date: str
    employee_type: EnumPayload
    worker_id: str
    employee_type_id: str
    person_id: str
    custom_fields: list[FieldPayload]
    cost_center_rate: list[CostCenterRatePayload]
    onboarding_status: EnumPayload
    department_id: str


class PreHireItem(TypedDict, total=False):
    """A pre-hire found by search: only the groups asked for; the status is a string."""

    pre_hire_id: str
    person_info: dict[str, object]
    employment_info: dict[str, object]
    onboarding_info: dict[str, object]
    probation_info: dict[str, object]
    contract_info: dict[str, object]


class OffboardingInfo(TypedDict, total=False):
    """Days are `YYYY-MM-DD`. `add_block_list` is the string `true` or `false`."""

    employment_id: str
    hrbp_id: list[str]
    expected_offboarding_date: str
    offboarding_date: str
    reason: EnumPayload
    reason_explanation: str
    employee_reason: EnumPayload
    employee_reason_explanation: str
    add_block_list: str
    block_reason: EnumPayload
    block_reason_explanation: str
    last_attendance_date: str
    retain_account: bool
    custom_fields: list[dict[str, object]]


class OffboardingApplication(TypedDict, total=False):
    apply_initiator_id: str
    apply_initiating_time: str
    apply_finish_time: str
    process_id: str


class OffboardingPayload(TypedDict, total=False):
    """`status`: Approving, Approved, Offboarded, Rejected, Withdrawn, NoNeedApproval."""

    offboarding_id: str
    initiating_type: str
    status: str
    application_info: OffboardingApplication
    offboarding_info: OffboardingInfo
    offboarding_checklist: dict[str, object]


class OffboardingReasonPayload(TypedDict, total=False):
    offboarding_reason_unique_identifier: str
    parent_offboarding_reason_unique_identifier: str
    name: list[I18nText]
    active: bool
    created_time: str
    updated_time: str


class EmploymentPayload(TypedDict, total=False):
    """An employment: only the fields asked for. Prefer the `_v2` ids where both come."""

    employment_id: str
    employment_id_v2: str
    ats_application_id: str
    prehire_id: str
    employee_number: str
    employment_status: EnumPayload
    effective_date: str
    expiration_date: str
    probation_end_date: str
    on_probation: bool
    department_id: str
    department_id_v2: str
    direct_manager_id: str
    direct_manager_id_v2: str
    employee_type_id: str
    job_level_id: str
    job_family_id: str
    person_info: dict[str, object]
    cost_center_list: list[CostCenterRatePayload]


class CustomFieldPayload(TypedDict, total=False):
    """`type`: 1 text, 2 boolean, 3 number, 4 enum, 5 lookup, 7 date-time, 8 attachment."""

    custom_api_name: str
    object_api_name: str
    name: I18nNames
    description: I18nNames
    type: int
    is_open: bool
    is_required: bool
    is_unique: bool
    common_schema_config: dict[str, object]
    create_time: str
    update_time: str


class EmployeeTypePayload(TypedDict, total=False):
    id: str
    code: str
    name: list[I18nText]
    default_employee_type: bool
    active: bool


class DepartmentPayload(TypedDict, total=False):
    id: str
    code: str
    department_name: list[I18nText]
    parent_department_id: str
    manager: str
    is_root: bool
    active: bool
    effective_date: str
    expiration_date: str
    cost_center_id: str


class CostCenterPayload(TypedDict, total=False):
    cost_center_id: str
    version_id: str
    code: str
    name: list[I18nText]
    parent_cost_center_id: str
    managers: list[str]
    active: bool
    effective_time: str
    expiration_time: str


class JobLevelPayload(TypedDict, total=False):
    id: str
    code: str
    level_order: int
    name: list[I18nText]
    active: bool


class ConvertedId(TypedDict, total=False):
    id: str
    target_id: str


class UserPayload(TypedDict, total=False):
    open_id: str
    union_id: str
    user_id: str
    name: str
    en_name: str
    email: str
    status: dict[str, bool]
    department_ids: list[str]
    leader_user_id: str
    employee_no: str
