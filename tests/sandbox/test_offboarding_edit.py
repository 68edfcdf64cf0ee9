from datetime import timedelta
from typing import Any

import pytest

from .conftest import TODAY
from .tenant_under_test import TenantUnderTest

PATH = "corehr/v2/offboardings/edit"


def ordinary(tenant: TenantUnderTest) -> str:
    """An approved departure without hidden facts."""
    return str(tenant.control.specials()["A4:1160601"]["subject"])


def edit(tenant: TenantUnderTest, offboarding: str, **fields: Any) -> tuple[int, int]:
    data = [{"field_name": name, "value": value} for name, value in fields.items()]
    return tenant.call("POST", PATH, json={"offboarding_id": offboarding, "update_data": data})


def read(tenant: TenantUnderTest, offboarding: str) -> dict[str, Any]:
    items = tenant.pages("POST", "corehr/v1/offboardings/search", size=100, json={})
    return next(item for item in items if item["offboarding_id"] == offboarding)


class TestEditOffboarding:
    """A4."""

    def test_changes_standard_and_custom_fields(self, tenant: TenantUnderTest) -> None:
        offboarding = ordinary(tenant)
        day = (TODAY + timedelta(days=45)).isoformat()
        fields = [
            {"field_name": "offboarding_date", "value": day},
            {"field_name": "reason", "value": "reason_for_offboarding_option8"},
            {"field_name": "add_block_list", "value": "true"},
            {"field_name": "block_reason", "value": "block_fraud"},
            {"field_name": "apply_finish_time", "value": "2026-01-10 09:30:00"},
            {"field_name": "custom_field_3__c", "value": "true"},
            {"field_name": "custom_field_4__c", "value": "-1.5"},
            {"field_name": "custom_field_6__c", "value": '["opt_party","opt_alumni"]'},
            {"field_name": "custom_field_8__c", "value": "https://example.com/a?b=c"},
        ]
        body = {"offboarding_id": offboarding, "update_data": fields}
        assert tenant.data("POST", PATH, json=body) == {"data": fields}
        shown = read(tenant, offboarding)
        info = shown["offboarding_info"]
        assert info["offboarding_date"] == day
        assert info["reason"]["enum_name"] == "reason_for_offboarding_option8"
        assert info["add_block_list"] == "true", "a string in O1"
        assert shown["application_info"]["apply_finish_time"] == "2026-01-10 09:30:00"
        custom = {field["custom_api_name"]: field["value"] for field in info["custom_fields"]}
        assert custom["custom_field_6__c"] == '["opt_party","opt_alumni"]'
        assert custom["custom_field_4__c"] == "-1.5"

    def test_leaves_one_effect_with_before_and_after(self, tenant: TenantUnderTest) -> None:
        offboarding = ordinary(tenant)
        assert edit(tenant, offboarding, reason_explanation="改") == (200, 0)
        (effect,) = tenant.control.effects(offboarding)
        assert (effect["operation"], effect["endpoint"]) == ("edit_offboarding", "A4")
        assert effect["after"] == {"reason_explanation": "改"}

    def test_changes_all_or_nothing(self, tenant: TenantUnderTest) -> None:
        offboarding = ordinary(tenant)
        before = read(tenant, offboarding)
        assert edit(tenant, offboarding, reason_explanation="改", custom_field_3__c="yes") == (
            400,
            1160639,
        )
        assert read(tenant, offboarding) == before
        assert tenant.control.effects(offboarding) == []

    @pytest.mark.parametrize(
        "status", ["Approving", "Rejected", "Withdrawn", "NoNeedApproval", "Offboarded"]
    )
    def test_needs_an_approved_record(self, tenant: TenantUnderTest, status: str) -> None:
        offboarding = ordinary(tenant)
        tenant.control.patch("offboardings", offboarding, status=status)
        assert edit(tenant, offboarding, reason_explanation="改") == (400, 1160623)

    @pytest.mark.parametrize(
        "name",
        [
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
            "custom_field_11__c",
        ],
    )
    def test_refuses_fixed_fields(self, tenant: TenantUnderTest, name: str) -> None:
        assert edit(tenant, ordinary(tenant), **{name: "x"}) == (400, 1160623)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"offboarding_id": ""},
            {"offboarding_id": 7300000000000000001},
            {"update_data": None},
            {"update_data": []},
            {"update_data": {}},
            {"update_data": ["reason"]},
            {"update_data": [{"field_name": "reason_explanation"}]},
            {"update_data": [{"field_name": "reason_explanation", "value": None}]},
            {"update_data": [{"field_name": "custom_field_3__c", "value": True}]},
            {"update_data": [{"field_name": "", "value": "x"}]},
            {"update_data": [{"field_name": "no_such_field", "value": "x"}]},
            {"update_data": [{"field_name": "reason_explanation", "value": "x"}] * 10_001},
            {"operator_id": 1},
        ],
    )
    def test_is_strict_about_types(self, tenant: TenantUnderTest, body: dict[str, Any]) -> None:
        good = {
            "offboarding_id": ordinary(tenant),
            "update_data": [{"field_name": "reason_explanation", "value": "x"}],
        }
        sent = {**good, **body} if body else {}
        assert tenant.call("POST", PATH, json=sent) == (400, 1160102)

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("custom_field_7__c", "20260131", 1160638),
            ("custom_field_7__c", "2026-02-29", 1160638),
            ("custom_field_7__c", "2026-1-31", 1160638),
            ("offboarding_date", "", 1160638),
            ("offboarding_date", "2026-01-31 00:00:00", 1160638),
            ("custom_field_3__c", "True", 1160639),
            ("custom_field_4__c", "1.25", 1160630),
            ("custom_field_4__c", "１", 1160630),
            ("custom_field_6__c", "opt_party", 1160619),
            ("custom_field_6__c", '["opt_party","x"]', 1160619),
            ("custom_field_8__c", "javascript:alert(1)", 1160617),
            ("custom_field_8__c", "https://", 1160617),
            ("custom_field_2__c", "长" * 6001, 1160618),
            ("employee_reason_explanation", "长" * 6001, 1160604),
            ("reason", "reason_for_offboarding_option99", 1160619),
            ("block_reason", "block_fraud", 1160710),
            ("noncompete_agreement_end_date", "2030-01-01", 1160700),
        ],
    )
    def test_checks_values_by_type(
        self, tenant: TenantUnderTest, name: str, value: str, code: int
    ) -> None:
        assert edit(tenant, ordinary(tenant), **{name: value}) == (400, code)

    @pytest.mark.parametrize(
        ("name", "length"), [("custom_field_1__c", 255), ("custom_field_2__c", 6000)]
    )
    def test_takes_texts_up_to_the_limit(
        self, tenant: TenantUnderTest, name: str, length: int
    ) -> None:
        assert edit(tenant, ordinary(tenant), **{name: "长" * length}) == (200, 0)

    def test_wants_noncompete_dates_in_order(self, tenant: TenantUnderTest) -> None:
        start, end = (
            {"noncompete_agreement_start_date": "2026-03-01"},
            {"noncompete_agreement_end_date": "2026-02-01"},
        )
        fields = {"enforce_noncompete_agreement": "true", **start}
        assert edit(tenant, ordinary(tenant), **fields, **end) == (400, 1160700)
        assert edit(tenant, ordinary(tenant), **fields) == (200, 0)


