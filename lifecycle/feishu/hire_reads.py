"""Reads of Feishu Hire, one method per endpoint.

Every method names the id types it wants back. `background` calls keep to their share of
the published rate. All raise what `Client.read` raises, and InvalidId or InvalidValue for
values that cannot be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack, cast

from lifecycle.feishu import endpoints
from lifecycle.feishu.calls import Call, checked_id, query_of
from lifecycle.feishu.id_types import (
    HIRE_ID_TYPES,
    TALENT_USER_ID_TYPES,
    HireIdTypes,
    TalentUserIdType,
    UserIdType,
    checked_id_type,
    hire_id_types,
)
from lifecycle.feishu.pages import Page, record_in
from lifecycle.feishu.payloads import (
    ApplicationDetailPayload,
    ApplicationPayload,
    EmployeePayload,
    JobProcessPayload,
    TalentItem,
    TalentPayload,
)
from lifecycle.feishu.reading import Reader


class HireReads(Reader):
    """The reads of Feishu Hire that `Client` offers."""

    # https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v1/talent/list
    def list_talents(
        self,
        *,
        page_token: str | None = None,
        page_size: int = 20,
        updated_from_ms: int | None = None,
        updated_until_ms: int | None = None,
        user_id_type: TalentUserIdType = "open_id",
        background: bool = True,
    ) -> Page[TalentItem]:
        """Talents, last updated first, at most 20 a page.

        The update window is in milliseconds. `query_option` is always sent, because without
        it an empty list is an error. Source: 获取人才列表, 查询参数.
        """
        query = query_of(
            update_start_time=updated_from_ms,
            update_end_time=updated_until_ms,
            page_size=page_size,
            page_token=page_token,
            user_id_type=checked_id_type("user_id_type", user_id_type, TALENT_USER_ID_TYPES),
            query_option="ignore_empty_error",
        )
        return self._page(endpoints.TALENT_LIST, query, background=background)

    # https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v2/talent/get
    def get_talent(
        self,
        talent_id: str,
        *,
        user_id_type: TalentUserIdType = "open_id",
        background: bool = False,
    ) -> TalentPayload:
        """One talent. A missing one is Refused with 1002102. Source: 获取人才详情."""
        id_type = checked_id_type("user_id_type", user_id_type, TALENT_USER_ID_TYPES)
        call = Call(endpoints.TALENT_GET, {"talent_id": talent_id}, query_of(user_id_type=id_type))
        return cast(TalentPayload, self.read(call, background=background))

    # https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v1/application/list
    def list_application_ids(
        self,
        *,
        page_token: str | None = None,
        page_size: int = 200,
        process_id: str | None = None,
        stage_id: str | None = None,
        talent_id: str | None = None,
        job_id: str | None = None,
        active_status: str | None = None,
        lock_status: Sequence[int] | None = None,
        updated_from_ms: int | None = None,
        updated_until_ms: int | None = None,
        background: bool = True,
    ) -> Page[str]:
        """Ids of applications, at most 200 a page; the records come one by one.

        `active_status`: "1" active, "2" ended, "3" all (Feishu's default). `lock_status`:
        1 free, 2 locked on another job, 3 on this one. The update window is in
        milliseconds. Source: 获取投递列表, 查询参数.
        """
        query = query_of(
            process_id=process_id,
            stage_id=stage_id,
            talent_id=talent_id,
            job_id=job_id,
            active_status=active_status,
            lock_status=lock_status,
            page_token=page_token,
            page_size=page_size,
            update_start_time=updated_from_ms,
            update_end_time=updated_until_ms,
        )
        return self._page(endpoints.APPLICATION_LIST, query, background=background)

    # https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v1/application/get
    def get_application(
        self,
        application_id: str,
        *,
        options: Sequence[str] = (),
        user_id_type: UserIdType = "open_id",
        background: bool = False,
    ) -> ApplicationPayload:
        """One application, with its stage. Source: 获取投递信息.

        The only option is `get_latest_application_on_chain`; it may return another
        application than the one asked for.
        """
        id_type = checked_id_type("user_id_type", user_id_type, HIRE_ID_TYPES["user_id_type"])
        call = Call(
            endpoints.APPLICATION_GET,
            {"application_id": application_id},
            query_of(user_id_type=id_type, options=options),
        )
        data = self.read(call, background=background)
        return cast(ApplicationPayload, record_in(call.endpoint, data, "application"))

    # https://open.feishu.cn/document/hire-v1/candidate-management/delivery-process-management/application/get_detail
    def get_application_detail(
        self,
        application_id: str,
        *,
        options: Sequence[str] = (),
        background: bool = False,
        **id_types: Unpack[HireIdTypes],
    ) -> ApplicationDetailPayload:
        """One application with the parts asked for; 10 calls a second at most.

        `options`: `with_job`, `with_talent`, `with_interview`, `with_offer`,
        `with_evaluation`, `with_employee`, `with_agency`, `with_referral`, `with_portal`.
        A missing application is Refused with 1002201. Source: 获取投递详情.
        """
        call = Call(
            endpoints.APPLICATION_DETAIL,
            {"application_id": application_id},
            hire_id_types(**id_types) + query_of(options=options),
        )
        data = self.read(call, background=background)
        return cast(ApplicationDetailPayload, record_in(call.endpoint, data, "application_detail"))

    # https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v1/job_process/list
    def list_job_processes(
        self, *, page_token: str | None = None, page_size: int = 100, background: bool = True
    ) -> Page[JobProcessPayload]:
        """Recruiting processes with their stages, at most 100 a page.

        Source: 获取招聘流程信息.
        """
        query = query_of(page_size=page_size, page_token=page_token)
        return self._page(endpoints.JOB_PROCESS_LIST, query, background=background)

    # https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v1/employee/get
    def get_employee(
        self, employee_id: str, *, background: bool = False, **id_types: Unpack[HireIdTypes]
    ) -> EmployeePayload:
        """One Hire employee. Source: 通过员工 ID 获取入职信息."""
        call = Call(endpoints.EMPLOYEE_GET, {"employee_id": employee_id}, hire_id_types(**id_types))
        data = self.read(call, background=background)
        return cast(EmployeePayload, record_in(call.endpoint, data, "employee"))

    # https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v1/employee/get_by_application
    def get_employee_by_application(
        self, application_id: str, *, background: bool = False, **id_types: Unpack[HireIdTypes]
    ) -> EmployeePayload:
        """The Hire employee an application became.

        Refused with 1002903 means that the candidate is not onboarded.
        Source: 通过投递 ID 获取入职信息.
        """
        asked = query_of(application_id=checked_id("application_id", application_id))
        call = Call(endpoints.EMPLOYEE_BY_APPLICATION, {}, asked + hire_id_types(**id_types))
        data = self.read(call, background=background)
        return cast(EmployeePayload, record_in(call.endpoint, data, "employee"))

    # https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v1/location/list
    def list_locations(
        self,
        *,
        usage: str | None = None,
        page_token: str | None = None,
        page_size: int | None = None,
        background: bool = True,
    ) -> Page[dict[str, Any]]:
        """Office locations, whose code stands in `onboard_city_code`.

        `usage`: the kind of location, as Feishu's page names it. Source: 获取地址列表.
        """
        query = query_of(usage=usage, page_token=page_token, page_size=page_size)
        return self._page(endpoints.LOCATION_LIST, query, background=background)

    # https://open.feishu.cn/document/ukTMukTMukTM/uMzM1YjLzMTN24yMzUjN/hire-v1/job_requirement/list
    def list_job_requirements(
        self,
        *,
        page_token: str | None = None,
        page_size: int | None = None,
        job_id: str | None = None,
        background: bool = True,
        **id_types: Unpack[HireIdTypes],
    ) -> Page[dict[str, Any]]:
        """Job requirements (headcount requests). Source: 获取招聘需求列表."""
        query = query_of(page_token=page_token, page_size=page_size, job_id=job_id)
        return self._page(
            endpoints.JOB_REQUIREMENT_LIST,
            query + hire_id_types(**id_types),
            background=background,
        )
