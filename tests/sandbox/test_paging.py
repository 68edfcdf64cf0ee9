from typing import Any

import pytest

from .tenant_under_test import TenantUnderTest

SEARCH: dict[str, Any] = {"json": {}}
LISTS: list[tuple[str, str, dict[str, Any], str, int]] = [
    ("GET", "hire/v1/talents", {"params": {"query_option": "ignore_empty_error"}}, "talents", 20),
    ("GET", "hire/v1/applications", {}, "applications", 200),
    ("GET", "hire/v1/job_processes", {}, "job_processes", 100),
    ("GET", "hire/v1/locations", {}, "locations", 100),
    ("GET", "hire/v1/job_requirements", {}, "job_requirements", 100),
    ("GET", "corehr/v1/pre_hires", {}, "pre_hires", 100),
    ("POST", "corehr/v2/pre_hires/search", SEARCH, "pre_hires", 100),
    ("POST", "corehr/v1/offboardings/search", SEARCH, "offboardings", 100),
    ("GET", "corehr/v1/employee_types", {}, "employee_types", 1999),
    ("POST", "corehr/v2/departments/search", SEARCH, "departments", 100),
    ("POST", "corehr/v2/cost_centers/search", SEARCH, "cost_centers", 100),
    ("GET", "corehr/v1/job_levels", {}, "job_levels", 100),
]
ID_NAMES = ("id", "pre_hire_id", "offboarding_id", "cost_center_id")
IDS = [path for _, path, _, _, _ in LISTS]


def id_of(item: Any) -> str:
    if isinstance(item, str):
        return item
    return next(str(item[name]) for name in ID_NAMES if name in item)


@pytest.mark.parametrize(("method", "path", "options", "kind", "largest"), LISTS, ids=IDS)
class TestPages:
    def test_show_everything_exactly_once(
        self,
        tenant: TenantUnderTest,
        method: str,
        path: str,
        options: dict[str, Any],
        kind: str,
        largest: int,
    ) -> None:
        expected = {record["id"] for record in tenant.control.records(kind)}
        for size in (1, 7, largest):
            seen = [id_of(item) for item in tenant.pages(method, path, size=size, **options)]
            assert len(seen) == len(set(seen))
            assert set(seen) == expected

    def test_refuse_sizes_out_of_range_and_garbage(
        self,
        tenant: TenantUnderTest,
        method: str,
        path: str,
        options: dict[str, Any],
        kind: str,
        largest: int,
    ) -> None:
        given = options.get("params", {})
        rest = {name: value for name, value in options.items() if name != "params"}
        for spoiled in (
            {"page_size": 0}, {"page_size": largest + 1}, {"page_size": "ten"}, {"page_size": -1},
            {"page_size": 5, "page_token": "nonsense"}, {"page_size": 5, "page_token": "AAAA" * 10},
        ):  # fmt: skip
            status, code = tenant.call(method, path, params={**given, **spoiled}, **rest)
            assert status == 400
            assert code in (1002002, 1164301, 99992402, 1160102, 1160001), spoiled


def test_a_token_belongs_to_its_endpoint(tenant: TenantUnderTest) -> None:
    token = tenant.data("GET", "corehr/v1/job_levels", params={"page_size": 1})["page_token"]
    assert tenant.call("GET", "hire/v1/locations", params={"page_token": token}) == (400, 1002002)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "corehr/v1/pre_hires", 1164301),
        ("POST", "corehr/v2/pre_hires/search", 99992402),
        ("POST", "corehr/v1/offboardings/search", 1160102),
        ("POST", "corehr/v2/departments/search", 1160102),
        ("GET", "corehr/v1/job_levels", 99992402),
    ],
)
def test_core_hr_lists_require_a_size(
    tenant: TenantUnderTest, method: str, path: str, code: int
) -> None:
    assert tenant.call(method, path, json={}) == (400, code)


def test_a_record_that_appears_while_paging_repeats_nothing(tenant: TenantUnderTest) -> None:
    first = tenant.data("GET", "hire/v1/applications", params={"page_size": 5})
    application = tenant.waiting()
    tenant.data("POST", f"hire/v1/applications/{application['id']}/transfer_onboard", json={})
    rest = tenant.data(
        "GET", "hire/v1/applications", params={"page_size": 200, "page_token": first["page_token"]}
    )
    assert not set(first["items"]) & set(rest["items"])
    assert len(first["items"]) + len(rest["items"]) == len(tenant.control.records("applications"))


def test_the_objects_of_r5_have_their_own_code_for_a_bad_token(tenant: TenantUnderTest) -> None:
    path = "corehr/v1/custom_fields/list_object_api_name"
    names = [item["object_api_name"] for item in tenant.pages("GET", path, size=3)]
    assert {"offboarding_info", "pre_hire"} <= set(names)
    assert len(names) == len(set(names))
    assert tenant.call("GET", path, params={"page_size": 3, "page_token": "nonsense"}) == (
        400,
        1160009,
    )
