"""Reads of pre-hires, offboarding records and employments in Feishu CoreHR.

Every method names the id types it wants back: people of employments and offboarding
records by CoreHR employment id, other people by `open_id`. Searches take their paging in
the query and their filter in the body. `background` calls keep to their share of the
published rate. All raise what `Client.read` raises, and InvalidValue for values that
cannot be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

from lifecycle.feishu import endpoints
from lifecycle.feishu.calls import Call, body_of, query_of
from lifecycle.feishu.errors import InvalidValue
from lifecycle.feishu.id_types import CoreHrDepartmentIdType, CoreHrUserIdType
from lifecycle.feishu.pages import Page, record_in
from lifecycle.feishu.payloads import (
    EmploymentPayload,
    OffboardingPayload,
    OffboardingReasonPayload,
    PreHireItem,
    PreHirePayload,
)
from lifecycle.feishu.reading import Reader, at_most, corehr_id_types, listed


class CoreHrReads(Reader):
    """The reads of pre-hires, offboarding records and employments that `Client` offers."""

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
            pre_hire_ids=at_most(10, "pre_hire_ids", pre_hire_ids),
        )
        return self._page(endpoints.PRE_HIRE_LIST, query, background=background)

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
            fields=at_most(100, "fields", fields),
            pre_hire_ids=at_most(100, "pre_hire_ids", pre_hire_ids),
            onboarding_status=onboarding_status,
            department_ids=at_most(100, "department_ids", department_ids),
            key_word=key_word,
            **_days("onboarding_date", onboarding_days),
            **_days("updated_date", updated_days),
        )
        query = query_of(page_size=page_size, page_token=page_token) + corehr_id_types(
            user_id_type, department_id_type
        )
        return self._page(endpoints.PRE_HIRE_SEARCH, query, body, background=background)

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
            employment_ids=at_most(100, "employment_ids", employment_ids),
            statuses=at_most(10, "statuses", statuses),
            reasons=listed(reasons),
            employee_reasons=listed(employee_reasons),
            **_days("offboarding_date", offboarding_days),
            **_days("expected_offboarding_date", expected_days),
            **_seconds("apply_initiating_time", initiated_between_s),
            **_seconds("apply_finished_time", finished_between_s),
        )
        query = query_of(page_size=page_size, page_token=page_token) + corehr_id_types(user_id_type)
        return self._page(endpoints.OFFBOARDING_SEARCH, query, body, background=background)

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
            offboarding_reason_unique_identifier=at_most(20, "identifiers", identifiers),
        )
        return self._page(endpoints.OFFBOARDING_REASONS, (), body, background=background)

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
            fields=at_most(100, "fields", fields),
            employment_ids=at_most(100, "employment_ids", employment_ids or None),
            person_ids=at_most(100, "person_ids", person_ids or None),
            work_emails=at_most(100, "work_emails", work_emails or None),
        )
        query = corehr_id_types(user_id_type, department_id_type)
        return self._page(endpoints.EMPLOYMENT_BATCH_GET, query, body, background=background)


def _days(name: str, days: tuple[date, date] | None) -> dict[str, str]:
    if days is None:
        return {}
    return {f"{name}_start": days[0].isoformat(), f"{name}_end": days[1].isoformat()}


def _seconds(name: str, between: tuple[int, int] | None) -> dict[str, str]:
    if between is None:
        return {}
    return {f"{name}_start": str(between[0]), f"{name}_end": str(between[1])}
