"""The form of each verb, in the HR team's words."""

from lifecycle.changes.kinds.forms.employees import (
    ConvertEmployeeForm,
    OffboardEmployeeForm,
    UndoForm,
)

__all__ = ["ConvertEmployeeForm", "OffboardEmployeeForm", "UndoForm"]
