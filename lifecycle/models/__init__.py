"""What the portal remembers: accounts, the mirror, status changes, the action log, syncs."""

from lifecycle.models.accounts import Role, User
from lifecycle.models.action_log import ActionEntry, ActionLogHead, PrivateValue
from lifecycle.models.changes import Attempt, StatusChange
from lifecycle.models.guards import Approval, DailyCount, WritesSwitch
from lifecycle.models.mirror import (
    Application,
    Employee,
    Employment,
    Offboarding,
    PreHire,
    Talent,
)
from lifecycle.models.organisation import CatalogueEntry, Contact, Department, ReportingLine
from lifecycle.models.people import Person
from lifecycle.models.sync import EndpointGate, SyncCase, SyncRun, UnreadableRecord, WorkerBeat

__all__ = [
    "ActionEntry",
    "ActionLogHead",
    "Application",
    "Approval",
    "Attempt",
    "CatalogueEntry",
    "Contact",
    "DailyCount",
    "Department",
    "Employee",
    "Employment",
    "EndpointGate",
    "Offboarding",
    "Person",
    "PreHire",
    "PrivateValue",
    "ReportingLine",
    "Role",
    "StatusChange",
    "SyncCase",
    "SyncRun",
    "Talent",
    "UnreadableRecord",
    "User",
    "WorkerBeat",
    "WritesSwitch",
]
