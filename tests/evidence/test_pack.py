"""Evidence packs: checked by the verifier in them, in a Python without Django."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecycle import action_log
from lifecycle.evidence import keys, verify_evidence
from lifecycle.evidence.hashes import canonical
from lifecycle.models import ActionEntry, LogCheckpoint, PrivateValue
from tests.builders import a_change, an_employee
from tests.evidence.conftest import new_key, write

pytestmark = pytest.mark.django_db
PAGE = "/log/evidence/"


@pytest.fixture
def auditor(as_user, ana):
    return as_user(ana)


@pytest.fixture
def change(mei):
    return a_change(an_employee("柏小林"), by=mei)


@pytest.fixture
def pack(auditor, change, mei, sign, tmp_path) -> Path:
    """A change's entries: three under checkpoints, one newer than the newest."""
    for number in range(3):
        write(2 + number)
        action_log.record(
            "change.requested", actor=mei, change=change, data={"kind": change.kind},
            private={"reason": "<b>因为</b>"},
        )  # fmt: skip
        sign()
    action_log.record("change.cancelled", actor=mei, change=change, data={"kind": change.kind})
    asked = {"scope": "change", "change": change.pk, "purpose": "年度审计"}
    answer = auditor.post(PAGE, asked)
    path = tmp_path / "pack.zip"
    path.write_bytes(b"".join(answer.streaming_content))
    return path


def run(pack: Path, *arguments: str, verifier: Path | None = None):
    """In a Python that has the standard library and nothing of ours."""
    program = verifier or pack.with_name("verify_evidence.py")
    if verifier is None:
        program.write_bytes(zipfile.ZipFile(pack).read("verify_evidence.py"))
    return subprocess.run(
        [sys.executable, "-I", "-S", str(program), str(pack), *arguments],
        capture_output=True, text=True, check=False, cwd=pack.parent, timeout=60,
    )  # fmt: skip


def forged(pack: Path, **edits: Callable[[bytes], bytes | None]) -> Path:
    """The pack with some files edited or left out, and a manifest that fits them."""
    with zipfile.ZipFile(pack) as old:
        files = {name: old.read(name) for name in old.namelist()}
    for name, edit in edits.items():
        (path,) = [key for key in files if key.startswith(name)]
        content = edit(files.pop(path))
        if content is not None:
            files[path] = content
    said = json.loads(files["manifest.json"])
    said["files"] = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name != "manifest.json"
    }
    files["manifest.json"] = json.dumps(said).encode()
    other = pack.with_name("forged.zip")
    with zipfile.ZipFile(other, "w") as new:
        for name, content in files.items():
            new.writestr(name, content)
    return other


def line_edit(number: int, **values) -> Callable[[bytes], bytes]:
    def edit(content: bytes) -> bytes:
        lines = [json.loads(line) for line in content.decode().splitlines()]
        lines[number] |= values
        return "\n".join(json.dumps(line) for line in lines).encode()

    return edit


def without_line(number: int) -> Callable[[bytes], bytes]:
    def edit(content: bytes) -> bytes:
        lines = content.decode().splitlines()
        del lines[number]
        return "\n".join(lines).encode()

    return edit


