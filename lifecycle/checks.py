"""What is missing or unsafe in the settings, one plain sentence each, found before a start.

Every `manage.py` command runs these; `hrportal/wsgi.py` does as well, so a web server refuses
too. Each hint names the setting to change (table in README.md).
"""

from __future__ import annotations

import ipaddress
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from lifecycle.changes import kinds
from lifecycle.evidence import keys

_SHORTEST_KEY = 50
_PER_PROCESS_CACHES = ("LocMemCache", "DummyCache")
_SQLITE_NEEDS = ("journal_mode=WAL", "synchronous=FULL")
# A web server such as gunicorn reads this exit status as "do not start me again".
_REFUSED = 3

Apps = Sequence[AppConfig] | None


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_stand_in(base_url: str) -> bool:
    """Feishu speaks https only, so plain HTTP on this machine is a stand-in for it, with
    invented people: the portal's own sandbox or another one."""
    parts = urlsplit(base_url)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


def is_demo() -> bool:
    """True for a portal that offers the demo's sign-ins, and has nobody's real data."""
    return bool(settings.DEMO_SIGN_INS) and is_stand_in(settings.FEISHU_BASE_URL)


def refuse_unsafe_start() -> None:
    """For entry points that are no `manage.py` command."""
    errors = [error for check in CHECKS for error in check(None)]
    if errors:
        for error in errors:
            sys.stderr.write(f"{error.id}: {error.msg} {error.hint or ''}\n")
        raise SystemExit(_REFUSED)


def check_environment(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(problem, hint="The settings are listed in README.md.", id="hrportal.E001")
        for problem in settings.ENVIRONMENT_PROBLEMS
    ]


