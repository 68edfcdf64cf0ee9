"""The verbs, one file each. The protocol knows none of them by name."""

from lifecycle.changes.kinds.base import FieldChange, Kind, RecordMissing
from lifecycle.changes.kinds.convert_employee import ConvertEmployee
from lifecycle.changes.kinds.undo_conversion import UndoConversion

__all__ = ["ALL", "FieldChange", "Kind", "RecordMissing", "kind_named"]

ALL: dict[str, Kind] = {kind.name: kind for kind in (ConvertEmployee(), UndoConversion())}


def kind_named(name: str) -> Kind:
    """The verb of this name. Raises KeyError for one that does not exist."""
    return ALL[name]