class TestPack:
    def test_is_whole_by_its_own_verifier(self, pack):
        done = run(pack)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "4 entries are whole." in done.stdout
        assert "3 checkpoints are signed." in done.stdout
        assert "1 entries are newer" in done.stdout
        assert "compare it" in done.stdout

    def test_is_checked_against_the_key_one_holds(self, pack, tmp_path):
        (public,) = keys.public_keys().values()
        (tmp_path / "ours.txt").write_text(f"{public.hex()} hrportal\n")
        done = run(pack, "--public-key", "ours.txt")
        assert done.returncode == 0
        assert "compare it" not in done.stdout
        (tmp_path / "other.txt").write_text(f"{'ab' * 32}\n")
        done = run(pack, "--public-key", "other.txt")
        assert (done.returncode, "unknown key" in done.stdout) == (1, True)

    def test_says_which_hash_the_log_must_have(self, pack):
        entry = ActionEntry.objects.get(event="log.evidence_taken")
        said = json.loads(entry.body)["data"]["sha256"]
        out = run(pack).stdout
        assert f"SHA-256 of the whole zip: {said}" in out
        assert 'in the entry "evidence taken" of the log' in out

    def test_says_what_is_missing_between_its_entries(self, pack):
        out = run(pack).stdout
        first = ActionEntry.objects.get(event="change.cancelled").seq - 10
        assert f"The entries are numbers {first} to {first + 10}." in out
        gaps = f"{first + 1} to {first + 3}, {first + 5} to {first + 8}"
        assert f"7 numbers between them are not in the pack: {gaps}." in out
        assert "private values" not in out

    def test_may_be_unpacked_first(self, pack, tmp_path):
        folder = tmp_path / "unpacked"
        zipfile.ZipFile(pack).extractall(folder)
        done = run(folder, verifier=folder / "verify_evidence.py")
        assert done.returncode == 0
        assert "A folder has no SHA-256" in done.stdout
        (folder / "entries.jsonl").write_text("")
        assert run(folder, verifier=folder / "verify_evidence.py").returncode == 1

    def test_holds_only_what_it_is_about_and_the_private_values(self, pack, change):
        lines = zipfile.ZipFile(pack).read("entries.jsonl").decode().splitlines()
        entries = [json.loads(line) for line in lines]
        assert {entry["change"] for entry in entries} == {change.pk}
        assert entries[0]["private"]["reason"]["value"] == "<b>因为</b>"

    def test_report_reads_by_itself_in_both_languages(self, pack):
        report = zipfile.ZipFile(pack).read("report.html").decode()
        assert "梅发起了柏小林的“转正”" in report
        assert "梅 asked to convert 柏小林" in report
        assert "&lt;b&gt;因为" in report
        for forbidden in ("<script", "<link", "src=", "<b>因为", "href="):
            assert forbidden not in report

    def test_is_logged_with_its_hash_before_it_leaves(self, pack, change):
        entry = ActionEntry.objects.get(event="log.evidence_taken")
        data = json.loads(entry.body)["data"]
        assert data["sha256"] == hashlib.sha256(pack.read_bytes()).hexdigest()
        assert (data["scope"], data["change_id"], data["entries"]) == ("change", change.pk, 4)
        assert action_log.private_values(entry)["purpose"] == "年度审计"
        assert "年度审计" not in entry.body

    def test_stays_whole_after_an_erasure(self, auditor, change, pack, tmp_path):
        PrivateValue.objects.all().delete()
        asked = {"scope": "change", "change": change.pk, "purpose": "年度审计"}
        path = tmp_path / "later.zip"
        path.write_bytes(b"".join(auditor.post(PAGE, asked).streaming_content))
        done = run(path)
        assert done.returncode == 0
        assert "3 of 3 private values are not in the pack: erased, or left out." in done.stdout

    def test_of_a_period_names_an_entry_that_was_left_out(self, auditor, pack):
        """Whoever makes the pack can leave it out; the hash and the gap tell."""
        path = pack.with_name("period.zip")
        answer = auditor.post(PAGE, {"scope": "period", "purpose": "年度审计"})
        path.write_bytes(b"".join(answer.streaming_content))
        assert "No number between them is missing." in run(path).stdout
        other = forged(path, entries=without_line(2), proofs=without_line(2))
        done = run(other, verifier=_verifier(pack))
        assert done.returncode == 0
        assert "1 numbers between them are not in the pack: 3." in done.stdout
        assert "in a pack of a period none may be missing" in done.stdout
        assert hashlib.sha256(other.read_bytes()).hexdigest() in done.stdout

    def test_names_no_more_gaps_than_can_be_read(self):
        entries = [{"seq": seq, "body": '{"data":{}}', "private": {}} for seq in range(1, 99, 2)]
        said = "\n".join(verify_evidence.say_completeness(entries))
        assert "48 numbers between them are not in the pack: 2, 4," in said
        assert "40, and 28 gaps more." in said

    @pytest.mark.parametrize("scope", ["person", "period"])
    def test_of_a_person_or_a_period(self, scope, auditor, change, pack, tmp_path):
        asked = {"scope": scope, "person": change.person_id, "purpose": "年度审计"}
        path = tmp_path / f"{scope}.zip"
        path.write_bytes(b"".join(auditor.post(PAGE, asked).streaming_content))
        assert run(path).returncode == 0


