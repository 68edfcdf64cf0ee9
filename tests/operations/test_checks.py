"""Each mistake in the settings gets one plain sentence, and nothing starts with it."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from hrportal.environment import Environment
from lifecycle import checks

# The checks read DATABASES; nothing connects to what these tests put there.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")

BASE_DIR = Path(__file__).resolve().parent.parent.parent
PROPER = {
    "PATH": os.environ["PATH"],
    "DJANGO_SECRET_KEY": "k3y-of-the-tests-" * 4,
    "DJANGO_ALLOWED_HOSTS": "hr.example.com",
    "FEISHU_BASE_URL": "https://open.feishu.cn",
    "FEISHU_APP_ID": "cli_1",
    "FEISHU_APP_SECRET": "s",
}
SENSIBLE_DATABASE = "sqlite:////srv/hr.sqlite3"


@pytest.fixture(autouse=True)
def proper(settings):
    """A real installation without a mistake; each test makes one."""
    settings.DEBUG = False
    settings.HTTPS_ONLY = True
    settings.SECRET_KEY = PROPER["DJANGO_SECRET_KEY"]
    settings.ALLOWED_HOSTS = ["hr.example.com"]
    settings.FEISHU_BASE_URL = PROPER["FEISHU_BASE_URL"]
    settings.FEISHU_APP_ID = settings.FEISHU_APP_SECRET = "given"
    settings.ENVIRONMENT_PROBLEMS = []
    return settings


def found() -> list[str]:
    return [message.id for check in checks.CHECKS for message in check(None)]


def test_a_proper_installation_has_nothing_to_mend(proper):
    proper.DATABASES = {"default": _sqlite(proper)}
    assert found() == []


class TestSecretKey:
    def test_refuses_the_key_everybody_knows(self, proper):
        proper.SECRET_KEY = proper.INSECURE_SECRET_KEY
        assert found() == ["hrportal.E002"]

    @pytest.mark.parametrize("key", ["short", "a" * 60])
    def test_refuses_a_key_that_can_be_guessed(self, proper, key):
        proper.SECRET_KEY = key
        assert found() == ["hrportal.E002"]

    def test_lets_the_development_server_have_the_known_one(self, proper):
        proper.DEBUG, proper.SECRET_KEY = True, proper.INSECURE_SECRET_KEY
        assert found() == []


class TestHosts:
    def test_refuses_none(self, proper):
        proper.ALLOWED_HOSTS = []
        assert found() == ["hrportal.E003"]

    def test_refuses_any(self, proper):
        proper.ALLOWED_HOSTS = ["hr.example.com", "*"]
        assert found() == ["hrportal.E003"]

    def test_refuses_plain_http_for_others_than_this_machine(self, proper):
        proper.HTTPS_ONLY = False
        assert found() == ["hrportal.E004"]

    def test_allows_plain_http_on_this_machine(self, proper):
        proper.HTTPS_ONLY, proper.ALLOWED_HOSTS = False, ["localhost", "127.0.0.1", "[::1]"]
        assert found() == []


class TestFeishu:
    @pytest.mark.parametrize(
        "address",
        [
            "http://open.feishu.cn",
            "https://open.feishu.cn/open-apis",
            "https://user@open.feishu.cn",
            "open.feishu.cn",
            "http://127.0.0.1:x",
            "ftp://127.0.0.1",
        ],
    )
    def test_refuses_an_address_that_cannot_be_right(self, proper, address):
        proper.FEISHU_BASE_URL = address
        assert found() == ["hrportal.E005"]

    @pytest.mark.parametrize("address", ["http://127.0.0.1:8801", "http://[::1]:8801"])
    def test_allows_a_sandbox_on_this_machine(self, proper, address):
        proper.FEISHU_BASE_URL = address
        assert found() == []

    @pytest.mark.parametrize("name", ["FEISHU_APP_ID", "FEISHU_APP_SECRET"])
    def test_refuses_an_app_without_a_name_or_secret(self, proper, name):
        setattr(proper, name, "")
        assert found() == ["hrportal.E006"]

    @pytest.mark.parametrize("scale", [0.0, -1.0])
    def test_refuses_a_rate_of_nothing(self, proper, scale):
        proper.FEISHU_RATE_SCALE = scale
        assert found() == ["hrportal.E007"]


class TestStorage:
    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("transaction_mode", "DEFERRED"),
            ("init_command", "PRAGMA synchronous=FULL;"),
            ("init_command", "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"),
        ],
    )
    def test_refuses_sqlite_that_could_lose_work(self, proper, option, value):
        database = _sqlite(proper)
        database["OPTIONS"] = {**proper.SQLITE_OPTIONS, option: value}
        proper.DATABASES = {"default": database}
        assert found() == ["hrportal.E008"]

    def test_refuses_a_pool_that_forks_would_break(self, proper):
        pool = Environment({"DATABASE_URL": "postgres://u:p@h/n?pool=true"})
        proper.DATABASES = {"default": pool.database("DATABASE_URL", default=SENSIBLE_DATABASE)}
        assert found() == ["hrportal.E009"]

    def test_refuses_a_database_in_memory(self, proper):
        proper.DATABASES = {"default": _sqlite(proper) | {"NAME": ":memory:"}}
        assert found() == ["hrportal.E012"]

    def test_refuses_minutes_for_an_unknown_kind(self, proper):
        proper.POLL_MINUTES = proper.POLL_MINUTES | {"prehires": 1}
        assert found() == ["hrportal.E014"]

    @pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
    def test_refuses_a_cache_of_one_process(self, proper, backend):
        proper.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
        assert found() == ["hrportal.E010"]

    @pytest.mark.parametrize("change", [{"retry": 200}, {"timeout": None}, {"queue_limit": 8}])
    def test_refuses_a_queue_that_would_run_a_slow_job_twice(self, proper, change):
        proper.Q_CLUSTER = proper.Q_CLUSTER | change
        assert found() == ["hrportal.E011"]


class TestMalformedValues:
    @pytest.mark.parametrize(
        ("name", "value", "read"),
        [
            ("FEISHU_RATE_SCALE", "abc", lambda e: e.number("FEISHU_RATE_SCALE", default=1.0)),
            ("FEISHU_RATE_SCALE", "nan", lambda e: e.number("FEISHU_RATE_SCALE", default=1.0)),
            ("FEISHU_RATE_SCALE", "-2", lambda e: e.number("FEISHU_RATE_SCALE", default=1.0)),
            ("PORT", "x", lambda e: e.whole("PORT", default=8000)),
            ("PORT", "70000", lambda e: e.whole("PORT", default=8000, most=65_535)),
            ("DJANGO_DEBUG", "maybe", lambda e: e.flag("DJANGO_DEBUG", default=False)),
            (
                "LOG_LEVEL",
                "loud",
                lambda e: e.choice("LOG_LEVEL", default="INFO", choices=["INFO"]),
            ),
            ("TENANT_TIME_ZONE", "Mars/Base", lambda e: e.zone("TENANT_TIME_ZONE", default="UTC")),
            ("TENANT_TIME_ZONE", "../etc", lambda e: e.zone("TENANT_TIME_ZONE", default="UTC")),
        ],
    )
    def test_says_what_it_was_and_keeps_the_default(self, name, value, read):
        environment, without = Environment({name: value}), Environment({})
        assert read(environment) == read(without)
        assert len(environment.problems) == 1
        assert name in environment.problems[0]
        assert value in environment.problems[0]

    @pytest.mark.parametrize(
        "url", ["garbage", "mysql://u:secret@h/n", "postgres://u:secret@h:port/n", "postgres://"]
    )
    def test_does_not_repeat_a_password(self, url):
        environment = Environment({"DATABASE_URL": url})
        database = environment.database("DATABASE_URL", default=SENSIBLE_DATABASE)
        assert database["NAME"] == "/srv/hr.sqlite3"
        assert "DATABASE_URL" in environment.problems[0]
        assert "secret" not in environment.problems[0]

    def test_a_cache_of_an_unknown_kind(self):
        environment = Environment({"CACHE_URL": "ftp://x"})
        environment.cache("CACHE_URL", default="dbcache://hrportal_cache")
        assert "CACHE_URL" in environment.problems[0]

    def test_are_refused_at_the_start(self, proper):
        proper.ENVIRONMENT_PROBLEMS = ["PORT must be a whole number."]
        assert found() == ["hrportal.E001"]


class TestCopiesOfCheckpoints:
    @pytest.fixture(autouse=True)
    def key(self, proper, tmp_path):
        proper.LOG_SIGNING_KEY_FILE = str(tmp_path / "key.pem")
        call_command("make_log_key", stdout=StringIO())

    def test_warns_when_none_leaves_the_database(self):
        (warning,) = checks.check_log_copies(None)
        assert (warning.id, warning.is_serious()) == ("hrportal.W003", False)
        assert "LOG_CHECKPOINT_DIR" in warning.hint

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("LOG_CHECKPOINT_DIR", "/mnt/audit"),
            ("LOG_CHECKPOINT_EMAILS", ["audit@example.com"]),
            ("LOG_CHECKPOINT_CHAT", "oc_auditors"),
            ("LOG_SIGNING_KEY_FILE", ""),
        ],
    )
    def test_is_silent_when_they_do_or_there_are_none(self, name, value, proper):
        setattr(proper, name, value)
        assert checks.check_log_copies(None) == []


class TestMemoryOfCheckpoints:
    def test_warns_when_nothing_can_be_written_beside_the_key(self, proper, tmp_path):
        assert checks.check_log_memory(None) == []
        proper.LOG_SIGNING_KEY_FILE = str(tmp_path / "key.pem")
        call_command("make_log_key", stdout=StringIO())
        assert checks.check_log_memory(None) == []
        if not Path("/proc/self/fd").is_dir():
            pytest.skip("there is no folder here that nobody can write to")
        with (tmp_path / "key.pem").open("rb") as key:
            proper.LOG_SIGNING_KEY_FILE = f"/proc/self/fd/{key.fileno()}"
            (warning,) = checks.check_log_memory(None)
        assert (warning.id, warning.is_serious()) == ("hrportal.W004", False)


@pytest.mark.processes
class TestStart:
    def test_a_command_refuses_with_sentences_and_no_traceback(self):
        done = _run("manage.py", "check", environment={"FEISHU_RATE_SCALE": "abc"})
        assert done.returncode == 1
        assert "FEISHU_RATE_SCALE must be a number" in done.stderr
        assert "DJANGO_SECRET_KEY" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_web_server_refuses_for_good(self):
        done = _run("-c", "import hrportal.wsgi", environment={"PORT": "x"})
        assert done.returncode == 3
        assert "PORT must be a whole number" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_proper_environment_passes_djangos_own_checks_too(self, tmp_path):
        key = tmp_path / "log_key.pem"
        call_command("make_log_key", str(key), stdout=StringIO())
        arguments = ("check", "--deploy", "--fail-level", "WARNING")
        signing = PROPER | {"LOG_SIGNING_KEY_FILE": str(key)}
        copied = signing | {"LOG_CHECKPOINT_DIR": "/mnt/audit/checkpoints"}
        done = _run("manage.py", *arguments, environment=copied)
        assert done.returncode == 0, done.stderr
        done = _run("manage.py", *arguments, environment=signing)
        assert done.returncode == 1
        assert "hrportal.W003" in done.stderr

    def test_without_a_log_key_it_warns_and_starts(self):
        done = _run("manage.py", "check", environment=PROPER)
        assert done.returncode == 0
        assert "hrportal.W001" in done.stderr


def _sqlite(settings) -> dict:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "/srv/hr.sqlite3",
        "OPTIONS": settings.SQLITE_OPTIONS,
    }


def _run(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class TestMessages:
    def test_refuses_cards_whose_buttons_lead_nowhere(self, proper):
        proper.DATABASES = {"default": _sqlite(proper)}
        proper.FEISHU_MESSAGES = True
        assert found() == ["hrportal.E015"] * 3
        proper.PORTAL_URL = "https://hr.example.com"
        proper.FEISHU_EVENT_ENCRYPT_KEY = proper.FEISHU_EVENT_TOKEN = "given"
        assert found() == []
