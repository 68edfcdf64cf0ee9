"""AES-256-CBC, encrypting only, as Feishu encrypts what it pushes. FIPS 197, SP 800-38A."""

import base64
import hashlib
import secrets

_ROUNDS = 14
_BLOCK = 16


def _make_sbox() -> bytes:
    """Inverses in GF(2^8), then the affine step; walked with the generator 3 and its inverse."""
    box = bytearray(256)
    p = q = 1
    while True:
        p = (p ^ (p << 1) ^ (0x11B if p & 0x80 else 0)) & 0xFF
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        turned = q
        for shift in (1, 2, 3, 4):
            turned ^= ((q << shift) | (q >> (8 - shift))) & 0xFF
        box[p] = turned ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return bytes(box)


_SBOX = _make_sbox()


def _twice(value: int) -> int:
    return ((value << 1) ^ 0x1B) & 0xFF if value & 0x80 else value << 1


def _round_keys(key: bytes) -> list[bytes]:
    words = [key[i : i + 4] for i in range(0, 32, 4)]
    constant = 1
    while len(words) < 4 * (_ROUNDS + 1):
        word = words[-1]
        if len(words) % 8 == 0:
            word = bytes(_SBOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _twice(constant)
        elif len(words) % 8 == 4:
            word = bytes(_SBOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word, strict=True)))
    return [b"".join(words[i : i + 4]) for i in range(0, len(words), 4)]


def encrypt_block(key: bytes, block: bytes) -> bytes:
    keys = _round_keys(key)
    state = _xor(block, keys[0])
    for number in range(1, _ROUNDS + 1):
        state = bytes(_SBOX[b] for b in state)
        state = bytes(state[(i + 4 * (i % 4)) % 16] for i in range(16))
        if number < _ROUNDS:
            state = b"".join(_mixed(state[i : i + 4]) for i in range(0, 16, 4))
        state = _xor(state, keys[number])
    return state


def _mixed(column: bytes) -> bytes:
    every = column[0] ^ column[1] ^ column[2] ^ column[3]
    return bytes(column[i] ^ every ^ _twice(column[i] ^ column[(i + 1) % 4]) for i in range(4))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def encrypted(text: bytes, encrypt_key: str, iv: bytes | None = None) -> str:
    """What stands under `encrypt` in a push: the IV and the text, PKCS#7-padded, in base64."""
    key = hashlib.sha256(encrypt_key.encode()).digest()
    before = result = iv or secrets.token_bytes(_BLOCK)
    missing = _BLOCK - len(text) % _BLOCK
    padded = text + bytes([missing]) * missing
    for start in range(0, len(padded), _BLOCK):
        before = encrypt_block(key, _xor(padded[start : start + _BLOCK], before))
        result += before
    return base64.b64encode(result).decode()
