"""Reads of reference data: fields, departments, cost centers, levels, ids and people.

Every method names the id types it wants back. `background` calls keep to their share of
the published rate. All raise what `Client.read` raises, and InvalidValue for values that
cannot be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from lifecycle.feishu import endpoints
from lifecycle.feishu.calls import Call, body_of, query_of
from lifecycle.feishu.errors import InvalidValue
from lifecycle.feishu.id_types import (
    CONTACT_DEPARTMENT_ID_TYPES,
    HIRE_ID_TYPES,
    CoreHrDepartmentIdType,
    CoreHrUserIdType,
    UserIdType,
    checked_id_type,
)
from lifecycle.feishu.pages import Page, record_in
from lifecycle.feishu.payloads import (
    ConvertedId,
    CostCenterPayload,
    CustomFieldPayload,
    DepartmentPayload,
    EmployeeTypePayload,
    JobLevelPayload,
    UserPayload,
)
from lifecycle.feishu.reading import Reader, at_most, corehr_id_types, listed


class ReferenceReads(Reader):
    """The reads of reference data in CoreHR and Contact that `Client` offers."""

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/custom_field/query
    def list_custom_fields(
        self, object_api_names: Sequence[str], *, background: bool = True
    ) -> Page[CustomFieldPayload]:
        """The custom fields of 1 to 20 objects, in one page. Source: 获取自定义字段列表."""
        if not object_api_names:
            raise InvalidValue("At least one object is needed.")
        query = query_of(object_api_name_list=at_most(20, "object_api_names", object_api_names))
        return self._page(endpoints.CUSTOM_FIELD_LIST, query, background=background)

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
        return self._page(endpoints.EMPLOYEE_TYPE_LIST, query, background=background)

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
            fields=listed(fields),
            active=active,
            department_id_list=at_most(100, "department_ids", department_ids),
            parent_department_id=parent_department_id,
            get_all_children=get_all_children,
        )
        query = query_of(page_size=page_size, page_token=page_token) + corehr_id_types(
            user_id_type, department_id_type
        )
        return self._page(endpoints.DEPARTMENT_SEARCH, query, body, background=background)

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
            department_id_list=at_most(100, "department_ids", department_ids),
            fields=at_most(100, "fields", fields),
        )
        query = corehr_id_types(user_id_type, department_id_type)
        return self._page(endpoints.DEPARTMENT_BATCH_GET, query, body, background=background)

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
            cost_center_id_list=at_most(100, "cost_center_ids", cost_center_ids),
            code=code,
            parent_cost_center_id=parent_cost_center_id,
            get_all_version=get_all_version,
        )
        query = query_of(page_size=page_size, page_token=page_token) + corehr_id_types(user_id_type)
        return self._page(endpoints.COST_CENTER_SEARCH, query, body, background=background)

    # https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/job_level/list
    def list_job_levels(
        self, *, page_token: str | None = None, page_size: int = 100, background: bool = True
    ) -> Page[JobLevelPayload]:
        """Job levels, at most 100 a page. Source: 批量查询职级."""
        query = query_of(page_size=page_size, page_token=page_token)
        return self._page(endpoints.JOB_LEVEL_LIST, query, background=background)

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
        body = body_of(ids=at_most(100, "ids", ids))
        return self._page(endpoints.ID_CONVERT, query, body, background=background)

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
            user_ids=at_most(50, "user_ids", user_ids),
            user_id_type=checked_id_type(
                "user_id_type", user_id_type, HIRE_ID_TYPES["user_id_type"]
            ),
            department_id_type=_contact_department(department_id_type),
        )
        return self._page(endpoints.USER_BATCH_GET, query, background=background)


def _contact_department(value: str) -> str:
    return checked_id_type("department_id_type", value, CONTACT_DEPARTMENT_ID_TYPES)
