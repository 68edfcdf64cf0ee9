"""What `make run` fills in when the caller left it out: a portal for this machine only.

Runs before the settings are loaded, so it needs nothing but Python. A setting that was given
is never replaced.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, MutableMapping
from functools import partial
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
# The sandbox's limits are this much wider than Feishu's, so that a first sync takes seconds.
_RATE_SCALE = "20"
_SANDBOX_CHAT = "oc_auditors"
_SANDBOX_APP = ("cli_sandbox", "sandbox-secret")
_SANDBOX_TENANT = "2f6b1c0d9e8a4751"


def complete(values: MutableMapping[str, str]) -> None:
    var = Path(values.get("HRPORTAL_VAR_DIR") or BASE_DIR / "var").resolve()
    var.mkdir(parents=True, exist_ok=True)
    _fill(values, "DJANGO_SECRET_KEY", lambda: _secret_key(var / "secret_key"))
    _fill(values, "LOG_SIGNING_KEY_FILE", lambda: str(_log_key(var / "log_key.pem")))
    # It listens on 127.0.0.1 alone, where nobody can listen in.
    _fill(values, "DJANGO_DEBUG", lambda: "0")
    _fill(values, "DJANGO_HTTPS_ONLY", lambda: "0")
    if not values.get("FEISHU_BASE_URL") and not values.get("FEISHU_APP_ID"):
        _use_sandbox(values, var)
    elif (values.get("FEISHU_BASE_URL") or "").startswith("http://"):
        _use_stand_in(values, var)


def _use_sandbox(values: MutableMapping[str, str], var: Path) -> None:
    """Demo people and real people never share a database, nor do two demo companies."""
    people = values.get("PEOPLE") or "300"
    values["OWN_SANDBOX"] = values["DEMO_SIGN_INS"] = "1"
    values["FEISHU_BASE_URL"] = f"http://127.0.0.1:{values.get('SANDBOX_PORT') or '8801'}"
    values["FEISHU_APP_ID"], values["FEISHU_APP_SECRET"] = _SANDBOX_APP
    _fill(values, "FEISHU_TENANT_KEY", lambda: _SANDBOX_TENANT)
    _fill(values, "FEISHU_RATE_SCALE", lambda: _RATE_SCALE)
    _fill(values, "DATABASE_URL", lambda: f"sqlite:///{var / f'demo-{people}.sqlite3'}")
    # The sandbox has a page that plays the phones of its people.
    _fill(values, "FEISHU_MESSAGES", lambda: "1")
    _fill(values, "PORTAL_URL", lambda: f"http://127.0.0.1:{values.get('PORT') or '8000'}")
    for name in ("FEISHU_EVENT_ENCRYPT_KEY", "FEISHU_EVENT_TOKEN"):
        _fill(values, name, partial(_secret_key, var / name.lower()))
    _fill(values, "LOG_CHECKPOINT_CHAT", lambda: _SANDBOX_CHAT)


def _use_stand_in(values: MutableMapping[str, str], var: Path) -> None:
    """Another server that plays Feishu on this machine: Feishu itself speaks https only. Its
    people are invented too, so they get a database of their own and the demo's sign-ins."""
    values["DEMO_SIGN_INS"] = "1"
    _fill(values, "FEISHU_APP_ID", lambda: _SANDBOX_APP[0])
    _fill(values, "FEISHU_APP_SECRET", lambda: _SANDBOX_APP[1])
    where = re.sub(r"[^0-9A-Za-z]+", "-", values["FEISHU_BASE_URL"].removeprefix("http://"))
    _fill(values, "DATABASE_URL", lambda: f"sqlite:///{var / f'stand-in-{where}.sqlite3'}")


def _fill(values: MutableMapping[str, str], name: str, make: Callable[[], str]) -> None:
    if not values.get(name):
        values[name] = make()


def _secret_key(path: Path) -> str:
    """Kept, so that sign-ins outlive a restart."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def _log_key(path: Path) -> Path:
    """A key for the checkpoints of the action log; `manage.py make_log_key` elsewhere. An
    Ed25519 key is any 32 bytes, written as RFC 8410 says."""
    if not path.exists():
        path.touch(mode=0o600)
        der = bytes.fromhex("302e020100300506032b657004220420") + secrets.token_bytes(32)
        text = base64.b64encode(der).decode("ascii")
        path.write_text(
            f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n", encoding="ascii"
        )
    return path