def check_secret_key(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return []
    if settings.SECRET_KEY == settings.INSECURE_SECRET_KEY:
        message = "There is no secret key of your own."
    elif len(settings.SECRET_KEY) < _SHORTEST_KEY or len(set(settings.SECRET_KEY)) < 5:
        message = f"The secret key is too easy to guess: it needs {_SHORTEST_KEY} characters."
    else:
        return []
    hint = "Set DJANGO_SECRET_KEY to a long random text that only this portal knows."
    return [Error(message, hint=hint, id="hrportal.E002")]


def check_hosts(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    hosts = settings.ALLOWED_HOSTS
    if not hosts and not settings.DEBUG:
        message = "No host name is allowed, so no page could be opened."
    elif "*" in hosts:
        message = "Any host name is allowed, so links in pages could be forged."
    else:
        return []
    hint = "Set DJANGO_ALLOWED_HOSTS to the portal's own names, with commas between them."
    return [Error(message, hint=hint, id="hrportal.E003")]


def check_https(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Plain HTTP is for this machine only."""
    if settings.DEBUG or settings.HTTPS_ONLY:
        return []
    outside = [host for host in settings.ALLOWED_HOSTS if not is_loopback(host)]
    if not outside:
        return []
    return [
        Error(
            f"Passwords would travel unencrypted to {', '.join(outside)}.",
            hint="Set DJANGO_HTTPS_ONLY=1 and put a TLS proxy in front (docs/operations.md).",
            id="hrportal.E004",
        )
    ]


def check_feishu_address(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    message = _wrong_address(settings.FEISHU_BASE_URL)
    if not message:
        return []
    hint = "Set FEISHU_BASE_URL to https://open.feishu.cn or https://open.larksuite.com."
    return [Error(message, hint=hint, id="hrportal.E005")]


def _wrong_address(address: str) -> str:
    """What is wrong with Feishu's address; empty when nothing is."""
    try:
        parts: SplitResult = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        return f"“{address}” is not the address of a Feishu server."
    if parts.scheme == "http" and not is_loopback(host):
        return f"The app's secret would travel unencrypted to {host}."
    if parts.path or parts.query or parts.fragment or parts.username:
        return "Feishu's address must be a scheme and a host only."
    return ""


def check_accounts_address(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Only when people sign in with Feishu."""
    message = _wrong_address(settings.FEISHU_ACCOUNTS_URL) if settings.FEISHU_TENANT_KEY else ""
    if not message:
        return []
    hint = "Leave FEISHU_ACCOUNTS_URL out, or set it to https://accounts.feishu.cn."
    return [Error(message, hint=hint, id="hrportal.E016")]


def check_feishu_app(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return []
    missing = [
        name for name in ("FEISHU_APP_ID", "FEISHU_APP_SECRET") if not getattr(settings, name)
    ]
    return [
        Error(
            f"{name} is empty, so Feishu would refuse every call.",
            hint="Copy it from the app's page in the Feishu developer console, or try `make run`.",
            id="hrportal.E006",
        )
        for name in missing
    ]


def check_rate_scale(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if settings.FEISHU_RATE_SCALE > 0:
        return []
    return [
        Error(
            "With FEISHU_RATE_SCALE at zero or less nothing could ever be sent to Feishu.",
            hint="Set FEISHU_RATE_SCALE to 1, or less to leave room for other apps.",
            id="hrportal.E007",
        )
    ]


def check_database(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    options = database.get("OPTIONS", {})
    if options.get("pool"):
        return [
            Error(
                "A connection pool does not survive the worker's forks: jobs would stand still.",
                hint="Remove “pool” from DATABASE_URL.",
                id="hrportal.E009",
            )
        ]
    if not database["ENGINE"].endswith("sqlite3"):
        return []
    if ":memory:" in str(database["NAME"]):
        return [
            Error(
                "A database in memory is not shared: every process would see its own.",
                hint="Set DATABASE_URL to sqlite:///path of a file, or leave it out.",
                id="hrportal.E012",
            )
        ]
    pragmas = options.get("init_command", "")
    if options.get("transaction_mode") == "IMMEDIATE" and all(n in pragmas for n in _SQLITE_NEEDS):
        return []
    return [
        Error(
            "SQLite without IMMEDIATE, WAL and FULL would lose work under load or a power cut.",
            hint="Keep SQLITE_OPTIONS in hrportal/settings.py as it was.",
            id="hrportal.E008",
        )
    ]


def check_cache(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not settings.CACHES["default"]["BACKEND"].endswith(_PER_PROCESS_CACHES):
        return []
    return [
        Error(
            "The cache is not shared: web processes and the worker would each see their own.",
            hint="Set CACHE_URL to dbcache://hrportal_cache or redis://host:6379/0.",
            id="hrportal.E010",
        )
    ]


def check_queue(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """A task is delivered again `retry` seconds after it was taken, even if it waited behind
    others in the queue's memory: it must be over by then."""
    queue = settings.Q_CLUSTER
    timeout, retry, workers = queue.get("timeout"), queue.get("retry", 60), queue.get("workers", 1)
    longest = (timeout or float("inf")) * (1 + queue.get("queue_limit", workers**2) / workers)
    if retry > longest:
        return []
    return [
        Error(
            f"A slow job would run twice: retry is {retry} s, but a job may take {longest:g} s.",
            hint="In Q_CLUSTER keep retry > timeout * (1 + queue_limit / workers).",
            id="hrportal.E011",
        )
    ]


def check_poll_minutes(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Minutes for a kind that does not exist would change nothing."""
    unknown = set(settings.POLL_MINUTES) - set(settings.DEFAULT_POLL_MINUTES)
    if not unknown:
        return []
    return [
        Error(
            f"There is no kind of record called {', '.join(sorted(unknown))} to be polled.",
            hint=f"In POLL_MINUTES use {', '.join(settings.DEFAULT_POLL_MINUTES)}.",
            id="hrportal.E014",
        )
    ]


def check_messages(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """A card whose buttons lead nowhere is worse than none."""
    if not settings.FEISHU_MESSAGES:
        return []
    needed = ("PORTAL_URL", "FEISHU_EVENT_ENCRYPT_KEY", "FEISHU_EVENT_TOKEN")
    return [
        Error(
            f"{name} is empty, so the buttons of cards in Feishu would lead nowhere.",
            hint="Set it (docs/operations.md, “Messages in Feishu”), or FEISHU_MESSAGES=0.",
            id="hrportal.E015",
        )
        for name in needed
        if not getattr(settings, name)
    ]


def check_daily_limits(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """A limit for a verb that does not exist would hold nothing back."""
    unknown = set(settings.DAILY_LIMITS) - set(settings.DEFAULT_DAILY_LIMITS) - set(kinds.ALL)
    if not unknown:
        return []
    return [
        Error(
            f"There is no verb called {', '.join(sorted(unknown))} to be limited.",
            hint=f"In DAILY_LIMITS use {', '.join(kinds.ALL)}.",
            id="hrportal.E013",
        )
    ]


def check_log_key(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Without a key the log is chained but not signed: no error, but not what it could be."""
    try:
        keys.signing_key()
    except keys.NoSigningKey as error:
        return [
            Warning(
                f"No checkpoint of the action log is signed. {error}",
                hint="Run `manage.py make_log_key FILE` and set LOG_SIGNING_KEY_FILE.",
                id="hrportal.W001",
            )
        ]
    if Path(settings.LOG_SIGNING_KEY_FILE).stat().st_mode & 0o077:
        return [
            Warning(
                "Others on this machine can read the key that signs the action log.",
                hint=f"chmod 600 {settings.LOG_SIGNING_KEY_FILE}",
                id="hrportal.W002",
            )
        ]
    return []


def check_log_copies(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """What is signed and stays in the database can be removed there without a trace."""
    leaves = (
        settings.LOG_CHECKPOINT_DIR,
        settings.LOG_CHECKPOINT_EMAILS,
        settings.LOG_CHECKPOINT_CHAT,
    )
    if any(leaves) or not keys.has_signing_key():
        return []
    return [
        Warning(
            "Signed checkpoints of the action log stay in the database: whoever owns it can"
            " remove them and rewrite the log.",
            hint="Set LOG_CHECKPOINT_DIR (a folder of another machine), LOG_CHECKPOINT_EMAILS or"
            " LOG_CHECKPOINT_CHAT.",
            id="hrportal.W003",
        )
    ]


def check_log_memory(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Beside its key the worker remembers what it signed, to notice when that is gone."""
    folder = Path(settings.LOG_SIGNING_KEY_FILE).parent
    if not keys.has_signing_key():
        return []
    try:
        with tempfile.TemporaryFile(dir=folder):
            return []
    except OSError:
        return [
            Warning(
                f"Nothing can be written to {folder}, so the worker cannot remember which"
                " checkpoints it signed.",
                hint="Keep the signing key in a folder of its own that the worker can write to.",
                id="hrportal.W004",
            )
        ]


# These let the portal start.
WARNINGS = [check_log_key, check_log_copies, check_log_memory]
CHECKS = [
    check_environment,
    check_secret_key,
    check_hosts,
    check_https,
    check_feishu_address,
    check_accounts_address,
    check_feishu_app,
    check_rate_scale,
    check_database,
    check_cache,
    check_queue,
    check_daily_limits,
    check_poll_minutes,
    check_messages,
]
for _check in [*CHECKS, *WARNINGS]:
    register(_check)
