"""What a verb can be about: one kind of mirrored record each."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle.errors.words import Words
from lifecycle.models import Application, Employee, Offboarding, PreHire, Talent
from lifecycle.models.mirror import Mirrored


@dataclass(frozen=True, slots=True)
class Subject:
    """`path`: the first part of its records' addresses."""

    path: str
    title: Words
    model: type[Mirrored]

    def find(self, feishu_id: str) -> Mirrored | None:
        """The record of this id, None when the mirror has none."""
        records = self.model._default_manager.select_related("person")
        return records.filter(feishu_id=feishu_id).first()


TALENT = Subject("talents", Words("人才", "Talent"), Talent)
APPLICATION = Subject("applications", Words("投递", "Application"), Application)
EMPLOYEE = Subject("employees", Words("员工", "Employee"), Employee)
PRE_HIRE = Subject("pre-hires", Words("待入职", "Pre-hire"), PreHire)
OFFBOARDING = Subject("offboardings", Words("离职信息", "Offboarding"), Offboarding)
