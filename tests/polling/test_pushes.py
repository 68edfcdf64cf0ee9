"""Events that Feishu pushes: proven, taken once, never believed, and not needed."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.feishu.events import (
    SUBJECTS,
    Announced,
    BadEvent,
    Challenge,
    Forged,
    Secrets,
    decrypt,
    read_event,
)
from lifecycle.models import ChangeEvent, Offboarding, PreHire, PushedEvent
from lifecycle.services import pushes
from tests.polling.conftest import poll

pytestmark = pytest.mark.django_db

KEY, TOKEN = "portal-encrypt-key-01", "vtok-01"
SECRETS = Secrets(KEY, TOKEN)
# The vector of the contract, section 11.5.
VECTOR = (
    b'{"encrypt":"AAECAwQFBgcICQoLDA0OD/5bNeZ4TCo8EUA+Ao96P+1Aa+hiW0QlSKRvpzSX936x7HYKddv8X/235IC'
    b"p3eb+/Q2rSKWZoANHfe2OLlI/a9pnFQJZoBaVm+u7Wa4zck02CtAJcSzsOnu+dPUsv0QYvGY9qOhbrMfuAmH+Mn3t646Z"
    b"jDvsb8eFTtooCRDiQdW7kisrm4R0vvhrCBRCvdfkr+Me7wR69CoU4Dco6ED3AOxvTT4XBF3A8POFcktfOufgWvA8ELdv3"
    b"co+NFdm+yBcEjqXVDcT7f44OhqhjHjfiprX3REq+pe/D5VFhBA3/PtRBooWuLhgoiIKDgq5YqFrJTuhNNBN+wC8o4egHK"
    b'1okMk="}'
)
VECTOR_HEADERS = {
    "X-Lark-Request-Timestamp": "1767225601",
    "X-Lark-Request-Nonce": "nonce-abc123",
    "X-Lark-Signature": "30330b53f49988452b15ec8b847fa26b4570565318552d01fe915a452d4a7175",
}


def encrypted(event: object, key: str = KEY) -> bytes:
    """What Feishu would send: our own writing of section 11.5. Bytes are sent as they are."""
    padder = padding.PKCS7(128).padder()
    plain = event if isinstance(event, bytes) else json.dumps(event).encode()
    text = padder.update(plain) + padder.finalize()
    iv = bytes(range(16))
    aes = Cipher(algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(iv)).encryptor()
    data = base64.b64encode(iv + aes.update(text) + aes.finalize()).decode()
    return json.dumps({"encrypt": data}).encode()


def signed(body: bytes, *, at: float | None = None, key: str = KEY) -> dict[str, str]:
    timestamp = str(int(at if at is not None else time.time()))
    signature = hashlib.sha256(f"{timestamp}n{key}".encode() + body).hexdigest()
    return {
        "X-Lark-Request-Timestamp": timestamp,
        "X-Lark-Request-Nonce": "n",
        "X-Lark-Signature": signature,
    }


def an_event(event_type: str, event_id: str = "e-1", token: str = TOKEN, **fields) -> dict:
    header = {"event_id": event_id, "event_type": event_type, "token": token}
    return {"schema": "2.0", "header": header, "event": fields}


def understood(event: dict, *, now: float = 1000.0, **signature) -> object:
    body = encrypted(event)
    return read_event(body, signed(body, at=now, **signature), secrets=SECRETS, now_s=now)


class TestReading:
    def test_published_vector(self):
        assert decrypt("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=", "test key") == b"hello world"

    def test_contract_vector(self):
        # Its event names no employment, so there is nothing to read.
        event = read_event(VECTOR, VECTOR_HEADERS, secrets=SECRETS, now_s=1767225700)
        assert event == Announced("evt-0001", "corehr.offboarding.updated_v2")

    def test_challenge_needs_no_signature(self):
        body = encrypted({"type": "url_verification", "challenge": "c-123", "token": TOKEN})
        assert read_event(body, {}, secrets=SECRETS, now_s=0) == Challenge("c-123")

    def test_challenge_needs_the_token(self):
        body = encrypted({"type": "url_verification", "challenge": "c-123", "token": "other"})
        with pytest.raises(Forged):
            read_event(body, {}, secrets=SECRETS, now_s=0)

    @pytest.mark.parametrize("event_type", SUBJECTS)
    @pytest.mark.parametrize("status", [1, 2, 3, 4, 5, 6, "x", None])
    def test_names_the_record_whatever_the_status(self, event_type, status):
        kind, field = SUBJECTS[event_type]
        found = understood(an_event(event_type, status=status, **{field: "730"}))
        assert found == Announced("e-1", event_type, kind, "730")

    def test_first_version_of_the_envelope(self):
        event = {
            "uuid": "u-1",
            "token": TOKEN,
            "type": "event_callback",
            "event": {"type": "corehr.offboarding.updated_v1", "employment_id": "68", "status": 2},
        }
        assert understood(event) == Announced(
            "u-1", "corehr.offboarding.updated_v1", "offboardings", "68"
        )

    @pytest.mark.parametrize("skew", [-301, 301, 10_000])
    def test_not_out_of_its_time(self, skew):
        body = encrypted(an_event("corehr.pre_hire.updated_v1", pre_hire_id="73"))
        with pytest.raises(Forged):
            read_event(body, signed(body, at=10_000 + skew), secrets=SECRETS, now_s=10_000)

    def test_not_with_another_key_token_or_body(self):
        event = an_event("corehr.pre_hire.updated_v1", pre_hire_id="73")
        with pytest.raises(Forged):
            understood(event, key="other")
        with pytest.raises(Forged):
            understood(event | {"header": event["header"] | {"token": "other"}})
        body = encrypted(event)
        with pytest.raises(Forged):
            read_event(body + b" ", signed(body, at=0), secrets=SECRETS, now_s=0)
        with pytest.raises((Forged, BadEvent)):
            read_event(json.dumps(event).encode(), signed(body), secrets=SECRETS, now_s=0)

    @given(st.binary(max_size=300))
    def test_anything_else_is_refused(self, body):
        with pytest.raises((BadEvent, Forged)):
            read_event(body, {}, secrets=SECRETS, now_s=0)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        )
    )
    def test_any_event_is_read_or_refused(self, inner):
        event = {"header": {"event_id": "e", "event_type": "t", "token": TOKEN}, "event": inner}
        assert understood(event) == Announced("e", "t")
        with pytest.raises((BadEvent, Forged)):
            understood({"header": inner, "token": inner, "uuid": inner})


@pytest.fixture
def switched_on(settings):
    settings.FEISHU_EVENT_ENCRYPT_KEY, settings.FEISHU_EVENT_TOKEN = KEY, TOKEN


def push(event: dict, **more) -> int:
    body = encrypted(event)
    headers = signed(body) | more
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        reverse("feishu-events"), body, content_type="application/json", headers=headers
    )
    return answer.status_code


class TestAddress:
    def test_is_not_there_unless_switched_on(self, db):
        assert push(an_event("corehr.pre_hire.updated_v1", pre_hire_id="73")) == 404

    def test_answers_the_challenge(self, switched_on):
        body = encrypted({"type": "url_verification", "challenge": "c-1", "token": TOKEN})
        answer = Client().post(reverse("feishu-events"), body, content_type="application/json")
        assert answer.json() == {"challenge": "c-1"}

    def test_takes_an_event_once(self, switched_on):
        event = an_event("corehr.pre_hire.updated_v1", pre_hire_id="73")
        assert push(event) == push(event) == 200
        row = PushedEvent.objects.get()
        assert (row.record_kind, row.feishu_id) == ("pre_hires", "73")

    def test_takes_what_is_of_no_interest(self, switched_on):
        assert push(an_event("im.message.receive_v1")) == 200
        assert not PushedEvent.objects.exists()

    def test_refuses(self, switched_on):
        event = an_event("corehr.pre_hire.updated_v1", pre_hire_id="73")
        assert push(event, **{"X-Lark-Signature": "0" * 64}) == 403
        assert push(event, **{"X-Lark-Signature": "é"}) == 403
        address = reverse("feishu-events")
        assert Client().post(address, b"\xff", content_type="text/plain").status_code == 400
        assert Client().post(address, b"x" * 300_000, content_type="x/y").status_code == 413
        assert not PushedEvent.objects.exists()


class TestReadingWhatIsAnnounced:
    @pytest.fixture(autouse=True)
    def _on(self, switched_on):
        pass

    def later(self) -> None:
        PushedEvent.objects.exclude(due_at=None).update(due_at=timezone.now())
        pushes.read_due(at=timezone.now())

    def test_tells_what_the_record_says_not_what_the_event_says(self, company):
        pre_hire = PreHire.objects.filter(onboarding_status="preboarding").first()
        PreHire.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
        company.patch("pre_hires", pre_hire.feishu_id, hire_date="2027-03-01")
        push(
            an_event(
                "corehr.pre_hire.updated_v1",
                pre_hire_id=pre_hire.feishu_id,
                field_changes=["onboarding_status"],
            )
        )
        self.later()
        event = ChangeEvent.objects.get()
        assert (event.field, event.after, event.source) == ("onboards_on", "2027-03-01", "push")

    def test_is_read_twice_and_then_done(self, company):
        offboarding = Offboarding.objects.first()
        push(an_event("corehr.offboarding.updated_v2", employment_id=offboarding.employment_id))
        self.later()
        assert PushedEvent.objects.get().due_at is not None
        self.later()
        assert PushedEvent.objects.get().due_at is None
        assert pushes.read_due(at=timezone.now()) == 0

    def test_is_given_up_when_feishu_does_not_answer(self, company):
        push(an_event("corehr.offboarding.updated_v2", employment_id="68"))
        company.fault("code", code=1160999, http_status=400, on="reads", times=None)
        for _ in range(pushes.MOST_TRIES):
            self.later()
        assert PushedEvent.objects.get().due_at is None

    @pytest.mark.parametrize("share", [0.0, 0.6])
    def test_events_lost_and_doubled_make_no_difference(self, company, share):
        chance = random.Random(3)
        PreHire.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
        edits = set()
        for number, row in enumerate(Offboarding.objects.filter(status="Approved")):
            day = f"2027-04-{number % 28 + 1:02d}"
            company.patch("offboardings", row.feishu_id, info={"offboarding_date": day})
            edits.add((row.feishu_id, day))
            for copy in range(3):
                if chance.random() < share:
                    name = chance.choice(["updated_v1", "updated_v2", "status_updated_v2"])
                    push(
                        an_event(
                            f"corehr.offboarding.{name}",
                            event_id=f"e-{number}-{chance.randrange(2)}",
                            employment_id=row.employment_id,
                            status=copy,
                        )
                    )
            if chance.random() < 0.3:
                self.later()
        poll("offboardings")
        self.later()
        told = ChangeEvent.objects.values_list("feishu_id", "after")
        assert sorted(told) == sorted(edits)
