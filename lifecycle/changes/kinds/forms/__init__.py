"""The form of each verb, in the HR team's words."""

from lifecycle.changes.kinds.forms.employees import (
    ConvertEmployeeForm,
    OffboardEmployeeForm,
    UndoForm,
)
from lifecycle.changes.kinds.forms.hire import (
    MarkTalentLeftForm,
    OnboardApplicationForm,
    OnboardTalentForm,
)
from lifecycle.changes.kinds.forms.offboardings import EditOffboardingForm
from lifecycle.changes.kinds.forms.pre_hire import UpdatePreHireForm

__all__ = [
    "ConvertEmployeeForm",
    "EditOffboardingForm",
    "MarkTalentLeftForm",
    "OffboardEmployeeForm",
    "OnboardApplicationForm",
    "OnboardTalentForm",
    "UndoForm",
    "UpdatePreHireForm",
]
