"""Offboardings of the sandbox, and their form as a browser posts it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from lifecycle.changes.kinds import kind_named
from lifecycle.models import Offboarding
from lifecycle.sandbox.control import SandboxControl

# All that an offboarding refers to.
KINDS = ("departments", "offboardings", "employments", "catalogues")


def an_approved_offboarding(sandbox: SandboxControl) -> Offboarding:
    """One that Feishu lets be edited."""
    return offboarding(sandbox.specials()["A4:1160604"]["subject"])


def offboarding(feishu_id: str) -> Offboarding:
    return Offboarding.objects.select_related("person").get(feishu_id=feishu_id)


def typed_in(record: Offboarding, **fields: Any) -> dict[str, Any]:
    """Everything the form was opened with, and what was typed into it."""
    opened = kind_named("edit_offboarding").form(record, today=timezone.localdate())
    return as_posted(opened) | {f"field_{name}": value for name, value in fields.items()}


def as_posted(form: Any) -> dict[str, Any]:
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items()}


def confirmation_of(answer: Any) -> dict[str, Any]:
    """What the form of a plan's page posts."""
    plan = answer.context["plan"]
    return as_posted(answer.context["form"]) | {
        "step": "confirm",
        "submission_key": plan.key,
        "pre_image_hash": plan.pre_image_hash,
        "payload_hash": plan.payload_hash,
    }
