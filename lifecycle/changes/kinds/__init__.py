"""The verbs, one file each. The protocol knows none of them by name."""

from typing import Any

from lifecycle.changes.kinds.base import Facts, FieldChange, Kind, RecordMissing, ShownFact
from lifecycle.changes.kinds.convert_employee import ConvertEmployee
from lifecycle.changes.kinds.edit_offboarding import EditOffboarding
from lifecycle.changes.kinds.mark_talent_left import MarkTalentLeft
from lifecycle.changes.kinds.offboard_employee import OffboardEmployee
from lifecycle.changes.kinds.onboard_application import OnboardApplication
from lifecycle.changes.kinds.onboard_talent import OnboardTalent
from lifecycle.changes.kinds.restore_to_pre_hire import RestoreToPreHire
from lifecycle.changes.kinds.undo_conversion import UndoConversion
from lifecycle.changes.kinds.undo_offboarding import UndoOffboarding
from lifecycle.changes.kinds.update_pre_hire import UpdatePreHire

__all__ = ["ALL", "Facts", "FieldChange", "Kind", "RecordMissing", "ShownFact", "kind_named"]

ALL: dict[str, Kind[Any]] = {
    kind.name: kind
    for kind in (
        OnboardApplication(),
        ConvertEmployee(),
        UndoConversion(),
        OffboardEmployee(),
        UndoOffboarding(),
        RestoreToPreHire(),
        OnboardTalent(),
        MarkTalentLeft(),
        EditOffboarding(),
        UpdatePreHire(),
    )
}


def kind_named(name: str) -> Kind[Any]:
    """The verb of this name. Raises KeyError for one that does not exist."""
    return ALL[name]
