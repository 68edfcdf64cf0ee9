"""Departments, colleagues and catalogues: what turns ids into words on the screen."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Department(models.Model):
    """`path` lists the ids from the root down to this department, each between slashes, so
    that "this department and all below it" is one condition."""

    feishu_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    parent_id = models.CharField(max_length=64, blank=True)
    path = models.TextField(blank=True)
    full_name = models.TextField(blank=True)
    manager_open_id = models.CharField(max_length=64, blank=True)
    # Name, pinyin, initials, code and id, in lower case, for search.
    search_text = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    payload = models.JSONField(default=dict)
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")

    def __str__(self) -> str:
        return self.full_name or self.name or self.feishu_id

    @property
    def line(self) -> list[str]:
        """The ids from the root down to this department."""
        return [one for one in self.path.split("/") if one]


class Contact(models.Model):
    """A colleague's Feishu account: a name for an open_id, and who leads whom."""

    feishu_id = models.CharField(_("open id"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    leader_open_id = models.CharField(max_length=64, blank=True, db_index=True)
    # Names, pinyin, initials, employee number and id, in lower case, for search.
    search_text = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    payload = models.JSONField(default=dict)
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("colleague")
        verbose_name_plural = _("colleagues")

    def __str__(self) -> str:
        return self.name or self.feishu_id


class ReportingLine(models.Model):
    """Everybody who reports to a leader, directly or through others; a leader is in the
    list of his own line, so that direct reports need no case of their own."""

    leader_open_id = models.CharField(max_length=64)
    report_open_id = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["leader_open_id", "report_open_id"], name="reporting_line_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.leader_open_id} > {self.report_open_id}"


class CatalogueEntry(models.Model):
    """One entry of a list Feishu keeps. docs/adr/0007 says where each list comes from.

    Hire knows job levels, job families and employee types by their ids in Feishu's directory,
    CoreHR by ids of its own: CORE_HR_EMPLOYEE_TYPE is the only list here with CoreHR's.
    """

    class Kind(models.TextChoices):
        EMPLOYEE_TYPE = "employee_type", _("employee type")
        CORE_HR_EMPLOYEE_TYPE = "corehr_employee_type", _("employee type in CoreHR")
        JOB_LEVEL = "job_level", _("job level")
        JOB_FAMILY = "job_family", _("job family")
        LOCATION = "location", _("office location")
        JOB_REQUIREMENT = "job_requirement", _("job requirement")
        COST_CENTER = "cost_center", _("cost center")
        OFFBOARDING_REASON = "offboarding_reason", _("offboarding reason")
        OFFBOARDING_FIELD = "offboarding_field", _("offboarding field")
        PRE_HIRE_FIELD = "pre_hire_field", _("pre-hire field")

    kind = models.CharField(max_length=30, choices=Kind.choices)
    feishu_id = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True)
    # Names, pinyin, initials, code and id, in lower case, for search.
    search_text = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    # The last day it may be used; empty when it has no end.
    ends_on = models.DateField(null=True, blank=True)
    payload = models.JSONField(default=dict)
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("catalogue entry")
        verbose_name_plural = _("catalogue entries")
        constraints = [
            models.UniqueConstraint(fields=["kind", "feishu_id"], name="catalogue_entry_once")
        ]

    def __str__(self) -> str:
        return self.name or self.feishu_id
