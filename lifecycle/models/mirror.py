"""The mirror: our copy of Feishu's records, for reading.

A row holds the payload as last seen and typed columns for what is filtered, sorted or
shown. `lifecycle/mirror.py` is the only writer of these tables.
"""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from lifecycle import rules

# Lists sort by the column `sort_on`: keyset paging needs a value for rows without a day.
FIRST_DAY, LAST_DAY = date.min, date.max


class Mirrored(models.Model):
    """`asked_at`: when we asked for the payload. The answer asked for last wins, because
    many payloads carry no modified time of their own."""

    feishu_id = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(
        "lifecycle.Person", on_delete=models.PROTECT, related_name="%(class)ss"
    )
    payload = models.JSONField(default=dict)
    asked_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.feishu_id}"


Present = TypeVar("Present", bound="Vanishing")


class PresentRecords(models.Manager[Present]):
    """The records Feishu still has."""

    def get_queryset(self) -> models.QuerySet[Present]:
        return super().get_queryset().filter(gone_at=None)


class Vanishing(Mirrored):
    """A record Feishu may take away. Its row stays for the history; `objects` leaves it out,
    `everyone` has it.

    `missing_since`: the first question that no longer found it; `gone_at`: when another one had
    confirmed that.
    """

    missing_since = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = PresentRecords()
    everyone: models.Manager[Any] = models.Manager()

    class Meta:
        abstract = True


class Talent(Mirrored):
    """`left_known_at`: when a talent was marked as left from here, which no reading shows."""

    is_onboarded = models.BooleanField(_("onboarded"), default=False)
    left_known_at = models.DateTimeField(null=True, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.CharField(_("email"), max_length=200, blank=True)
    # What a search is compared with (masking.py); the lists show neither.
    phone_key = models.CharField(max_length=40, blank=True, db_index=True)
    phone_tail = models.CharField(max_length=4, blank=True, db_index=True)
    email_key = models.CharField(max_length=200, blank=True, db_index=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    sort_on = models.DateField(default=FIRST_DAY)

    class Meta:
        verbose_name = _("talent")
        verbose_name_plural = _("talents")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["-sort_on", "-id"]),
            models.Index(fields=["is_onboarded", "-sort_on", "-id"]),
        ]

    @property
    def has_left(self) -> bool:
        return self.left_known_at is not None


class Application(Mirrored):
    """One talent's candidacy for one job.

    `is_locked`: the talent is locked by another application, as of the last look; `offer`: the
    offer's terms with their ids (H7). Both are read for one application when it is opened.
    """

    talent_id = models.CharField(max_length=64, blank=True, db_index=True)
    job_id = models.CharField(max_length=64, blank=True)
    stage_id = models.CharField(max_length=64, blank=True)
    stage_type = models.CharField(
        _("stage"), max_length=20, choices=[(s.value, s.name) for s in rules.StageType], blank=True
    )
    is_active = models.BooleanField(default=True)
    is_locked = models.BooleanField(default=False)
    offer = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    sort_on = models.DateField(default=FIRST_DAY)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["-sort_on", "-id"]),
            models.Index(fields=["stage_type", "is_active", "-sort_on", "-id"]),
            models.Index(fields=["is_active", "-sort_on", "-id"]),
        ]

    @property
    def stage_name(self) -> str:
        """The stage as the tenant has named it, in Chinese where there is both."""
        stage = self.payload.get("stage") or {}
        return str(stage.get("zh_name") or stage.get("en_name") or "")


