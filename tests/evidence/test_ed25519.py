"""The verifier's own Ed25519 against RFC 8032 and against another implementation."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.evidence.verify_evidence import ORDER, is_signed

# RFC 8032, section 7.1: TEST 1 to 3 and TEST SHA(abc): public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
class TestVectorsOfTheRfc:
    def test_hold(self, public, message, signature):
        made = (bytes.fromhex(message), bytes.fromhex(signature), bytes.fromhex(public))
        assert is_signed(*made)

    def test_do_not_hold_for_another_message(self, public, message, signature):
        made = (bytes.fromhex(message) + b"x", bytes.fromhex(signature), bytes.fromhex(public))
        assert not is_signed(*made)

    def test_take_no_second_form_of_a_signature(self, public, message, signature):
        """s + L would be the same number; RFC 8032 refuses it."""
        raw = bytes.fromhex(signature)
        s = int.from_bytes(raw[32:], "little") + ORDER
        forged = raw[:32] + s.to_bytes(32, "little")
        assert not is_signed(bytes.fromhex(message), forged, bytes.fromhex(public))


@settings(max_examples=25, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), data=st.data())
def test_agrees_with_another_implementation(seed, message, data):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signature, public = key.sign(message), key.public_key().public_bytes_raw()
    assert is_signed(message, signature, public)
    place = data.draw(st.integers(0, 8 * 64 - 1))
    flipped = bytearray(signature)
    flipped[place // 8] ^= 1 << place % 8
    assert not is_signed(message, bytes(flipped), public)


@pytest.mark.parametrize("signature", [b"", b"\x00" * 63, b"\xff" * 64, b"\x00" * 65])
def test_refuses_what_is_no_signature(signature):
    assert not is_signed(b"", signature, bytes.fromhex(VECTORS[0][0]))
