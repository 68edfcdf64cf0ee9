"""Signing in with Feishu, against the sandbox over real HTTP."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from lifecycle.feishu import sign_in
from lifecycle.feishu.errors import InvalidValue, NoAnswer, NotSent, Refused
from lifecycle.feishu.limits import ProcessLimiter
from lifecycle.feishu.sign_in import SignInClient
from lifecycle.feishu.transport import Timeouts

BACK = "http://127.0.0.1:8000/sign-in/feishu/callback/"


def client_for(url: str) -> SignInClient:
    return SignInClient(
        base_url=url,
        app_id="cli_sandbox",
        app_secret="sandbox-secret",
        limiter=ProcessLimiter(scale=1000),
        timeouts=Timeouts(connect_s=0.5, read_s=1, total_s=1),
    )


@pytest.fixture
def tenant(sandbox_server):
    sandbox_server.control.reset()
    yield sandbox_server
    sandbox_server.control.clear_faults()


def agree(tenant, verifier: str, open_id: str) -> str:
    """The code Feishu sends back when this person agrees."""
    address = sign_in.authorize_url(
        tenant.base_url, app_id="cli_sandbox", redirect_uri=BACK, state="st", verifier=verifier
    )
    answer = requests.get(f"{address}&choose={open_id}", allow_redirects=False, timeout=5)
    told = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert told["state"] == ["st"]
    return told["code"][0]


class TestPkce:
    def test_makes_the_challenge_of_the_rfc(self):
        """RFC 7636, appendix B."""
        verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        assert sign_in.challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    def test_draws_another_secret_each_time(self):
        first, second = sign_in.new_verifier(), sign_in.new_verifier()
        assert first != second
        assert 43 <= len(first) <= 128

    def test_sends_nobody_to_an_unsafe_address(self):
        with pytest.raises(InvalidValue):
            sign_in.authorize_url(
                "http://accounts.example.com",
                app_id="a",
                redirect_uri=BACK,
                state="s",
                verifier="v",
            )


class TestWho:
    def test_is_the_person_who_agreed(self, tenant):
        someone = tenant.control.records("contacts", limit=1)[0]
        verifier = sign_in.new_verifier()
        code = agree(tenant, verifier, someone["id"])
        who = client_for(tenant.base_url).who(code=code, redirect_uri=BACK, verifier=verifier)
        assert (who.open_id, who.name) == (someone["id"], someone["name"])
        assert who.tenant_key
        assert someone["name"] not in repr(who)

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"verifier": "w" * 64}, 20049),
            ({"redirect_uri": BACK + "x"}, 20071),
            ({"code": "unknown"}, 20003),
        ],
    )
    def test_is_nobody_when_feishu_refuses(self, tenant, wrong, code):
        verifier = sign_in.new_verifier()
        given = agree(tenant, verifier, tenant.control.records("contacts", limit=1)[0]["id"])
        asked = {"code": given, "redirect_uri": BACK, "verifier": verifier} | wrong
        with pytest.raises(Refused) as refused:
            client_for(tenant.base_url).who(**asked)
        assert refused.value.code == code
        assert given not in str(refused.value)

    def test_a_code_works_once(self, tenant):
        verifier = sign_in.new_verifier()
        code = agree(tenant, verifier, tenant.control.records("contacts", limit=1)[0]["id"])
        asked = {"code": code, "redirect_uri": BACK, "verifier": verifier}
        client_for(tenant.base_url).who(**asked)
        with pytest.raises(Refused) as refused:
            client_for(tenant.base_url).who(**asked)
        assert refused.value.code == 20065

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ({"kind": "drop_after", "endpoint": "L2"}, NoAnswer),
            ({"kind": "hang", "endpoint": "L2", "delay_s": 3}, NoAnswer),
            ({"kind": "garbage", "endpoint": "L4"}, NoAnswer),
            ({"kind": "redirect", "endpoint": "L4"}, NoAnswer),
            ({"kind": "garbage", "endpoint": "L4", "body": '{"code": 0, "data": {}}'}, NoAnswer),
            ({"kind": "garbage", "endpoint": "L2", "body": '{"code": 0}'}, NoAnswer),
            ({"kind": "code", "endpoint": "L4", "code": 20021}, Refused),
        ],
    )
    def test_is_nobody_when_the_answer_makes_no_sense(self, tenant, fault, error):
        verifier = sign_in.new_verifier()
        code = agree(tenant, verifier, tenant.control.records("contacts", limit=1)[0]["id"])
        fault = dict(fault)
        tenant.control.fault(fault.pop("kind"), **fault)
        with pytest.raises(error):
            client_for(tenant.base_url).who(code=code, redirect_uri=BACK, verifier=verifier)

    def test_is_nobody_when_nobody_listens(self):
        with pytest.raises(NotSent):
            client_for("http://127.0.0.1:1").who(code="c", redirect_uri=BACK, verifier="v" * 43)
