"""When checkpoints are signed, what they say, and how they get outside."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle import append_only, jobs
from lifecycle.action_log import data_in
from lifecycle.evidence import checkpoints, keys
from lifecycle.evidence.hashes import text_hash
from lifecycle.models import ActionEntry, ActionLogHead, LogCheckpoint, LogVerification
from tests.evidence.conftest import write

pytestmark = pytest.mark.django_db


class TestSigning:
    def test_says_what_the_log_is(self, sign):
        write(3)
        sign()
        write(2)
        sign()
        first, second = LogCheckpoint.objects.order_by("size")
        said = json.loads(second.text)
        assert said.keys() == {"origin", "size", "root", "head", "previous", "time"}
        assert (said["size"], said["head"]) == (5, ActionLogHead.objects.get().hash)
        assert said["previous"] == text_hash(first.text)
        (public,) = keys.public_keys().values()
        assert keys.is_signed(second.text, second.signature, public)

    def test_reads_only_what_is_new(self, sign, key_file):
        write(40)
        sign()
        write(2)
        with CaptureQueriesContext(connection) as queries:
            assert checkpoints.sign(timezone.now())
        (reading,) = [q["sql"] for q in queries if "body" in q["sql"] and "SELECT" in q["sql"]]
        assert '"seq" > 40' in reading

    def test_is_left_out_when_nothing_is_new(self, key_file):
        assert checkpoints.sign(timezone.now()) is None
        write(1)
        assert checkpoints.sign(timezone.now())
        assert checkpoints.sign(timezone.now()) is None

    def test_is_due_after_so_many_entries_or_so_long(self, key_file, settings):
        settings.LOG_CHECKPOINT_ENTRIES = 5
        at = timezone.now()
        write(1)
        assert checkpoints.sign_due(at)  # the first one
        write(4)
        assert checkpoints.sign_due(at + timedelta(minutes=1)) is None
        write(1)
        assert checkpoints.sign_due(at + timedelta(minutes=1))
        write(1)
        assert checkpoints.sign_due(at + timedelta(minutes=2)) is None
        assert checkpoints.sign_due(at + timedelta(minutes=17))

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE lifecycle_actionentry SET body = '{}' WHERE seq = 7",
            "DELETE FROM lifecycle_actionentry WHERE seq = 7",
            "DELETE FROM lifecycle_actionentry WHERE seq > 6",
        ],
    )
    def test_a_broken_chain_is_not_signed_and_shown(self, statement, sign):
        write(5)
        sign()
        write(5, first=6)
        append_only.lift(connection)
        with connection.cursor() as cursor:
            cursor.execute(statement)
        with pytest.raises(checkpoints.ChainBroken):
            checkpoints.sign(timezone.now())
        LogCheckpoint.objects.update(at=timezone.now() - timedelta(hours=1))
        assert jobs.sign_checkpoints() == jobs.sign_checkpoints() == 0
        (shown,) = LogVerification.objects.all()
        assert shown.state == "broken"
        assert shown.bad_seq in (7, 8)
        said = ActionEntry.objects.filter(event="log.checked")
        has_end = "seq >" not in statement
        assert [data_in(entry.body)["bad_seq"] for entry in said] == [shown.bad_seq] * has_end

    def test_two_at_once_make_one(self, key_file):
        write(3)
        head = ActionLogHead.objects.get()
        first = checkpoints.sign(timezone.now())
        frontier = checkpoints._grown(None, head)
        again = checkpoints._keep(first.text, keys.signing_key(), frontier, timezone.now())
        assert again is None
        assert LogCheckpoint.objects.count() == 1

    def test_without_a_key_nothing_is_signed(self):
        write(1)
        assert jobs.sign_checkpoints() == 0
        with pytest.raises(CommandError, match="LOG_SIGNING_KEY_FILE"):
            call_command("sign_checkpoint")

    def test_writes_no_entry_of_its_own(self, sign):
        write(2)
        sign()
        assert ActionEntry.objects.count() == 2


class TestOutside:
    def test_every_checkpoint_has_a_file_nobody_writes_over(self, sign, outside):
        write(2)
        sign()
        (path,) = outside.iterdir()
        assert path.name == "checkpoint-000000000002.json"
        assert path.stat().st_mode & 0o777 == 0o444
        before = path.read_bytes()
        append_only.lift(connection)
        LogCheckpoint.objects.update(signature="00" * 64)
        checkpoints.export_missing(outside)
        assert path.read_bytes() == before

    def test_a_folder_that_was_away_gets_all_of_them_later(self, sign, settings, tmp_path):
        write(1)
        sign()
        write(1)
        sign()
        settings.LOG_CHECKPOINT_DIR = str(tmp_path / "late")
        checkpoints.send_out(timezone.now())
        assert not (tmp_path / "late").exists()
        (tmp_path / "late").mkdir()
        checkpoints.send_out(timezone.now())
        assert len(list((tmp_path / "late").iterdir())) == 2

    def test_a_folder_that_cannot_be_written_keeps_nothing_from_being_signed(
        self, sign, settings, tmp_path
    ):
        (tmp_path / "file").write_text("")
        settings.LOG_CHECKPOINT_DIR = str(tmp_path / "file" / "below")
        write(1)
        sign()
        assert LogCheckpoint.objects.count() == 1

    def test_the_newest_is_mailed_once_an_hour(self, sign, settings):
        settings.LOG_CHECKPOINT_EMAILS = ["audit@example.com"]
        at = timezone.now()
        write(1)
        sign()
        assert len(mail.outbox) == 1
        assert json.loads(mail.outbox[0].body)["checkpoint"] == LogCheckpoint.objects.get().text
        write(1)
        sign()
        assert len(mail.outbox) == 1
        assert checkpoints.mail_newest(at + timedelta(minutes=61))
        assert len(mail.outbox) == 2
        assert not checkpoints.mail_newest(at + timedelta(minutes=200))


class TestMakeLogKey:
    def test_makes_a_key_for_its_owner_alone(self, tmp_path, settings, capsys):
        path = tmp_path / "key.pem"
        call_command("make_log_key", str(path))
        settings.LOG_SIGNING_KEY_FILE = str(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert keys.read_public_keys(tmp_path / "key.pem.pub") == keys.public_keys()
        (public,) = keys.public_keys().values()
        assert public.hex() in capsys.readouterr().out

    def test_never_writes_over_one(self, key_file):
        before = key_file.read_bytes()
        with pytest.raises(CommandError, match="there already"):
            call_command("make_log_key")
        assert key_file.read_bytes() == before

    def test_says_where_it_cannot_write(self, tmp_path):
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("make_log_key", str(tmp_path / "nowhere" / "key.pem"))

    def test_a_file_that_is_no_key_is_none(self, tmp_path, settings):
        settings.LOG_SIGNING_KEY_FILE = str(tmp_path / "key.pem")
        assert not keys.has_signing_key()
        (tmp_path / "key.pem").write_text("nonsense")
        assert not keys.has_signing_key()
