import time

from .tenant_under_test import TenantUnderTest


class TestRateLimits:
    def test_follow_the_published_window(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(rate_scale=0.5)
        answers = [tenant.raw("GET", "hire/v1/applications/1/get_detail") for _ in range(6)]
        assert [answer.json()["code"] for answer in answers] == [1002201] * 5 + [99991400]
        throttled = answers[-1]
        assert throttled.status_code == 429
        assert throttled.headers["x-ogw-ratelimit-limit"] == "5"
        assert throttled.headers["x-ogw-ratelimit-reset"] == "1"

    def test_let_calls_pass_after_the_reset(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(rate_scale=0.1)
        assert tenant.call("GET", "hire/v1/applications/1/get_detail")[1] == 1002201
        throttled = tenant.raw("GET", "hire/v1/applications/1/get_detail")
        assert throttled.status_code == 429
        time.sleep(int(throttled.headers["x-ogw-ratelimit-reset"]))
        assert tenant.call("GET", "hire/v1/applications/1/get_detail")[1] == 1002201

    def test_of_a_minute_trip_as_well(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(rate_scale=0.05)
        codes = [tenant.call("GET", "hire/v1/employees/1")[1] for _ in range(3)]
        assert codes == [1002903, 1002903, 99991400], "2.5 a second"
        talent = tenant.first("talents", state="none")["id"]
        answers = [
            tenant.raw("POST", f"hire/v1/talents/{talent}/onboard_status", json={})
            for _ in range(2)
        ]
        assert [answer.json()["code"] for answer in answers] == [1002002, 99991400], "1 a minute"
        assert 55 <= int(answers[-1].headers["x-ogw-ratelimit-reset"]) <= 60

    def test_are_counted_per_endpoint(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(rate_scale=0.05)
        assert tenant.call("GET", "hire/v1/job_processes") == (200, 0)
        assert tenant.call("GET", "hire/v1/job_processes")[1] == 99991400
        assert tenant.call("GET", "hire/v1/locations") == (200, 0)

    def test_can_answer_400_as_old_apis_do(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(rate_scale=0.05, old_style_429=True)
        tenant.call("GET", "hire/v1/job_processes")
        answer = tenant.raw("GET", "hire/v1/job_processes")
        assert (answer.status_code, answer.json()["code"]) == (400, 99991400)
        assert "x-ogw-ratelimit-reset" in answer.headers

    def test_apply_nothing_when_they_trip(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(rate_scale=0.05)
        talent = tenant.first("talents", state="none")["id"]
        body = {"operation": 1, "onboard_time": "1767225600000"}
        path = f"hire/v1/talents/{talent}/onboard_status"
        assert tenant.call("POST", path, json=body) == (200, 0)
        assert (
            tenant.call("POST", path, json={"operation": 2, "overboard_time": "1767225600000"})[1]
            == 99991400
        )
        assert tenant.control.operations(talent) == ["onboard_talent"]
