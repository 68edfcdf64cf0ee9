#!/usr/bin/env python
"""Django's command line for hrportal."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hrportal.settings")
    if sys.argv[1:2] == ["run_portal"] or os.environ.get("HRPORTAL_LOCAL") == "1":
        from hrportal import local

        local.complete(os.environ)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