class TestForgedPack:
    @pytest.mark.parametrize("salt", ["ab", "AB" * 16, "ab " * 16, "ab" * 17, ""])
    def test_with_a_salt_that_is_not_ours(self, salt, pack):
        """The value fits its fingerprint; a salt of another length lets more than one fit."""

        def edit(content: bytes) -> bytes:
            lines = [json.loads(line) for line in content.decode().splitlines()]
            kept = lines[0]["private"]["reason"] | {"salt": salt}
            made = hashlib.sha256(bytes.fromhex(salt) + kept["value"].encode()).hexdigest()
            body = json.loads(lines[0]["body"])
            body["data"]["private_reason"] = made
            lines[0]["body"] = canonical(body)
            text = b"\x01" + bytes.fromhex(lines[0]["prev"]) + lines[0]["body"].encode()
            lines[0] |= {"private": {"reason": kept}, "hash": hashlib.sha256(text).hexdigest()}
            return "\n".join(json.dumps(line) for line in lines).encode()

        done = run(forged(pack, entries=edit), verifier=_verifier(pack))
        assert (done.returncode, "32 hex digits" in done.stdout) == (1, True), done.stdout

    @pytest.mark.parametrize(
        "edits",
        [
            {"entries": line_edit(1, role="manager")},
            {"entries": line_edit(1, ts=1)},
            {"entries": line_edit(1, body="{}")},
            {"entries": line_edit(1, hash="0" * 64)},
            {"entries": line_edit(1, prev="0" * 64)},
            {"entries": line_edit(0, private={"reason": {"salt": "00", "value": "x"}})},
            {"entries": line_edit(0, private={"other": {"salt": "00", "value": "x"}})},
            {"entries": line_edit(0, seq=3)},
            {"proofs": line_edit(1, proof=[])},
            {"proofs": line_edit(1, size=3)},
            {"proofs": without_line(1)},
            {"proofs": lambda content: b""},
            {"checkpoints": line_edit(1, signature="00" * 64)},
            {"checkpoints": line_edit(1, key="0" * 16)},
            {"checkpoints": without_line(1)},
            {"checkpoints": lambda content: content.replace(b'time\\":\\"20', b'time\\":\\"19')},
            {"entries": lambda content: None},
        ],
    )
    def test_is_found_out(self, edits, pack):
        done = run(forged(pack, **edits), verifier=_verifier(pack))
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stdout.startswith("DOES NOT FIT: ")

    def test_with_a_body_and_hash_that_fit_each_other(self, pack):
        """The forger hashes anew, but cannot prove the entry to be in the tree."""

        def edit(content: bytes) -> bytes:
            lines = [json.loads(line) for line in content.decode().splitlines()]
            body = lines[1]["body"].replace("convert_employee", "offboard_employee")
            made = hashlib.sha256(b"\x01" + bytes.fromhex(lines[1]["prev"]) + body.encode())
            lines[1] |= {"body": body, "hash": made.hexdigest()}
            return "\n".join(json.dumps(line) for line in lines).encode()

        done = run(forged(pack, entries=edit), verifier=_verifier(pack))
        assert (done.returncode, "it is not in checkpoint" in done.stdout) == (1, True)

    @pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all"])
    def test_that_is_no_pack_is_said(self, content, pack, tmp_path):
        path = tmp_path / "broken.zip"
        path.write_bytes(content)
        assert run(path, verifier=_verifier(pack)).returncode == 2

    def test_with_a_file_more_is_found_out(self, pack):
        with zipfile.ZipFile(pack, "a") as grown:
            grown.writestr("more.txt", "x")
        assert run(pack).returncode == 1

    def test_signed_with_another_key(self, pack, settings, tmp_path):
        (ours,) = keys.public_keys().values()
        new_key(tmp_path / "other.pem", settings)
        other = keys.signing_key()

        def edit(content: bytes) -> bytes:
            lines = [json.loads(line) for line in content.decode().splitlines()]
            for line in lines:
                line["signature"] = other.sign(line["checkpoint"].encode()).hex()
            return "\n".join(json.dumps(line) for line in lines).encode()

        done = run(forged(pack, checkpoints=edit), verifier=_verifier(pack))
        assert "signature is not right" in done.stdout
        assert ours


class TestPage:
    @pytest.mark.parametrize(
        "asked",
        [
            {"purpose": ""}, {"purpose": "x"}, {"purpose": "x" * 501},
            {"scope": "person", "person": "999999"}, {"scope": "change", "change": "999999"},
            {"scope": "change", "change": "x"}, {"scope": "person"},
            {"since": "2001-01-01", "until": "2001-01-02"},
        ],
    )  # fmt: skip
    def test_refuses_in_a_sentence(self, asked, auditor):
        write(1)
        answer = auditor.post(PAGE, {"purpose": "年度审计"} | asked)
        assert answer.status_code == 422
        assert "No pack was made" in answer.content.decode()
        assert not ActionEntry.objects.filter(event="log.evidence_taken").exists()

    def test_works_before_anything_was_signed(self, auditor, tmp_path):
        write(2)
        assert not LogCheckpoint.objects.exists()
        path = tmp_path / "pack.zip"
        answer = auditor.post(PAGE, {"scope": "period", "purpose": "年度审计"})
        path.write_bytes(b"".join(answer.streaming_content))
        assert run(path).returncode == 0

    @pytest.mark.parametrize("who", ["mei", "li", "zhou"])
    def test_is_for_auditors(self, who, as_user, request):
        client = as_user(request.getfixturevalue(who))
        assert client.get(PAGE).status_code == 403
        assert client.post(PAGE, {"purpose": "年度审计"}).status_code == 403


def _verifier(pack: Path) -> Path:
    path = pack.with_name("verifier.py")
    path.write_bytes(zipfile.ZipFile(io.BytesIO(pack.read_bytes())).read("verify_evidence.py"))
    return path
