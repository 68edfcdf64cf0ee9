"""Every documented (endpoint, code) pair is reached by a request, with the status the page prints."""

from pathlib import Path

import pytest

from lifecycle.sandbox import codes

from .tenant_under_test import TenantUnderTest

DOCUMENTED = {
    "A1": {1002001: 500, 1002002: 400},
    "A2": {1002001: 500, 1002002: 400, 1002902: 400, 1002903: 400, 1002905: 400, 1002907: 400, 1002908: 400,
           1002910: 400},
    "A3": {1002001: 500, 1002002: 400, 1002901: 404, 1002902: 400, 1002904: 400, 1002905: 400, 1002908: 500,
           1002210: 500},
    "A4": dict.fromkeys((
        1160102, 1160103, 1160200, 1160203, 1160204, 1160205, 1160300, 1160304, 1160601, 1160602, 1160603, 1160604,
        1160607, 1160608, 1160610, 1160617, 1160618, 1160619, 1160623, 1160624, 1160625, 1160630, 1160631, 1160636,
        1160637, 1160638, 1160639, 1160700, 1160710, 1161000, 1161001, 1161002), 400),
    "A5": {1161019: 400, 1161020: 400, 1161021: 400, 1161022: 400, 1161023: 400, 1161024: 400, 1161025: 400,
           1160025: 500},
}  # fmt: skip
PAIRS = [
    (endpoint, code, status)
    for endpoint, codes in DOCUMENTED.items()
    for code, status in codes.items()
]
INJECTED = {
    ("A1", 1002001),
    ("A2", 1002001),
    ("A3", 1002001),
    ("A4", 1160103),
    ("A4", 1161000),
    ("A5", 1160025),
}


def test_are_fifty_six_of_the_seeds_and_two_of_the_newer_page() -> None:
    assert len(PAIRS) == 58


@pytest.mark.parametrize(("endpoint", "code", "status"), PAIRS)
def test_is_answered_and_nothing_is_applied(
    tenant: TenantUnderTest, endpoint: str, code: int, status: int
) -> None:
    special = tenant.control.specials()[f"{endpoint}:{code}"]
    if special["settings"]:
        tenant.control.settings(**special["settings"])
    if special["fault"]:
        tenant.control.fault(**special["fault"])
    effects_before = len(tenant.control.effects())

    answer = tenant.http.request(
        special["method"], tenant.base_url + special["path"], json=special["body"], timeout=5
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["error"]["log_id"] == answer.headers["X-Tt-Logid"]
    assert len(tenant.control.effects()) == effects_before
    assert (special["fault"] is not None) == ((endpoint, code) in INJECTED)


@pytest.mark.parametrize(
    "key", ["A4:1160103", "A5:1160025", "A1:1002001", "A2:1002001", "A3:1002001"]
)
def test_internal_errors_may_hide_an_applied_write(tenant: TenantUnderTest, key: str) -> None:
    special = tenant.control.specials()[key]
    tenant.control.fault(**{**special["fault"], "applied": True})
    answer = tenant.http.request(
        special["method"], tenant.base_url + special["path"], json=special["body"], timeout=5
    )
    assert answer.json()["code"] == special["code"]
    assert len(tenant.control.effects(special["subject"])) == 1


@pytest.mark.parametrize("code", sorted({code for _, code, _ in PAIRS}))
def test_readme_says_how_it_is_reached(code: int) -> None:
    readme = (Path(codes.__file__).parent / "README.md").read_text()
    assert str(code) in readme or code in range(1161020, 1161023)
