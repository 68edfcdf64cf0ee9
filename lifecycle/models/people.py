"""One row per human being, tying together the ids Feishu gives them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Person(models.Model):
    """A human being.

    Feishu knows the same human as a talent, as applications, as a Hire employee, as a
    pre-hire and as an employment, each with an id of its own. Status changes are kept one
    at a time per person, so this row is what they are counted against.
    """

    name = models.CharField(_("name"), max_length=200, blank=True)
    # Name, pinyin, initials and every id, in lower case, for search.
    search_text = models.TextField(blank=True)
    talent_id = models.CharField(max_length=64, unique=True, null=True, blank=True)
    employment_id = models.CharField(max_length=64, unique=True, null=True, blank=True)
    open_id = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"
