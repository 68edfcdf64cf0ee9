"""The second step beside a password: codes of an authenticator app, and recovery codes.

Codes are TOTP (RFC 6238: SHA-1, six digits, 30 s). A code is taken one period early or late,
and no period twice. Secrets are encrypted at rest with a key made of DJANGO_SECRET_KEY; of
recovery codes, 120 random bits each, only a SHA-256 is kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import secrets
from datetime import datetime

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from lifecycle import action_log, policies
from lifecycle.errors.problems import NotAllowed
from lifecycle.errors.sign_in import SignInRefused
from lifecycle.models import RecoveryCode, Role, SecondStep, User
from lifecycle.policies import Capability
from lifecycle.services.users import at_command_line, end_sessions

ISSUER = "hrportal"
PERIOD_S = 30
# How many periods a phone's clock may be off.
DRIFT = 1
RECOVERY_CODES = 10
RECOVERY_BYTES, RECOVERY_GROUP = 15, 4
_PURPOSE = b"hrportal second step"
log = logging.getLogger(__name__)


def must_have(user: User) -> bool:
    """True when a password alone never signs this user in."""
    return user.role == Role.ADMINISTRATOR


def of(user: User) -> SecondStep | None:
    """The second step this user has set up, if any."""
    return SecondStep.objects.filter(user=user).first()


# -- setting it up ------------------------------------------------------------------------


def new_secret() -> str:
    """A fresh secret, sealed: it may be kept in a session until its first code was right."""
    return _cipher().encrypt(pyotp.random_base32().encode("ascii")).decode("ascii")


def open_secret(sealed: str) -> str:
    """The secret as an app takes it (base32). Raises SignInRefused when it cannot be read."""
    try:
        return _cipher().decrypt(sealed.encode("ascii")).decode("ascii")
    except InvalidToken as error:
        log.error("The secret of a second step cannot be read: was DJANGO_SECRET_KEY changed?")
        raise SignInRefused("sign-in.wrong-code") from error


def address_of(sealed: str, user: User) -> str:
    """The otpauth:// address that a QR code carries to the app."""
    totp = pyotp.TOTP(open_secret(sealed))
    return totp.provisioning_uri(name=user.get_username(), issuer_name=ISSUER)


@transaction.atomic
def set_up(user: User, sealed: str, code: str, *, at: datetime) -> list[str]:
    """Switch the second step on, once a code shows that the app has the secret.

    Returns the recovery codes, which can never be shown again. Raises SignInRefused.
    """
    period = _period_of(open_secret(sealed), code, at=at)
    if period is None or not _lock(user) or of(user) is not None:
        raise SignInRefused("sign-in.wrong-code")
    step = SecondStep.objects.create(
        user=user, sealed_secret=sealed, last_period=period, set_up_at=at
    )
    action_log.record("user.second_step_on", actor=user, data={"user": user.pk})
    return _new_codes(step)


@transaction.atomic
def renew_recovery_codes(user: User) -> list[str]:
    """Ten new recovery codes; the old ones are void. Raises SignInRefused without a step."""
    _lock(user)
    step = of(user)
    if step is None:
        raise SignInRefused("sign-in.wrong-code")
    step.recovery_codes.all().delete()
    action_log.record("user.recovery_codes_renewed", actor=user, data={"user": user.pk})
    return _new_codes(step)


@transaction.atomic
def switch_off(user: User) -> None:
    """One's own. Raises NotAllowed for a role that needs one."""
    if must_have(user):
        raise NotAllowed
    SecondStep.objects.filter(user=user).delete()
    action_log.record("user.second_step_off", actor=user, data={"user": user.pk})


@transaction.atomic
def reset(user: User, *, acting_user: User | None) -> bool:
    """Take away what somebody has lost, and end their sessions; False when there was none.
    `acting_user`: None at the command line. Raises NotAllowed, also for one's own."""
    if acting_user is not None and (
        acting_user.pk == user.pk or not policies.can(acting_user, Capability.MANAGE_USERS)
    ):
        raise NotAllowed
    deleted, _ = SecondStep.objects.filter(user=user).delete()
    if not deleted:
        return False
    end_sessions(user)
    data = {"user": user.pk} | at_command_line(acting_user)
    action_log.record("user.second_step_reset", actor=acting_user, data=data)
    return True


# -- using it -----------------------------------------------------------------------------


def check(user: User, code: str, *, at: datetime) -> bool:
    """True when this code is right; it is used up then. A code of the app or a recovery code."""
    step = of(user)
    if step is None:
        return False
    typed = "".join(code.split()).replace("-", "").upper()
    if len(typed) > 6:
        return _take_recovery_code(step, typed, at=at)
    period = _period_of(open_secret(step.sealed_secret), typed, at=at)
    if period is None:
        return False
    # Of two requests with the same code one wins.
    unused = SecondStep.objects.filter(pk=step.pk, last_period__lt=period)
    return unused.update(last_period=period) == 1


def code_now(sealed: str, *, at: datetime) -> str:
    """What the app shows at this moment; for the demo, where nobody has one."""
    return pyotp.TOTP(open_secret(sealed)).at(at)


def recovery_codes_left(step: SecondStep) -> int:
    return step.recovery_codes.filter(used_at=None).count()


def _period_of(secret: str, code: str, *, at: datetime) -> int | None:
    """The period whose code this is, None for a wrong one. Takes as long either way."""
    now = int(at.timestamp()) // PERIOD_S
    totp = pyotp.TOTP(secret, interval=PERIOD_S)
    typed = "".join(code.split()).encode()
    found = None
    for period in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(period).encode(), typed):
            found = period
    return found


@transaction.atomic
def _take_recovery_code(step: SecondStep, typed: str, *, at: datetime) -> bool:
    unused = step.recovery_codes.filter(digest=_digest(typed), used_at=None)
    if unused.update(used_at=at) != 1:
        return False
    data = {"user": step.user_id, "left": recovery_codes_left(step)}
    action_log.record("user.recovery_code_used", actor=step.user, data=data)
    return True


def _new_codes(step: SecondStep) -> list[str]:
    drawn = [_draw() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(step=step, digest=_digest(one)) for one in drawn)
    group = RECOVERY_GROUP
    return ["-".join(one[n : n + group] for n in range(0, len(one), group)) for one in drawn]


def _draw() -> str:
    return base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode("ascii")


def _digest(typed: str) -> str:
    return hashlib.sha256(typed.encode()).hexdigest()


def _lock(user: User) -> bool:
    """One at a time per user: two open pages set up one second step."""
    return User.objects.select_for_update(no_key=True).filter(pk=user.pk).first() is not None


def _cipher() -> Fernet:
    """The key is made of DJANGO_SECRET_KEY for this purpose alone."""
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return Fernet(base64.urlsafe_b64encode(made.derive(settings.SECRET_KEY.encode())))
