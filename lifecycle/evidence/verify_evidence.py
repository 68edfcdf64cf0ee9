#!/usr/bin/env python3
"""Checks an evidence pack of hrportal. Needs Python 3.8 or newer and nothing else.

    python3 verify_evidence.py PACK.zip --public-key FILE
    python3 verify_evidence.py FOLDER --public-key FILE

FILE holds public keys, one a line as 64 hex digits: take it from where the auditors keep it,
not from the pack, which whoever made the pack could have signed with a key of his own. Without
it the key in the pack is used, and the verdict says so.

What is checked: each file against manifest.json; each entry's hash, and that entries in a row
follow each other; each column against the hashed text; each private value against its
fingerprint in that text; each checkpoint's signature (Ed25519, RFC 8032) and its place after
the one before; and that each entry is in the Merkle tree of its checkpoint (RFC 6962).

What no pack can prove by itself: manifest.json and report.html are not signed, and an entry
or a private value can be left out. So the SHA-256 of the whole zip is printed, to be compared
with the entry "evidence taken" of the log, and what is missing between the entries is named.

Exit status: 0 all fits, 1 something does not, 2 the pack cannot be read.
"""

import argparse
import hashlib
import json
import pathlib
import re
import sys
import zipfile

GENESIS = "0" * 64
COLUMNS = ("seq", "ts", "actor", "role", "event", "person", "change")
OWN_FILES = ("manifest.json", "verify_evidence.py")
SALT = re.compile("[0-9a-f]{32}")
MOST_GAPS = 20


class Bad(Exception):
    """Something does not fit; the message says what."""


# -- Ed25519, RFC 8032 section 5.1, verification only ---------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - x2) % P:
        return None
    return P - x if (x & 1) != sign else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def add(a, b):
    """Of two points in extended coordinates (X, Y, Z, T)."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    w, x, y, z = f - e, h - g, h + g, f + e
    return (w * x % P, y * z % P, x * y % P, w * z % P)


def multiply(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def decompress(text):
    if len(text) != 32:
        return None
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def is_signed(message, signature, public):
    """True when the 64 bytes are this key's signature of the message."""
    key, r = decompress(public), decompress(signature[:32])
    if len(signature) != 64 or key is None or r is None:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    h = int.from_bytes(digest, "little") % ORDER
    return same(multiply(s, BASE), add(r, multiply(h, key)))


# -- the Merkle tree, RFC 6962 --------------------------------------------------------------


def root_from_proof(leaf, index, size, proof):
    """The root to which a proof leads, None for a proof of the wrong length."""
    sides = []
    low, high = 0, size
    while high - low > 1:
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        sides.append(index >= middle)
        low, high = (middle, high) if index >= middle else (low, middle)
    if len(sides) != len(proof):
        return None
    root = hashlib.sha256(b"\x00" + leaf).digest()
    for is_right, sibling in zip(reversed(sides), proof):
        pair = sibling + root if is_right else root + sibling
        root = hashlib.sha256(b"\x01" + pair).digest()
    return root


# -- the pack -------------------------------------------------------------------------------