class TestOperators:
    def test_are_known_in_the_named_type_only(self, tenant: TenantUnderTest) -> None:
        """O1 answers open ids by default, A4 expects CoreHR ids by default."""
        leader = tenant.control.record("contacts", tenant.first("departments")["manager"])
        body = {
            "offboarding_id": ordinary(tenant),
            "update_data": [{"field_name": "reason_explanation", "value": "x"}],
        }
        corehr, open_id = (
            {**body, "operator_id": leader["employment_id"]},
            {**body, "operator_id": leader["id"]},
        )
        assert tenant.call("POST", PATH, json=corehr) == (200, 0)
        assert tenant.call("POST", PATH, json=open_id) == (400, 1160624)
        assert tenant.call("POST", PATH, params={"user_id_type": "open_id"}, json=open_id) == (
            200,
            0,
        )


class TestPeople:
    def test_in_custom_fields_are_employment_ids_whatever_the_type(
        self, tenant: TenantUnderTest
    ) -> None:
        employment = tenant.first("employments", employment_status="hired")
        data = [{"field_name": "custom_field_9__c", "value": employment["id"]}]
        body = {"offboarding_id": ordinary(tenant), "update_data": data}
        assert tenant.call("POST", PATH, params={"user_id_type": "open_id"}, json=body) == (200, 0)
        data[0]["value"] = employment["open_id"]
        assert tenant.call("POST", PATH, params={"user_id_type": "open_id"}, json=body) == (
            400,
            1160636,
        )
