from typing import Any

import pytest

from .tenant_under_test import TenantUnderTest

STATUS = {"onboarding_status": {"enum_name": "preboarding"}}


class TestPatchPreHire:
    """A5."""

    def path(self, tenant: TenantUnderTest) -> str:
        return f"corehr/v1/pre_hires/{tenant.first('pre_hires', onboarding_status='preboarding')['id']}"

    def test_writes_what_it_is_given_and_keeps_the_rest(self, tenant: TenantUnderTest) -> None:
        path = self.path(tenant)
        before = tenant.data("GET", path)["pre_hire"]
        costs = [center["id"] for center in tenant.control.records("cost_centers", active=True)[:2]]
        rates = [{"cost_center_id": costs[0], "rate": 60}, {"cost_center_id": costs[1], "rate": 40}]
        custom = {"field_name": "custom_field_22__c", "value": '"true"'}
        body = {
            **STATUS,
            "hire_date": "2026-02-09",
            "cost_center_rate": rates,
            "custom_fields": [custom],
        }
        after = tenant.data("PATCH", path, json=body)["pre_hire"]
        assert after == tenant.data("GET", path)["pre_hire"]
        assert after["hire_date"] == "2026-02-09"
        assert after["cost_center_rate"] == rates
        assert after["custom_fields"] == [*before["custom_fields"], custom]
        assert after["onboarding_status"] == before["onboarding_status"]
        assert after["worker_id"] == before["worker_id"]

    def test_does_not_check_rules(self, tenant: TenantUnderTest) -> None:
        """The page says so: only data is written, nothing is validated."""
        body = {"hire_date": "1999-99-99", "onboarding_status": {"enum_name": "completed"}}
        after = tenant.data("PATCH", self.path(tenant), json=body)["pre_hire"]
        assert after["hire_date"] == "1999-99-99"
        assert after["onboarding_status"]["enum_name"] == "completed"

    def test_applies_one_client_token_once(self, tenant: TenantUnderTest) -> None:
        path = self.path(tenant)
        query = {"client_token": "one"}
        first = tenant.data("PATCH", path, params=query, json={**STATUS, "hire_date": "2026-02-09"})
        tenant.data("PATCH", path, json={**STATUS, "hire_date": "2026-03-09"})
        again = tenant.data("PATCH", path, params=query, json={**STATUS, "hire_date": "2026-02-09"})
        assert again == first
        assert tenant.data("GET", path)["pre_hire"]["hire_date"] == "2026-03-09"
        assert len(tenant.control.effects(path.rsplit("/", 1)[1])) == 2

    def test_forgets_the_token_of_a_refused_request(self, tenant: TenantUnderTest) -> None:
        path, query = self.path(tenant), {"client_token": "two"}
        assert tenant.call("PATCH", path, params=query, json={"hire_date": "2026-02-09"})[0] == 400
        assert tenant.call(
            "PATCH", path, params=query, json={**STATUS, "hire_date": "2026-02-09"}
        ) == (200, 0)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"onboarding_status": "preboarding"},
            {"onboarding_status": {}},
            {"onboarding_status": {"enum_name": "type_1"}},
            {**STATUS, "hire_date": 20260209},
            {**STATUS, "custom_fields": [{"field_name": "custom_field_22__c", "value": True}]},
            {**STATUS, "custom_fields": [{"value": "x"}]},
            {**STATUS, "cost_center_rate": {}},
        ],
    )
    def test_is_strict_about_types(self, tenant: TenantUnderTest, body: dict[str, Any]) -> None:
        assert tenant.call("PATCH", self.path(tenant), json=body) == (400, 99992402)

    def test_knows_no_stranger(self, tenant: TenantUnderTest) -> None:
        assert tenant.call("PATCH", "corehr/v1/pre_hires/1", json=STATUS) == (400, 1161105)


class TestCostCenterSplit:
    def codes(self, tenant: TenantUnderTest, *entries: dict[str, Any]) -> int:
        path = f"corehr/v1/pre_hires/{tenant.first('pre_hires', onboarding_status='preboarding')['id']}"
        return tenant.call("PATCH", path, json={**STATUS, "cost_center_rate": list(entries)})[1]

    @pytest.mark.parametrize("rate", [0, 101, -1, "50", 50.5, True])
    def test_has_whole_shares(self, tenant: TenantUnderTest, rate: Any) -> None:
        center = tenant.first("cost_centers")["id"]
        assert self.codes(tenant, {"cost_center_id": center, "rate": rate}) == 1161020

    def test_is_checked_in_the_order_of_the_table(self, tenant: TenantUnderTest) -> None:
        center = tenant.first("cost_centers")["id"]
        inactive = tenant.first("cost_centers", active=False)["id"]
        full = {"cost_center_id": center, "rate": 100}
        assert (
            self.codes(tenant, {"cost_center_id": center}, {"cost_center_id": center, "rate": 0})
            == 1161019
        )
        assert self.codes(tenant, {"cost_center_id": center, "rate": 0}, {"rate": 5}) == 1161020
        assert self.codes(tenant, {"cost_center_id": "1"}) == 1161021
        assert self.codes(tenant, {"cost_center_id": "1", "rate": 1}) == 1161022
        assert self.codes(tenant, {"cost_center_id": inactive, "rate": 1}) == 1161023
        assert self.codes(tenant, {"cost_center_id": inactive, "rate": 100}) == 1161024
        assert self.codes(tenant, full) == 0

    def test_follows_a_center_switched_off_in_the_console(self, tenant: TenantUnderTest) -> None:
        center = tenant.first("cost_centers")["id"]
        tenant.control.patch("cost_centers", center, active=False)
        assert self.codes(tenant, {"cost_center_id": center, "rate": 100}) == 1161024
