from typing import Any

import pytest

from .tenant_under_test import TenantUnderTest

TIME = "1767225600000"


class TestTalentStatus:
    """A1."""

    def change(self, tenant: TenantUnderTest, talent: str, body: Any) -> tuple[int, int]:
        return tenant.call("POST", f"hire/v1/talents/{talent}/onboard_status", json=body)

    def is_onboarded(self, tenant: TenantUnderTest, talent: str) -> bool:
        shown = tenant.data("GET", f"hire/v2/talents/{talent}", params={"user_id_type": "open_id"})
        return bool(shown["is_onboarded"])

    def test_onboards_and_offboards_once(self, tenant: TenantUnderTest) -> None:
        talent = tenant.first("talents", state="none")["id"]
        answer = tenant.raw(
            "POST",
            f"hire/v1/talents/{talent}/onboard_status",
            json={"operation": 1, "onboard_time": TIME},
        )
        assert answer.json() == {"code": 0, "msg": "SUCCESS", "data": {}}
        assert self.is_onboarded(tenant, talent)
        assert self.change(tenant, talent, {"operation": 2, "overboard_time": TIME}) == (200, 0)
        assert not self.is_onboarded(tenant, talent)
        assert tenant.control.operations(talent) == ["onboard_talent", "offboard_talent"]

    @pytest.mark.parametrize("state", ["onboarded", "left"])
    def test_cannot_onboard_who_is_or_was(self, tenant: TenantUnderTest, state: str) -> None:
        talent = tenant.first("talents", state=state)["id"]
        assert self.change(tenant, talent, {"operation": 1, "onboard_time": TIME}) == (400, 1002002)
        assert tenant.control.effects(talent) == []

    @pytest.mark.parametrize("state", ["none", "left"])
    def test_cannot_offboard_who_is_not_there(self, tenant: TenantUnderTest, state: str) -> None:
        talent = tenant.first("talents", state=state)["id"]
        assert self.change(tenant, talent, {"operation": 2, "overboard_time": TIME}) == (
            400,
            1002002,
        )

    def test_takes_the_sample_with_both_times(self, tenant: TenantUnderTest) -> None:
        talent = tenant.first("talents", state="none")["id"]
        body = {"operation": 1, "onboard_time": TIME, "overboard_time": TIME}
        assert self.change(tenant, talent, body) == (200, 0)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"operation": 1},
            {"operation": 1, "overboard_time": TIME},
            {"operation": 2, "onboard_time": TIME},
            {"operation": "1", "onboard_time": TIME},
            {"operation": True, "onboard_time": TIME},
            {"operation": 1.0, "onboard_time": TIME},
            {"operation": 3, "onboard_time": TIME},
            {"operation": 1, "onboard_time": int(TIME)},
            {"operation": 1, "onboard_time": ""},
            {"operation": 1, "onboard_time": "2026-01-01"},
            {"operation": 1, "onboard_time": "-1767225600000"},
            {"operation": 1, "onboard_time": "0"},
            {"operation": 1, "onboard_time": "1767225600000.5"},
            {"operation": 1, "onboard_time": "１７６７２２５６０００００"},
            {"operation": 1, "onboard_time": str(2**63)},
            {"operation": 1, "onboard_time": TIME, "overboard_time": 1},
        ],
    )
    def test_is_strict_about_types(self, tenant: TenantUnderTest, body: dict[str, Any]) -> None:
        talent = tenant.first("talents", state="none")["id"]
        assert self.change(tenant, talent, body) == (400, 1002002)
        assert tenant.control.effects(talent) == []

    def test_knows_no_stranger(self, tenant: TenantUnderTest) -> None:
        assert self.change(tenant, "123", {"operation": 1, "onboard_time": TIME}) == (400, 1002002)
