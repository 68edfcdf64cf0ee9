"""Compiles each .po file under lifecycle/locale whose .mo file is missing or older.

Needs polib only, so that no machine needs gettext's tools to run the portal.
"""

import sys
from pathlib import Path

import polib

LOCALE_DIR = Path(__file__).resolve().parent.parent / "lifecycle" / "locale"


def main() -> None:
    for source in sorted(LOCALE_DIR.glob("*/LC_MESSAGES/*.po")):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        try:
            catalogue = polib.pofile(str(source))
        except OSError as error:
            sys.exit(f"{source} is not a translation file: {error}")
        # Renamed into place, so that a running portal never reads half a file.
        unfinished = compiled.with_suffix(".mo.new")
        catalogue.save_as_mofile(str(unfinished))
        unfinished.replace(compiled)


if __name__ == "__main__":
    main()
