"""What the portal remembers: accounts, the mirror, status changes, the action log, syncs."""

from lifecycle.models.accounts import Role, User
from lifecycle.models.action_log import (
    ActionEntry,
    ActionLogHead,
    LogCheckpoint,
    LogVerification,
    PrivateValue,
)
from lifecycle.models.audit import LegalHold, LogReview, LogSample, SavedLogView
from lifecycle.models.changes import Attempt, StatusChange
from lifecycle.models.events import ChangeEvent, DigestMark, DriftCase, FeedMark, PushedEvent
from lifecycle.models.guards import Approval, DailyCount, WritesSwitch
from lifecycle.models.health import ChangeCheck
from lifecycle.models.messages import CardPress, FeishuMessage
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
from lifecycle.models.requests import (
    ApprovalRoute,
    ApprovalStep,
    ConversionRequest,
    Delegation,
    StepAgreement,
)
from lifecycle.models.sign_ins import RecoveryCode, SecondStep, SignInSession, SignInWay
from lifecycle.models.sync import (
    EndpointGate,
    SyncCase,
    SyncPlan,
    SyncRun,
    UnreadableRecord,
    WorkerBeat,
)

__all__ = [
    "ActionEntry",
    "ActionLogHead",
    "Application",
    "Approval",
    "ApprovalRoute",
    "ApprovalStep",
    "Attempt",
    "CardPress",
    "CatalogueEntry",
    "ChangeCheck",
    "ChangeEvent",
    "Contact",
    "ConversionRequest",
    "DailyCount",
    "Delegation",
    "Department",
    "DigestMark",
    "DriftCase",
    "Employee",
    "Employment",
    "EndpointGate",
    "FeedMark",
    "FeishuMessage",
    "LegalHold",
    "LogCheckpoint",
    "LogReview",
    "LogSample",
    "LogVerification",
    "Offboarding",
    "Person",
    "PreHire",
    "PrivateValue",
    "PushedEvent",
    "RecoveryCode",
    "ReportingLine",
    "Role",
    "SavedLogView",
    "SecondStep",
    "SignInSession",
    "SignInWay",
    "StatusChange",
    "StepAgreement",
    "SyncCase",
    "SyncPlan",
    "SyncRun",
    "Talent",
    "UnreadableRecord",
    "User",
    "WorkerBeat",
    "WritesSwitch",
]
