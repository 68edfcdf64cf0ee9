import pytest

from .tenant_under_test import TenantUnderTest


class TestReferenceData:
    def test_employments_in_batches(self, tenant: TenantUnderTest) -> None:
        record = tenant.first("employments", employment_status="terminated")
        fields = [
            "employment_status",
            "person_info.preferred_name",
            "department_id_v2",
            "expiration_date",
        ]
        body = {"employment_ids": [record["open_id"], "ou_nobody"], "fields": fields}
        (item,) = tenant.data("POST", "corehr/v2/employees/batch_get", json=body)["items"]
        assert item == {
            "employment_id": record["open_id"],
            "employment_status": {
                "enum_name": "terminated",
                "display": [
                    {"lang": "zh-CN", "value": "离职"},
                    {"lang": "en-US", "value": "Terminated"},
                ],
            },
            "person_info": {"preferred_name": record["name"]},
            "department_id_v2": record["department"],
            "expiration_date": record["expiration_date"],
        }
        assert tenant.call("POST", "corehr/v2/employees/batch_get", json={}) == (400, 1160102)
        too_many = {"employment_ids": ["x"] * 101}
        assert tenant.call("POST", "corehr/v2/employees/batch_get", json=too_many) == (400, 1160102)

    def test_custom_fields_cover_every_type(self, tenant: TenantUnderTest) -> None:
        query = {"object_api_name_list": ["offboarding_info", "pre_hire"]}
        items = tenant.data("GET", "corehr/v1/custom_fields/query", params=query)["items"]
        mine = [item for item in items if item["object_api_name"] == "offboarding_info"]
        assert {item["type"] for item in mine} >= {1, 2, 3, 4, 5, 7, 8}
        texts = [
            item["common_schema_config"]["text_field_setting"] for item in mine if item["type"] == 1
        ]
        assert {(text["is_multiline"], text["is_url_type"]) for text in texts} == {
            (False, False), (True, False), (False, True),
        }  # fmt: skip
        enums = [
            item["common_schema_config"]["enum_field_setting"] for item in mine if item["type"] == 4
        ]
        assert {enum["is_multiple"] for enum in enums} == {True, False}
        assert all(item["custom_api_name"].endswith("__c") for item in items)
        assert any(item["object_api_name"] == "pre_hire" for item in items)

    def test_one_field_may_be_a_standard_one(self, tenant: TenantUnderTest) -> None:
        path = "corehr/v1/custom_fields/get_by_param"
        query = {"object_api_name": "offboarding_info", "custom_api_name": "reason"}
        field = tenant.data("GET", path, params=query)["data"]
        options = field["common_schema_config"]["enum_field_setting"]["enum_field_option_list"]
        assert "reason_for_offboarding_option8" in [option["api_name"] for option in options]
        assert tenant.call("GET", path) == (400, 1160006)
        assert tenant.call("GET", path, params={**query, "object_api_name": "x"}) == (400, 1162010)
        assert tenant.call("GET", path, params={**query, "custom_api_name": "x"}) == (400, 1162020)
        assert tenant.call("GET", "corehr/v1/custom_fields/query") == (400, 1160005)

    def test_departments_are_a_tree_with_managers(self, tenant: TenantUnderTest) -> None:
        fields = ["department_name", "manager", "parent_department_id", "active", "is_root"]
        path = "corehr/v2/departments/search"
        items = {
            item["id"]: item
            for item in tenant.pages("POST", path, size=50, json={"fields": fields})
        }
        roots = [item for item in items.values() if item["is_root"]]
        assert len(roots) == 1
        for item in items.values():
            assert item["is_root"] or item["parent_department_id"] in items
        below = tenant.pages(
            "POST",
            path,
            size=50,
            json={"parent_department_id": roots[0]["id"], "get_all_children": True},
        )
        assert len(below) == len(items) - 1
        direct = tenant.pages("POST", path, size=50, json={"parent_department_id": roots[0]["id"]})
        assert 0 < len(direct) < len(below)
        body = {"department_id_list": [roots[0]["id"]], "fields": ["department_name"]}
        (shown,) = tenant.data("POST", "corehr/v2/departments/batch_get", json=body)["items"]
        assert shown["department_name"][0]["value"] == "星河科技"
        assert tenant.data("POST", "corehr/v2/departments/batch_get", json={})["items"] == []

    def test_levels_by_id_and_code(self, tenant: TenantUnderTest) -> None:
        first = tenant.data("GET", "corehr/v1/job_levels", params={"page_size": "1"})["items"][0]
        body = {"job_level_ids": [first["id"]], "job_level_codes": ["P2"]}
        items = tenant.data("POST", "corehr/v2/job_levels/batch_get", json=body)["items"]
        assert [item["code"] for item in items] == ["P1", "P2"]
        assert items[0]["job_level_id"] == first["id"]
        assert tenant.call("POST", "corehr/v2/job_levels/batch_get", json={}) == (400, 1160001)

    @pytest.mark.parametrize(
        "kind", ["user_id", "department_id", "job_level_id", "job_family_id", "employee_type_id"]
    )
    def test_ids_convert_both_ways(self, tenant: TenantUnderTest, kind: str) -> None:
        core_hr = self.core_hr_id(tenant, kind)
        there = self.converted(tenant, kind, 1, core_hr)
        assert there != core_hr
        assert self.converted(tenant, kind, 2, there) == core_hr

    def core_hr_id(self, tenant: TenantUnderTest, kind: str) -> str:
        if kind == "user_id":
            return str(tenant.first("employments")["id"])
        if kind == "department_id":
            return str(tenant.first("departments")["people_corehr_department_id"])
        table = {
            "job_level_id": "job_levels",
            "job_family_id": "job_families",
            "employee_type_id": "employee_types",
        }
        return str(tenant.first(table[kind])["id"])

    def converted(self, tenant: TenantUnderTest, kind: str, direction: int, sent: str) -> str:
        query = {"id_transform_type": direction, "id_type": kind}
        body = {"ids": [sent, "unknown"]}
        items = tenant.data("POST", "corehr/v1/common_data/id/convert", params=query, json=body)[
            "items"
        ]
        assert [item["id"] for item in items] == [sent]
        return str(items[0]["target_id"])

    def test_contacts(self, tenant: TenantUnderTest) -> None:
        record = next(c for c in tenant.control.records("contacts") if c["leader"])
        body = tenant.data(
            "GET", "contact/v3/users/batch", params={"user_ids": [record["id"], "ou_nobody"]}
        )
        (user,) = body["items"]
        assert user["leader_user_id"] == record["leader"]
        assert user["department_ids"] == [record["department"]]
        path = f"contact/v3/users/{record['user_id']}"
        one = tenant.data("GET", path, params={"user_id_type": "user_id"})["user"]
        assert one["open_id"] == record["id"]
        assert tenant.call("GET", "contact/v3/users/ou_nobody") == (400, 41012)
        assert tenant.call("GET", "contact/v3/users/batch", params={"user_ids": ["x"] * 51}) == (
            400,
            40001,
        )

    def test_locations_and_requirements(self, tenant: TenantUnderTest) -> None:
        codes = [item["city"]["code"] for item in tenant.pages("GET", "hire/v1/locations", size=5)]
        assert "CT_2" in codes
        employee = tenant.on_probation()
        assert employee["onboard_city_code"] in codes
        requirements = [
            item["id"] for item in tenant.pages("GET", "hire/v1/job_requirements", size=5)
        ]
        assert employee["job_requirement_id"] in requirements