class Pack:
    """The files of a pack, from a zip or from the folder it was unpacked into."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.zip = None if self.path.is_dir() else zipfile.ZipFile(self.path)

    def sha256(self):
        """Of the whole zip; None for a folder."""
        if self.zip is None:
            return None
        made = hashlib.sha256()
        with self.path.open("rb") as file:
            for part in iter(lambda: file.read(1 << 20), b""):
                made.update(part)
        return made.hexdigest()

    def names(self):
        if self.zip:
            return [name for name in self.zip.namelist() if not name.endswith("/")]
        found = [path for path in self.path.rglob("*") if path.is_file()]
        return [path.relative_to(self.path).as_posix() for path in found]

    def read(self, name):
        try:
            return self.zip.read(name) if self.zip else (self.path / name).read_bytes()
        except (KeyError, OSError):
            raise Bad("%s is missing from the pack" % name) from None

    def lines(self, name):
        text = self.read(name).decode("utf-8")
        return [json.loads(line) for line in text.split("\n") if line.strip()]


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def check_manifest(pack):
    said = json.loads(pack.read("manifest.json").decode("utf-8"))["files"]
    for name, digest in sorted(said.items()):
        if hashlib.sha256(pack.read(name)).hexdigest() != digest:
            raise Bad("%s is not the file that was packed" % name)
    strays = set(pack.names()) - set(said) - set(OWN_FILES)
    if strays:
        raise Bad("%s is not in the manifest" % sorted(strays)[0])
    if len(pack.names()) != len(set(pack.names())):
        raise Bad("a file is in the pack twice")
    return len(said)


def check_entries(entries):
    """The chain, the columns, the private values."""
    before = None
    for entry in entries:
        seq = entry["seq"]
        prefix = b"\x01" + bytes.fromhex(entry["prev"])
        if hashlib.sha256(prefix + entry["body"].encode()).hexdigest() != entry["hash"]:
            raise Bad("entry %d: its hash is not that of its text" % seq)
        body = json.loads(entry["body"])
        if canonical(body) != entry["body"]:
            raise Bad("entry %d: its text is not in the one form it may have" % seq)
        for name in COLUMNS:
            if body[name] != entry[name]:
                raise Bad("entry %d: the column %s is not what the text says" % (seq, name))
        if seq == 1 and entry["prev"] != GENESIS:
            raise Bad("entry 1: something is said to stand before the first entry")
        if before and seq <= before["seq"]:
            raise Bad("entry %d: it is not in its place" % seq)
        if before and seq == before["seq"] + 1 and entry["prev"] != before["hash"]:
            raise Bad("entry %d: it does not follow the entry before" % seq)
        for name, kept in sorted(entry["private"].items()):
            if not SALT.fullmatch(kept["salt"]):
                raise Bad("entry %d: the salt of %s is not 32 hex digits" % (seq, name))
            made = hashlib.sha256(bytes.fromhex(kept["salt"]) + kept["value"].encode())
            if body["data"].get("private_" + name) != made.hexdigest():
                raise Bad("entry %d: the private value %s is not the one logged" % (seq, name))
        before = entry
    return len(entries)


def check_checkpoints(checkpoints, keys):
    """Signatures, and that checkpoints in a row follow each other; them by size."""
    found, before = {}, None
    for kept in checkpoints:
        text = kept["checkpoint"]
        said = json.loads(text)
        public = keys.get(kept["key"])
        if public is None:
            raise Bad("checkpoint %d: it is signed with an unknown key" % said["size"])
        if not is_signed(text.encode(), bytes.fromhex(kept["signature"]), public):
            raise Bad("checkpoint %d: its signature is not right" % said["size"])
        if before is not None and said["previous"] != hashlib.sha256(before.encode()).hexdigest():
            raise Bad("checkpoint %d: the one before it is missing" % said["size"])
        found[said["size"]], before = said, text
    return found


def check_proofs(entries, proofs, checkpoints):
    """That each entry is one of those its checkpoint was signed for; how many have no
    checkpoint yet."""
    uncovered = 0
    known = {item["seq"]: item for item in proofs}
    for entry in entries:
        seq, item = entry["seq"], known.get(entry["seq"])
        if item is None:
            if any(size >= seq for size in checkpoints):
                raise Bad("entry %d: its proof is missing" % seq)
            uncovered += 1
            continue
        said = checkpoints.get(item["size"])
        if said is None:
            raise Bad("entry %d: its checkpoint is missing" % seq)
        proof = [bytes.fromhex(node) for node in item["proof"]]
        root = root_from_proof(bytes.fromhex(entry["hash"]), seq - 1, item["size"], proof)
        if root is None or root.hex() != said["root"]:
            raise Bad("entry %d: it is not in checkpoint %d" % (seq, item["size"]))
        if seq == item["size"] and entry["hash"] != said["head"]:
            raise Bad("entry %d: it is not the last one of checkpoint %d" % (seq, seq))
    return uncovered


def gaps_in(numbers):
    """The numbers missing between the first and the last, as (first, last) of each gap."""
    gaps = []
    for number, before in zip(numbers[1:], numbers):
        if number > before + 1:
            gaps.append((before + 1, number - 1))
    return gaps


def say_completeness(entries):
    """What is not in the pack although the entries that are speak of it."""
    numbers = [entry["seq"] for entry in entries]
    if not numbers:
        return ["There is no entry in the pack."]
    gaps = gaps_in(numbers)
    named = ["%d" % low if low == high else "%d to %d" % (low, high) for low, high in gaps]
    if len(named) > MOST_GAPS:
        named[MOST_GAPS:] = ["and %d gaps more" % (len(named) - MOST_GAPS)]
    lines = ["The entries are numbers %d to %d." % (numbers[0], numbers[-1])]
    if gaps:
        missing = sum(high - low + 1 for low, high in gaps)
        lines.append(
            "%d numbers between them are not in the pack: %s." % (missing, ", ".join(named))
        )
        lines.append("  In a pack of a person or a change those are others' entries;")
        lines.append("  in a pack of a period none may be missing.")
    else:
        lines.append("No number between them is missing.")
    committed = 0
    for entry in entries:
        data = json.loads(entry["body"])["data"]
        committed += sum(name.startswith("private_") for name in data)
    absent = committed - sum(len(entry["private"]) for entry in entries)
    if absent:
        lines.append(
            "%d of %d private values are not in the pack: erased, or left out."
            % (absent, committed)
        )
    return lines


def say_identity(sha256):
    if sha256 is None:
        return ["A folder has no SHA-256 to compare with the log: check the zip as it was taken."]
    return [
        "SHA-256 of the whole zip: %s" % sha256,
        '  It must be the one in the entry "evidence taken" of the log (log.evidence_taken).',
        "  Without that nothing says that the report is the one that was made, or that no entry",
        "  was left out: manifest.json and report.html are not signed.",
    ]


def read_keys(text):
    keys = [bytes.fromhex(line.split()[0]) for line in text.splitlines() if line.strip()]
    return {hashlib.sha256(key).hexdigest()[:16]: key for key in keys}


def check(path, key_text=None):
    """What was checked, as lines to print. Raises Bad."""
    pack = Pack(path)
    files = check_manifest(pack)
    entries = pack.lines("entries.jsonl")
    count = check_entries(entries)
    keys = read_keys(pack.read("public_key.txt").decode() if key_text is None else key_text)
    checkpoints = check_checkpoints(pack.lines("checkpoints.jsonl"), keys)
    uncovered = check_proofs(entries, pack.lines("proofs.jsonl"), checkpoints)
    lines = [
        "%d files are those that were packed." % files,
        "%d entries are whole." % count,
        "%d checkpoints are signed." % len(checkpoints),
    ]
    if uncovered:
        lines.append("%d entries are newer than the newest checkpoint." % uncovered)
    lines += say_completeness(entries)
    if key_text is None:
        lines.append("The public key was taken from the pack: compare it with the one you hold.")
    return lines + say_identity(pack.sha256())


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Checks an evidence pack of hrportal.")
    parser.add_argument("pack", help="the zip, or the folder it was unpacked into")
    parser.add_argument("--public-key", help="a file of public keys from elsewhere")
    options = parser.parse_args(arguments)
    try:
        key_text = None
        if options.public_key:
            key_text = pathlib.Path(options.public_key).read_text(encoding="utf-8")
        lines = check(options.pack, key_text)
    except Bad as error:
        print("DOES NOT FIT: %s." % error)
        return 1
    except (OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile) as error:
        print("CANNOT BE READ: %s: %s" % (type(error).__name__, error))
        return 2
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
