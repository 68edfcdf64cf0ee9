"""Signing in with Feishu: L1 (the page), L2 (the token), L4 (who it is), as the pages print them."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from .tenant_under_test import TenantUnderTest

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:-1]
BACK = "http://127.0.0.1:8000/sign-in/feishu/callback/"


def page(tenant: TenantUnderTest, **query: str) -> requests.Response:
    asked = {
        "client_id": "cli_sandbox", "response_type": "code", "redirect_uri": BACK, "state": "s 1",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", **query,
    }  # fmt: skip
    address = tenant.base_url + "/open-apis/authen/v1/authorize"
    return requests.get(address, params=asked, timeout=5, allow_redirects=False)


def code_for(tenant: TenantUnderTest, open_id: str, **query: str) -> str:
    told = parse_qs(urlsplit(page(tenant, choose=open_id, **query).headers["Location"]).query)
    return told["code"][0]


def token(tenant: TenantUnderTest, code: str, **body: Any) -> requests.Response:
    asked = {
        "grant_type": "authorization_code", "client_id": "cli_sandbox", "client_secret": "sandbox-secret",
        "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **body,
    }  # fmt: skip
    address = tenant.base_url + "/open-apis/authen/v2/oauth/token"
    sent = {name: value for name, value in asked.items() if value is not None}
    return requests.post(address, json=sent, timeout=5)


def user_info(tenant: TenantUnderTest, access: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {access}"}
    address = tenant.base_url + "/open-apis/authen/v1/user_info"
    return requests.get(address, headers=headers, timeout=5)


class TestPage:
    def test_offers_the_people_of_the_company_with_the_portals_own_first(
        self, tenant: TenantUnderTest
    ) -> None:
        answer = page(tenant)
        assert answer.status_code == 200
        assert answer.text.index("王人事") < answer.text.index(tenant.first("contacts")["name"])

    def test_finds_by_name_and_leaves_out_who_has_left(self, tenant: TenantUnderTest) -> None:
        gone = tenant.first("contacts", is_resigned=True)
        here = tenant.first("contacts", is_resigned=False)
        assert gone["id"] not in page(tenant, q=gone["name"]).text
        assert here["id"] in page(tenant, q=here["name"]).text

    def test_goes_back_with_code_and_state(self, tenant: TenantUnderTest) -> None:
        answer = page(tenant, choose=tenant.first("contacts")["id"])
        there = urlsplit(answer.headers["Location"])
        assert answer.status_code == 302
        assert there._replace(query="").geturl() == BACK
        assert parse_qs(there.query)["state"] == ["s 1"]
        assert len(parse_qs(there.query)["code"][0]) >= 64

    def test_goes_back_with_a_refusal(self, tenant: TenantUnderTest) -> None:
        told = parse_qs(urlsplit(page(tenant, refuse="1").headers["Location"]).query)
        assert told == {"error": ["access_denied"], "state": ["s 1"]}

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({"client_id": "cli_other"}, "20048"),
            ({"redirect_uri": "https://evil.example.com/"}, "20029"),
            ({"redirect_uri": ""}, "20029"),
            ({"response_type": "token"}, "20001"),
            ({"code_challenge_method": "S1"}, "20001"),
        ],
    )
    def test_never_goes_to_an_address_that_is_not_registered(
        self, tenant: TenantUnderTest, query: dict[str, str], code: str
    ) -> None:
        answer = page(tenant, choose="ou_1", **query)
        assert (answer.status_code, code in answer.text) == (400, True)
        assert "Location" not in answer.headers

    def test_puts_no_markup_of_others_into_the_page(self, tenant: TenantUnderTest) -> None:
        assert "<b>x" not in page(tenant, q="<b>x", state='"><b>x').text


class TestToken:
    def test_is_worth_one_person(self, tenant: TenantUnderTest) -> None:
        someone = tenant.first("contacts")
        answer = token(tenant, code_for(tenant, someone["id"])).json()
        assert (answer["code"], answer["token_type"]) == (0, "Bearer")
        info = user_info(tenant, answer["access_token"]).json()
        assert (info["code"], info["data"]["open_id"]) == (0, someone["id"])
        assert info["data"]["tenant_key"]
        assert not {"email", "mobile", "user_id"} & set(info["data"])

    def test_comes_once_for_a_code(self, tenant: TenantUnderTest) -> None:
        code = code_for(tenant, tenant.first("contacts")["id"])
        assert token(tenant, code).json()["code"] == 0
        again = token(tenant, code)
        assert (again.status_code, again.json()["code"]) == (400, 20065)
        assert again.json()["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"code": None}, 20001),
            ({"client_secret": "wrong"}, 20002),
            ({"client_id": "cli_other"}, 20048),
            ({"code": "unknown"}, 20003),
            ({"grant_type": "password"}, 20036),
            ({"redirect_uri": BACK + "?x"}, 20071),
            ({"code_verifier": "w" * 64}, 20049),
            ({"code_verifier": None}, 20049),
        ],
    )
    def test_is_refused(self, tenant: TenantUnderTest, body: dict[str, Any], code: int) -> None:
        given = code_for(tenant, tenant.first("contacts")["id"])
        answer = token(tenant, **{"code": given, **body})
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert "access_token" not in answer.json()

    def test_its_secrets_stay_out_of_the_request_log(self, tenant: TenantUnderTest) -> None:
        token(tenant, code_for(tenant, tenant.first("contacts")["id"]))
        (asked,) = [one for one in tenant.control.requests() if one["endpoint"] == "L2"]
        assert asked["body"] == {}


class TestUserInfo:
    @pytest.mark.parametrize("access", ["", "nonsense"])
    def test_refuses_with_http_200(self, tenant: TenantUnderTest, access: str) -> None:
        answer = user_info(tenant, access)
        assert (answer.status_code, answer.json()["code"]) == (200, 20005)

    def test_says_when_somebody_has_left(self, tenant: TenantUnderTest) -> None:
        someone = tenant.first("contacts", is_resigned=False)
        access = token(tenant, code_for(tenant, someone["id"])).json()["access_token"]
        tenant.control.patch("contacts", someone["id"], is_resigned=True)
        assert user_info(tenant, access).json()["code"] == 20021
