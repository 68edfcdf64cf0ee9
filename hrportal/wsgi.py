"""The WSGI entry point for web servers."""

import os

import django
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hrportal.settings")
django.setup()

# Only now: the checks live in an app.
from lifecycle.checks import refuse_unsafe_start  # noqa: E402
from lifecycle.signals import SettingsNote  # noqa: E402

refuse_unsafe_start()
application = get_wsgi_application()
SettingsNote().connect()
