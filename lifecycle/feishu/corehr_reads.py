"""Reads of Feishu CoreHR and Contact, one method per endpoint.

Every method names the id types it wants back: people of employments and offboarding
records by CoreHR employment id, other people by `open_id`. Searches take their paging in
the query and their filter in the body. `background` calls keep to their share of the
published rate. All raise what `Client.read` raises, and InvalidValue for values that
cannot be sent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from typing import Any, cast

from lifecycle.feishu import endpoints
from lifecycle.feishu.calls import Call, Query, body_of, query_of
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.errors import InvalidValue
from lifecycle.feishu.id_types import (
    CONTACT_DEPARTMENT_ID_TYPES,
    COREHR_DEPARTMENT_ID_TYPES,
    COREHR_USER_ID_TYPES,
    HIRE_ID_TYPES,
    CoreHrDepartmentIdType,
    CoreHrUserIdType,
    UserIdType,
    checked_id_type,
)
from lifecycle.feishu.pages import Page, page_in, record_in
from lifecycle.feishu.payloads import (
    ConvertedId,
    CostCenterPayload,
    CustomFieldPayload,
    DepartmentPayload,
    EmployeeTypePayload,
    EmploymentPayload,
    JobLevelPayload,
    OffboardingPayload,
    OffboardingReasonPayload,
    PreHireItem,
    PreHirePayload,
    UserPayload,
)


class CoreHrReads(ABC):
    """The reads of CoreHR and Contact that `Client` offers."""

    @abstractmethod
    def read(
        self, call: Call, *, background: bool = False, give_up_after_s: float | None = None
    ) -> dict[str, Any]:
        """Send a read; see Client.read."""

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/pre_hire/list
    def list_pre_hires(
        self,
        *,
        page_token: str | None = None,
        page_size: int = 100,
        pre_hire_ids: Sequence[str] | None = None,
        background: bool = True,
    ) -> Page[PreHirePayload]:
        """Pre-hires, at most 100 a page, or at most 10 by id. Source: 批量查询待入职信息."""
        query = query_of(
            page_size=page_size,
            page_token=page_token,
            pre_hire_ids=_at_most(10, "pre_hire_ids", pre_hire_ids),
        )
        return self._list(endpoints.PRE_HIRE_LIST, query, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/pre_hire/get
    def get_pre_hire(self, pre_hire_id: str, *, background: bool = False) -> PreHirePayload:
        """One pre-hire. Source: 查询单个待入职信息."""
        call = Call(endpoints.PRE_HIRE_GET, {"pre_hire_id": pre_hire_id})
        data = self.read(call, background=background)
        return cast(PreHirePayload, record_in(call.endpoint, data, "pre_hire"))

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/corehr-v2/pre_hire/search
    def search_pre_hires(
        self,
        *,
        fields: Sequence[str],
        page_token: str | None = None,
        page_size: int = 100,
        pre_hire_ids: Sequence[str] | None = None,
        onboarding_status: str | None = None,
        onboarding_days: tuple[date, date] | None = None,
        updated_days: tuple[date, date] | None = None,
        department_ids: Sequence[str] | None = None,
        key_word: str | None = None,
        user_id_type: CoreHrUserIdType = "open_id",
        department_id_type: CoreHrDepartmentIdType = "open_department_id",
        background: bool = True,
    ) -> Page[PreHireItem]:
        """Pre-hires by a filter, at most 100 a page, up to 5 s behind.

        `fields`: what to return, at most 100; without any only the id comes. Days are
        tenant days, first and last. Source: 搜索待入职信息.
        """
        body = body_of(
            fields=_at_most(100, "fields", fields),
            pre_hire_ids=_at_most(100, "pre_hire_ids", pre_hire_ids),
            onboarding_status=onboarding_status,
            department_ids=_at_most(100, "department_ids", department_ids),
            key_word=key_word,
            **_days("onboarding_date", onboarding_days),
            **_days("updated_date", updated_days),
        )
        query = query_of(page_size=page_size, page_token=page_token) + _id_types(
            user_id_type, department_id_type
        )
        return self._list(endpoints.PRE_HIRE_SEARCH, query, body, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/offboarding/search
    def search_offboardings(
        self,
        *,
        page_token: str | None = None,
        page_size: int = 100,
        employment_ids: Sequence[str] | None = None,
        statuses: Sequence[str] | None = None,
        offboarding_days: tuple[date, date] | None = None,
        expected_days: tuple[date, date] | None = None,
        initiated_between_s: tuple[int, int] | None = None,
        finished_between_s: tuple[int, int] | None = None,
        reasons: Sequence[str] | None = None,
        employee_reasons: Sequence[str] | None = None,
        user_id_type: CoreHrUserIdType = "people_corehr_id",
        background: bool = True,
    ) -> Page[OffboardingPayload]:
        """Offboarding records by a filter, at most 100 a page.

        There is no read of a single record and no filter by update time. Days are tenant
        days, `_between_s` are seconds since the epoch; both ends have to be given.
        `statuses`: at most 10. Source: 搜索离职信息.
        """
        body = body_of(
            employment_ids=_at_most(100, "employment_ids", employment_ids),
            statuses=_at_most(10, "statuses", statuses),
            reasons=_listed(reasons),
            employee_reasons=_listed(employee_reasons),
            **_days("offboarding_date", offboarding_days),
            **_days("expected_offboarding_date", expected_days),
            **_seconds("apply_initiating_time", initiated_between_s),
            **_seconds("apply_finished_time", finished_between_s),
        )
        query = query_of(page_size=page_size, page_token=page_token) + _id_types(user_id_type)
        return self._list(endpoints.OFFBOARDING_SEARCH, query, body, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/offboarding/query
    def list_offboarding_reasons(
        self,
        *,
        active: bool | None = None,
        identifiers: Sequence[str] | None = None,
        background: bool = True,
    ) -> Page[OffboardingReasonPayload]:
        """The catalogue of departure reasons, in one page; at most 20 by identifier.

        Source: 查询员工离职原因列表.
        """
        body = body_of(
            active=active,
            offboarding_reason_unique_identifier=_at_most(20, "identifiers", identifiers),
        )
        return self._list(endpoints.OFFBOARDING_REASONS, (), body, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/corehr-v2/employee/batch_get
    def batch_get_employments(
        self,
        employment_ids: Sequence[str] | None = None,
        *,
        fields: Sequence[str],
        person_ids: Sequence[str] | None = None,
        work_emails: Sequence[str] | None = None,
        user_id_type: CoreHrUserIdType = "people_corehr_id",
        department_id_type: CoreHrDepartmentIdType = "open_department_id",
        background: bool = True,
    ) -> Page[EmploymentPayload]:
        """Employments by exactly one list of at most 100 ids or addresses, in one page.

        `fields`: what to return, at most 100; without any only the id comes. Up to 5 s
        behind. One id outside the app's data scope may have the whole call refused with
        1160104. Source: 批量查询员工信息.
        """
        given = [ids for ids in (employment_ids, person_ids, work_emails) if ids]
        if len(given) != 1:
            raise InvalidValue("Exactly one of the three lists is needed.")
        body = body_of(
            fields=_at_most(100, "fields", fields),
            employment_ids=_at_most(100, "employment_ids", employment_ids or None),
            person_ids=_at_most(100, "person_ids", person_ids or None),
            work_emails=_at_most(100, "work_emails", work_emails or None),
        )
        query = _id_types(user_id_type, department_id_type)
        return self._list(endpoints.EMPLOYMENT_BATCH_GET, query, body, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/custom_field/query
    def list_custom_fields(
        self, object_api_names: Sequence[str], *, background: bool = True
    ) -> Page[CustomFieldPayload]:
        """The custom fields of 1 to 20 objects, in one page. Source: 获取自定义字段列表."""
        if not object_api_names:
            raise InvalidValue("At least one object is needed.")
        query = query_of(
            object_api_name_list=_at_most(20, "object_api_names", object_api_names)
        )
        return self._list(endpoints.CUSTOM_FIELD_LIST, query, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/custom_field/get_by_param
    def get_custom_field(
        self, *, object_api_name: str, custom_api_name: str, background: bool = False
    ) -> CustomFieldPayload:
        """One field, standard or custom, with its options. Source: 获取字段详情."""
        query = query_of(object_api_name=object_api_name, custom_api_name=custom_api_name)
        call = Call(endpoints.CUSTOM_FIELD_GET, {}, query)
        data = self.read(call, background=background)
        return cast(CustomFieldPayload, record_in(call.endpoint, data, "data"))

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/employee_type/list
    def list_employee_types(
        self, *, page_token: str | None = None, page_size: int = 100, background: bool = True
    ) -> Page[EmployeeTypePayload]:
        """Employee types, fewer than 2000 a page. Source: 批量查询人员类型."""
        query = query_of(page_size=page_size, page_token=page_token)
        return self._list(endpoints.EMPLOYEE_TYPE_LIST, query, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/corehr-v2/department/search
    def search_departments(
        self,
        *,
        fields: Sequence[str],
        page_token: str | None = None,
        page_size: int = 100,
        active: bool | None = None,
        department_ids: Sequence[str] | None = None,
        parent_department_id: str | None = None,
        get_all_children: bool | None = None,
        user_id_type: CoreHrUserIdType = "open_id",
        department_id_type: CoreHrDepartmentIdType = "open_department_id",
        background: bool = True,
    ) -> Page[DepartmentPayload]:
        """Departments by a filter, at most 100 a page, up to 10 s behind.

        `fields`: what to return; without any only the id comes. Source: 搜索部门信息.
        """
        body = body_of(
            fields=_listed(fields),
            active=active,
            department_id_list=_at_most(100, "department_ids", department_ids),
            parent_department_id=parent_department_id,
            get_all_children=get_all_children,
        )
        query = query_of(page_size=page_size, page_token=page_token) + _id_types(
            user_id_type, department_id_type
        )
        return self._list(endpoints.DEPARTMENT_SEARCH, query, body, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/corehr-v2/department/batch_get
    def batch_get_departments(
        self,
        department_ids: Sequence[str],
        *,
        fields: Sequence[str],
        user_id_type: CoreHrUserIdType = "open_id",
        department_id_type: CoreHrDepartmentIdType = "open_department_id",
        background: bool = True,
    ) -> Page[DepartmentPayload]:
        """1 to 100 departments by id, in one page. Source: 批量查询部门."""
        if not department_ids:
            raise InvalidValue("At least one department is needed.")
        body = body_of(
            department_id_list=_at_most(100, "department_ids", department_ids),
            fields=_at_most(100, "fields", fields),
        )
        query = _id_types(user_id_type, department_id_type)
        return self._list(endpoints.DEPARTMENT_BATCH_GET, query, body, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/corehr-v2/cost_center/search
    def search_cost_centers(
        self,
        *,
        page_token: str | None = None,
        page_size: int = 100,
        cost_center_ids: Sequence[str] | None = None,
        code: str | None = None,
        parent_cost_center_id: str | None = None,
        get_all_version: bool | None = None,
        user_id_type: CoreHrUserIdType = "open_id",
        background: bool = True,
    ) -> Page[CostCenterPayload]:
        """Cost centers by a filter, at most 100 a page. Source: 搜索成本中心信息."""
        body = body_of(
            cost_center_id_list=_at_most(100, "cost_center_ids", cost_center_ids),
            code=code,
            parent_cost_center_id=parent_cost_center_id,
            get_all_version=get_all_version,
        )
        query = query_of(page_size=page_size, page_token=page_token) + _id_types(user_id_type)
        return self._list(endpoints.COST_CENTER_SEARCH, query, body, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/job_level/list
    def list_job_levels(
        self, *, page_token: str | None = None, page_size: int = 100, background: bool = True
    ) -> Page[JobLevelPayload]:
        """Job levels, at most 100 a page. Source: 批量查询职级."""
        query = query_of(page_size=page_size, page_token=page_token)
        return self._list(endpoints.JOB_LEVEL_LIST, query, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/common_data-id/convert
    def convert_ids(
        self,
        ids: Sequence[str],
        *,
        id_transform_type: int,
        id_type: str,
        feishu_user_id_type: UserIdType = "open_id",
        feishu_department_id_type: str = "open_department_id",
        background: bool = True,
    ) -> Page[ConvertedId]:
        """The counterparts of 1 to 100 ids, in one page.

        `id_transform_type`: 1 CoreHR to contact, 2 contact to CoreHR, 3 people admin to
        contact, 4 people admin to CoreHR. `id_type`: `user_id`, `department_id`,
        `job_level_id`, `job_family_id`, `employee_type_id`. Source: ID 转换.
        """
        if not ids:
            raise InvalidValue("At least one id is needed.")
        query = query_of(
            id_transform_type=id_transform_type,
            id_type=id_type,
            feishu_user_id_type=checked_id_type(
                "feishu_user_id_type", feishu_user_id_type, HIRE_ID_TYPES["user_id_type"]
            ),
            feishu_department_id_type=_contact_department(feishu_department_id_type),
        )
        body = body_of(ids=_at_most(100, "ids", ids))
        return self._list(endpoints.ID_CONVERT, query, body, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/contact-v3/user/batch
    def batch_get_users(
        self,
        user_ids: Sequence[str],
        *,
        user_id_type: UserIdType = "open_id",
        department_id_type: str = "open_department_id",
        background: bool = True,
    ) -> Page[UserPayload]:
        """1 to 50 people of the directory, in one page.

        People outside the app's contact scope are left out without a word.
        Source: 批量获取用户信息.
        """
        if not user_ids:
            raise InvalidValue("At least one person is needed.")
        query = query_of(
            user_ids=_at_most(50, "user_ids", user_ids),
            user_id_type=checked_id_type(
                "user_id_type", user_id_type, HIRE_ID_TYPES["user_id_type"]
            ),
            department_id_type=_contact_department(department_id_type),
        )
        return self._list(endpoints.USER_BATCH_GET, query, background=background)

    def _list(
        self,
        endpoint: Endpoint,
        query: Query,
        body: dict[str, Any] | None = None,
        *,
        background: bool,
    ) -> Page[Any]:
        data = self.read(Call(endpoint, {}, query, body), background=background)
        return page_in(endpoint, data)


def _id_types(user_id_type: str, department_id_type: str | None = None) -> Query:
    department = department_id_type and checked_id_type(
        "department_id_type", department_id_type, COREHR_DEPARTMENT_ID_TYPES
    )
    user = checked_id_type("user_id_type", user_id_type, COREHR_USER_ID_TYPES)
    return query_of(user_id_type=user, department_id_type=department)


def _contact_department(value: str) -> str:
    return checked_id_type("department_id_type", value, CONTACT_DEPARTMENT_ID_TYPES)


def _at_most(most: int, name: str, values: Sequence[str] | None) -> list[str] | None:
    if values is not None and len(values) > most:
        raise InvalidValue(f"{name} holds at most {most} entries.")
    return _listed(values)


def _listed(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)


def _days(name: str, days: tuple[date, date] | None) -> dict[str, str]:
    if days is None:
        return {}
    return {f"{name}_start": days[0].isoformat(), f"{name}_end": days[1].isoformat()}


def _seconds(name: str, between: tuple[int, int] | None) -> dict[str, str]:
    if between is None:
        return {}
    return {f"{name}_start": str(between[0]), f"{name}_end": str(between[1])}
