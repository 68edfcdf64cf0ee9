"""The endpoints as Feishu publishes them, and that this package stands alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lifecycle.feishu import endpoints
from lifecycle.feishu.endpoints import Window

PACKAGE = Path(endpoints.__file__).parent

MINUTE_20 = (Window(20, 60),)
MINUTE_100 = (Window(100, 60),)
MINUTE_1000 = (Window(1000, 60), Window(50, 1))
SECOND_10 = (Window(10, 1),)
SECOND_20 = (Window(20, 1),)

PUBLISHED = {
    "POST /auth/v3/tenant_access_token/internal": (),
    "POST /hire/v1/talents/:talent_id/onboard_status": MINUTE_20,
    "PATCH /hire/v1/employees/:employee_id": MINUTE_1000,
    "POST /hire/v1/applications/:application_id/transfer_onboard": SECOND_20,
    "POST /corehr/v2/offboardings/edit": SECOND_20,
    "PATCH /corehr/v1/pre_hires/:pre_hire_id": MINUTE_100,
    "GET /hire/v1/talents": SECOND_20,
    "GET /hire/v2/talents/:talent_id": SECOND_20,
    "GET /hire/v1/applications": MINUTE_1000,
    "GET /hire/v1/applications/:application_id": MINUTE_1000,
    "GET /hire/v1/applications/:application_id/get_detail": SECOND_10,
    "GET /hire/v1/job_processes": SECOND_20,
    "GET /hire/v1/employees/:employee_id": MINUTE_1000,
    "GET /hire/v1/employees/get_by_application": MINUTE_1000,
    "GET /hire/v1/locations": SECOND_20,
    "GET /hire/v1/job_requirements": MINUTE_1000,
    "GET /corehr/v1/pre_hires": MINUTE_1000,
    "GET /corehr/v1/pre_hires/:pre_hire_id": MINUTE_1000,
    "POST /corehr/v2/pre_hires/search": MINUTE_100,
    "POST /corehr/v1/offboardings/search": MINUTE_100,
    "POST /corehr/v1/offboardings/query": MINUTE_100,
    "POST /corehr/v2/employees/batch_get": MINUTE_100,
    "GET /corehr/v1/custom_fields/query": MINUTE_1000,
    "GET /corehr/v1/custom_fields/get_by_param": MINUTE_1000,
    "GET /corehr/v1/employee_types": MINUTE_1000,
    "POST /corehr/v2/departments/search": MINUTE_100,
    "POST /corehr/v2/departments/batch_get": MINUTE_1000,
    "POST /corehr/v2/cost_centers/search": MINUTE_1000,
    "GET /corehr/v1/job_levels": MINUTE_1000,
    "POST /corehr/v1/common_data/id/convert": MINUTE_1000,
    "GET /contact/v3/users/batch": MINUTE_1000,
    "POST /im/v1/messages": MINUTE_1000,
    "PATCH /im/v1/messages/:message_id": MINUTE_1000,
    "POST /authen/v2/oauth/token": MINUTE_1000,
    "GET /authen/v1/user_info": (),
}


OTHERS = endpoints.WRITES + endpoints.READS + endpoints.MESSAGES + endpoints.SIGN_IN


class TestEndpoints:
    def test_have_the_published_limits(self) -> None:
        assert {one.key: one.windows for one in endpoints.ALL.values()} == PUBLISHED

    def test_are_found_by_their_name(self) -> None:
        assert all(endpoints.ALL[one.name] is one for one in OTHERS)
        assert len(endpoints.ALL) == len(OTHERS) + 1

    def test_mark_exactly_the_five_writes(self) -> None:
        assert tuple(one for one in endpoints.ALL.values() if one.is_write) == endpoints.WRITES
        assert len(endpoints.WRITES) == 5


class TestPackage:
    @pytest.mark.parametrize(
        "path",
        [*PACKAGE.glob("*.py"), *(PACKAGE.parent / "errors").glob("feishu_code*.py")],
        ids=lambda path: path.name,
    )
    def test_imports_no_django_and_nothing_above_it(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        names += [
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        ]
        assert not [name for name in names if name.split(".")[0] == "django"]
        ours = [name for name in names if name.split(".")[0] == "lifecycle"]
        assert not [name for name in ours if name.split(".")[1] not in {"feishu", "errors"}]
