"""Who signs in, in which role, and how far that role reaches."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    HR = "hr", _("HR")
    MANAGER = "manager", _("Manager")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("Administrator")


class User(AbstractUser):
    """A person who signs in. One role each; what a role may do stands in policies.py."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, blank=True)
    # The Feishu account of this person: a manager's reports are found through it.
    open_id = models.CharField(_("Feishu open id"), max_length=64, blank=True, db_index=True)
    # HR only. Empty means the whole company; else these departments and all below them.
    department_ids = models.JSONField(_("departments"), default=list, blank=True)

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name shown to others, in the order it is written in Chinese."""
        return f"{self.last_name}{self.first_name}".strip() or self.username