class Employee(Vanishing):
    """A Hire employee: made by onboarding an application. Not a CoreHR employment.

    Going back to pre-hire takes the record away in Feishu.
    """

    class Onboard(models.TextChoices):
        ONBOARDED = rules.OnboardStatus.ONBOARDED.value, _("Onboarded")
        LEFT = rules.OnboardStatus.LEFT.value, _("Left")

    class Conversion(models.TextChoices):
        NOT_CONVERTED = rules.ConversionStatus.NOT_CONVERTED.value, _("On probation")
        CONVERTED = rules.ConversionStatus.CONVERTED.value, _("Converted")

    application_id = models.CharField(max_length=64, blank=True, db_index=True)
    # Filled when the person has been synced to CoreHR, where Hire refuses changes (1002910).
    employment_id = models.CharField(max_length=64, blank=True, db_index=True)
    onboard_status = models.CharField(
        _("status"), max_length=20, choices=Onboard.choices, blank=True
    )
    conversion_status = models.CharField(
        _("conversion"), max_length=20, choices=Conversion.choices, blank=True
    )
    onboarded_on = models.DateField(_("onboarded on"), null=True, blank=True)
    expected_conversion_on = models.DateField(_("conversion due on"), null=True, blank=True)
    converted_on = models.DateField(_("converted on"), null=True, blank=True)
    left_on = models.DateField(_("left on"), null=True, blank=True)
    department_id = models.CharField(_("department"), max_length=64, blank=True, db_index=True)
    leader_open_id = models.CharField(_("leader"), max_length=64, blank=True, db_index=True)
    job_level_id = models.CharField(max_length=64, blank=True)
    job_family_id = models.CharField(max_length=64, blank=True)
    employee_type_id = models.CharField(max_length=64, blank=True)
    # The day the list sorts by: whoever awaits conversion comes first, the longest overdue on
    # top; the others come last, and keyset paging needs a value for them.
    due_sort_on = models.DateField(default="9999-12-31")

    class Meta:
        verbose_name = _("employee")
        verbose_name_plural = _("employees")
        ordering = ["due_sort_on", "pk"]
        indexes = [
            models.Index(fields=["due_sort_on", "id"]),
            models.Index(fields=["onboard_status", "conversion_status", "due_sort_on", "id"]),
            models.Index(fields=["onboard_status", "conversion_status", "converted_on"]),
            models.Index(fields=["onboard_status", "due_sort_on", "id"]),
            models.Index(fields=["department_id", "due_sort_on", "id"]),
            models.Index(fields=["leader_open_id", "due_sort_on", "id"]),
        ]

    @property
    def is_on_probation(self) -> bool:
        return rules.can_convert(self.onboard_status, self.conversion_status)

    @property
    def has_left(self) -> bool:
        return self.onboard_status == rules.OnboardStatus.LEFT

    @property
    def is_converted(self) -> bool:
        return not self.has_left and self.conversion_status == rules.ConversionStatus.CONVERTED


class PreHire(Vanishing):
    """CoreHR: accepted, not started yet (待入职).

    `payload` is an item of a search (P3); `detail` is the record as read alone (P2), which is
    of another shape and holds everything that can be changed. None: never read.
    """

    application_id = models.CharField(max_length=64, blank=True, db_index=True)
    onboarding_status = models.CharField(_("onboarding status"), max_length=20, blank=True)
    onboards_on = models.DateField(_("onboards on"), null=True, blank=True)
    department_id = models.CharField(max_length=64, blank=True, db_index=True)
    sort_on = models.DateField(default=LAST_DAY)
    detail = models.JSONField(null=True, blank=True)
    detail_asked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("pre-hire")
        verbose_name_plural = _("pre-hires")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["sort_on", "id"]),
            models.Index(fields=["onboarding_status", "sort_on", "id"]),
        ]

    @property
    def is_awaited(self) -> bool:
        return self.onboarding_status in rules.AWAITED


class Employment(Mirrored):
    """CoreHR's record of somebody working here. `feishu_id` is the people_corehr_id."""

    application_id = models.CharField(max_length=64, blank=True, db_index=True)
    number = models.CharField(_("employee number"), max_length=64, blank=True)
    status = models.CharField(max_length=20, blank=True)
    department_id = models.CharField(max_length=64, blank=True, db_index=True)
    leader_employment_id = models.CharField(max_length=64, blank=True)
    started_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("employment")
        verbose_name_plural = _("employments")
        ordering = ["-pk"]


class Offboarding(Vanishing):
    """CoreHR's record of somebody leaving (离职信息)."""

    employment_id = models.CharField(max_length=64, blank=True, db_index=True)
    initiating_type = models.CharField(max_length=40, blank=True)
    status = models.CharField(_("status"), max_length=20, blank=True)
    offboards_on = models.DateField(_("last day"), null=True, blank=True)
    expected_on = models.DateField(null=True, blank=True)
    sort_on = models.DateField(default=LAST_DAY)

    class Meta:
        verbose_name = _("offboarding")
        verbose_name_plural = _("offboardings")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["sort_on", "id"]),
            models.Index(fields=["status", "sort_on", "id"]),
        ]

    @property
    def is_ahead(self) -> bool:
        """True until it is done, refused or withdrawn."""
        return self.status in rules.LEAVING

    @property
    def last_day(self) -> date | None:
        """The last working day, or the one wished for while none is settled."""
        return self.offboards_on or self.expected_on
