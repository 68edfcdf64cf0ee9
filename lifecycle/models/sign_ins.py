"""Who is signed in where, and the second step beside a password."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lifecycle.models.accounts import User


class SignInWay(models.TextChoices):
    PASSWORD = "password", _("Password")
    SECOND_STEP = "second_step", _("Password and code")
    FEISHU = "feishu", _("Feishu")


class SignInSession(models.Model):
    """One browser somebody is signed in at, for people to see and to end.

    The session itself is Django's; it ends when that one goes. `session_key` is never shown.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    way = models.CharField(max_length=20, choices=SignInWay.choices)
    address = models.CharField(max_length=64, blank=True)
    agent = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField()
    # Brought up to date once a minute at most.
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} since {self.started_at:%Y-%m-%d %H:%M}"


class SecondStep(models.Model):
    """The codes of an authenticator app (TOTP, RFC 6238) that somebody shows beside a password."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_step")
    # Encrypted with a key made of DJANGO_SECRET_KEY (services/second_step.py).
    sealed_secret = models.TextField()
    # The 30 s period of the newest code that was taken: none is taken twice.
    last_period = models.BigIntegerField(default=0)
    set_up_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"second step of {self.user_id}"


class RecoveryCode(models.Model):
    """A code for whoever has lost the app. Shown once; only its fingerprint is kept."""

    step = models.ForeignKey(SecondStep, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"recovery code {self.pk}"
