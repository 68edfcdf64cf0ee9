"""The WSGI entry point for web servers."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hrportal.settings")
application = get_wsgi_application()

# After the apps are loaded: the checks live in one of them.
from lifecycle.checks import refuse_unsafe_start  # noqa: E402

refuse_unsafe_start()
