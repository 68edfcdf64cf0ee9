"""Settings, all from the environment (table in README.md).

On import nothing is read but the environment, nothing contacted, and nothing made but the
folder for our own files. `lifecycle/checks.py` says in plain words what is missing or unsafe
when the portal starts.
"""

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from hrportal.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment(os.environ)
ENVIRONMENT_PROBLEMS = env.problems
# What was read, for the action log (lifecycle/services/settings_log.py). “SECRET” in its name
# keeps Django's error pages from showing it.
SECRET_ENVIRONMENT = env.in_force

# Everything the portal writes to disk: database, key, static files, logs.
VAR_DIR = Path(env.text("HRPORTAL_VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
with suppress(OSError):  # what cannot be written says so when it is needed
    VAR_DIR.mkdir(parents=True, exist_ok=True)

# Only the development server may run with this key; lifecycle/checks.py refuses it elsewhere.
INSECURE_SECRET_KEY = "insecure-development-key-not-for-real-people-0123456789"  # noqa: S105

DEBUG = env.flag("DJANGO_DEBUG", default=False)
SECRET_KEY = env.text("DJANGO_SECRET_KEY", default=INSECURE_SECRET_KEY)
ALLOWED_HOSTS = env.words("DJANGO_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])

# -- Feishu -------------------------------------------------------------------------------
FEISHU_BASE_URL = env.text("FEISHU_BASE_URL", default="https://open.feishu.cn").rstrip("/")
FEISHU_APP_ID = env.text("FEISHU_APP_ID", default="")
FEISHU_APP_SECRET = env.text("FEISHU_APP_SECRET", default="")
FEISHU_RATE_SCALE = env.number("FEISHU_RATE_SCALE", default=1.0)
# Both from the app's page “Events and callbacks”; without them no pushed event is taken.
FEISHU_EVENT_ENCRYPT_KEY = env.text("FEISHU_EVENT_ENCRYPT_KEY", default="")
FEISHU_EVENT_TOKEN = env.text("FEISHU_EVENT_TOKEN", default="")
# The company whose people may sign in with Feishu; without it nobody can.
FEISHU_TENANT_KEY = env.text("FEISHU_TENANT_KEY", default="")
# Where people sign in: the host of Feishu's accounts, next to the one of its open platform.
FEISHU_ACCOUNTS_URL = env.text(
    "FEISHU_ACCOUNTS_URL", default=FEISHU_BASE_URL.replace("://open.", "://accounts.", 1)
).rstrip("/")
TENANT_TIME_ZONE = env.zone("TENANT_TIME_ZONE", default="Asia/Shanghai")

# How long after an attempt's deadline its effect may still appear in Feishu, by endpoint.
# "Not applied" is never concluded earlier (docs/architecture.md, "Silence").
SETTLE_AFTER = {
    "hire.talents.onboard_status": timedelta(
        seconds=env.number("SETTLE_SECONDS_TALENT", default=60)
    ),
    "hire.employees.patch": timedelta(seconds=env.number("SETTLE_SECONDS_EMPLOYEE", default=60)),
    "hire.applications.transfer_onboard": timedelta(
        seconds=env.number("SETTLE_SECONDS_APPLICATION", default=60)
    ),
    "corehr.offboardings.edit": timedelta(
        seconds=env.number("SETTLE_SECONDS_OFFBOARDING", default=300)
    ),
    "corehr.pre_hires.patch": timedelta(seconds=env.number("SETTLE_SECONDS_PRE_HIRE", default=15)),
}
# Two reads at least this far apart must agree before a change counts as not applied.
SETTLE_READ_GAP = timedelta(seconds=env.number("SETTLE_READ_GAP_SECONDS", default=12))
# How long reading back may fail before a person is asked.
SETTLE_GIVE_UP = timedelta(seconds=env.number("SETTLE_GIVE_UP_SECONDS", default=900))
SEND_DEADLINE = timedelta(seconds=env.number("SEND_DEADLINE_SECONDS", default=15))
ATTEMPT_LEASE = timedelta(seconds=env.number("ATTEMPT_LEASE_SECONDS", default=45))
CLAIM_LEASE = timedelta(seconds=env.number("CLAIM_LEASE_SECONDS", default=60))
ATTEMPT_BUDGET = 3
SWEEP_EVERY = timedelta(seconds=env.number("SWEEP_SECONDS", default=30, least=0.1))
# After this long a mirror without a successful sync is called stale on every page.
MIRROR_STALE_AFTER = timedelta(hours=2)

# How often each kind of record is looked at, in minutes; 3 of `pre_hires` is every 3 minutes.
DEFAULT_POLL_MINUTES = {
    "pre_hires": 3,
    "offboardings": 3,
    "applications": 10,
    "employees": 10,
    "talents": 10,
    "employments": 30,
    "departments": 60,
    "contacts": 60,
    "catalogues": 60,
}
POLL_MINUTES = DEFAULT_POLL_MINUTES | env.wholes("POLL_MINUTES")
# The hour of the tenant's clock at which everything is read as a whole once; not at midnight,
# when Feishu works out its own figures.
FULL_SYNC_HOUR = env.whole("FULL_SYNC_HOUR", default=3, most=23)

# Who gets the daily e-mail of what has changed, from which hour of the tenant's clock on.
DIGEST_EMAILS = env.words("DIGEST_EMAILS", default=[])
DIGEST_HOUR = env.whole("DIGEST_HOUR", default=8, most=23)

# -- Guards -------------------------------------------------------------------------------
# How many changes of one verb a tenant day takes before a second person has to agree; 0: always.
DEFAULT_DAILY_LIMITS = {
    "convert_employee": 200,
    "offboard_employee": 50,
    "edit_offboarding": 50,
    "onboard_application": 100,
    "onboard_talent": 100,
    "update_pre_hire": 200,
    "restore_to_pre_hire": 20,
    "mark_talent_left": 20,
    "undo_conversion": 20,
    "undo_offboarding": 20,
}
DAILY_LIMITS = DEFAULT_DAILY_LIMITS | env.wholes("DAILY_LIMITS")
DAILY_LIMIT_OTHER_VERBS = env.whole("DAILY_LIMIT_OTHER_VERBS", default=50)
DAILY_LIMIT_PER_REQUESTER = env.whole("DAILY_LIMIT_PER_REQUESTER", default=150)
# How many days after its own day a change may still await a second person.
APPROVAL_DAYS = env.whole("APPROVAL_DAYS", default=3, most=365)
# When a sync misses more than this share of the employees, nobody is taken off the lists.
SYNC_MOST_GONE_PERCENT = env.whole("SYNC_MOST_GONE_PERCENT", default=20, least=1, most=100)

# -- The end of a probation ---------------------------------------------------------------
# So many days before it ends the leader is asked by itself; 0: never.
AUTO_REQUEST_DAYS = env.whole("AUTO_REQUEST_DAYS", default=30, most=365)
# A leader who has not decided after so many days is passed over, up the line; 0: never.
ESCALATE_REQUEST_DAYS = env.whole("ESCALATE_REQUEST_DAYS", default=10, most=365)
# How often somebody who is late is reminded.
OVERDUE_REMINDER_DAYS = env.whole("OVERDUE_REMINDER_DAYS", default=3, least=1, most=30)
# Whether those who have to decide get a card in Feishu; it needs PORTAL_URL and both secrets of
# “Events and callbacks”, or its buttons would lead nowhere.
FEISHU_MESSAGES = env.flag("FEISHU_MESSAGES", default=False)
# Whom the e-mails of requests go to: those whom no card reaches, or everybody.
REQUEST_EMAILS = env.choice("REQUEST_EMAILS", default="unreached", choices=["unreached", "always"])
# What links in e-mails and cards begin with; without it e-mails name the page only.
PORTAL_URL = env.text("PORTAL_URL", default="").rstrip("/")

# -- The action log -----------------------------------------------------------------------
# Who signs: the name stands in each checkpoint.
LOG_ORIGIN = env.text("LOG_ORIGIN", default="hrportal")
LOG_SIGNING_KEY_FILE = env.text("LOG_SIGNING_KEY_FILE", default="")
LOG_PUBLIC_KEY_FILE = env.text("LOG_PUBLIC_KEY_FILE", default="")
LOG_CHECKPOINT_ENTRIES = env.whole("LOG_CHECKPOINT_ENTRIES", default=1000, least=1)
LOG_CHECKPOINT_EVERY = timedelta(minutes=env.number("LOG_CHECKPOINT_MINUTES", default=15, least=1))
LOG_CHECKPOINT_DIR = env.text("LOG_CHECKPOINT_DIR", default="")
LOG_CHECKPOINT_EMAILS = env.words("LOG_CHECKPOINT_EMAILS", default=[])
LOG_CHECKPOINT_EMAIL_MINUTES = env.whole("LOG_CHECKPOINT_EMAIL_MINUTES", default=60, least=1)
# A group chat in Feishu that gets the newest checkpoint as often.
LOG_CHECKPOINT_CHAT = env.text("LOG_CHECKPOINT_CHAT", default="")
# How long personal data and free text stay beside the chain; 0: for ever.
LOG_PRIVATE_RETENTION_DAYS = env.whole("LOG_PRIVATE_RETENTION_DAYS", default=0, most=36_500)
_email = env.email("EMAIL_URL")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_USER"], _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = (
    _email.get("EMAIL_USE_TLS", False),
    _email.get("EMAIL_USE_SSL", False),
)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", default="hrportal@localhost")

# What Prometheus shows itself with at /metrics; without it there is no such page.
METRICS_TOKEN = env.text("METRICS_TOKEN", default="")

# -- Storage ------------------------------------------------------------------------------
SQLITE_OPTIONS = {
    "timeout": 20,
    # A transaction that reads and then writes must queue up at its start: a later upgrade
    # fails at once with "database is locked", whatever the timeout.
    "transaction_mode": "IMMEDIATE",
    # FULL, because an intent lost to a power cut after its request was sent would let the
    # same request go out twice.
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA busy_timeout=20000;"
        "PRAGMA cache_size=-20000;PRAGMA mmap_size=134217728;"
        "PRAGMA journal_size_limit=67108864;PRAGMA temp_store=MEMORY;"
    ),
}
# A server that has vanished from the network is noticed in seconds, not in minutes: seconds, but
# tcp_user_timeout in milliseconds. DATABASE_URL may say otherwise (`?connect_timeout=2`).
POSTGRES_OPTIONS = {
    "connect_timeout": 5,
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def _with_options(database: dict[str, Any]) -> dict[str, Any]:
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database |= {"OPTIONS": SQLITE_OPTIONS, "CONN_MAX_AGE": 600}
        # The suite uses threads and a worker, which an in-memory database cannot share.
        database["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
        return database
    options = POSTGRES_OPTIONS | database.get("OPTIONS", {})
    return database | {"OPTIONS": options, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


_database = env.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'hrportal.sqlite3'}")
DATABASES = {"default": _with_options(_database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": env.cache("CACHE_URL", default="dbcache://hrportal_cache")}
if CACHES["default"]["BACKEND"].endswith(".DatabaseCache"):
    # A full one throws out entries at random, the counts of failed sign-ins among them.
    CACHES["default"].setdefault("OPTIONS", {}).setdefault("MAX_ENTRIES", 100_000)

# -- Background work ----------------------------------------------------------------------
# The queue is a doorbell only: what is due stands in our own rows (docs/adr/0003).
# retry > timeout * (1 + queue_limit / workers), or a slow task would run twice.
Q_CLUSTER: dict[str, Any] = {
    "name": "hrportal",
    "orm": "default",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "poll": 0.2,
    "guard_cycle": 1,
    "timeout": 120,
    "retry": 300,
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "recycle": 500,
    "save_limit": 50,
    "cache": "default",
    "label": _("Background jobs"),
}

# The worker rings its own queue this often; without an answer for so long, the queue's
# processes are started again (docs/operations.md, "The worker").
CANARY_EVERY = timedelta(seconds=env.number("CANARY_SECONDS", default=10, least=0.1))
CANARY_PATIENCE = timedelta(seconds=env.number("CANARY_PATIENCE_SECONDS", default=30, least=1))

# -- `make run` ---------------------------------------------------------------------------
PORT = env.whole("PORT", default=8000, least=1, most=65_535)
SANDBOX_PORT = env.whole("SANDBOX_PORT", default=8801, least=1, most=65_535)
PEOPLE = env.whole("PEOPLE", default=300, least=10, most=100_000)
WEB_PROCESSES = env.whole("WEB_PROCESSES", default=2, least=1, most=64)
# Whether `make run` starts a sandbox tenant; it decides that itself.
OWN_SANDBOX = env.flag("OWN_SANDBOX", default=False)
DEMO_PASSWORD = env.text("DEMO_PASSWORD", default="demo")
# Shows the demo's sign-ins on the sign-in page; `make run` sets it for a sandbox tenant.
DEMO_SIGN_INS = env.flag("DEMO_SIGN_INS", default=False)

# -- Django -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "lifecycle",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_q",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "lifecycle.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "lifecycle.middleware.SessionTimesMiddleware",
    "lifecycle.middleware.LoginRequiredMiddleware",
    "lifecycle.middleware.AddressMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "lifecycle.middleware.LifecycleErrorMiddleware",
    "lifecycle.middleware.PrivatePagesMiddleware",
]
ROOT_URLCONF = "hrportal.urls"
WSGI_APPLICATION = "hrportal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lifecycle.context_processors.portal",
            ],
            "builtins": ["lifecycle.templatetags.portal"],
        },
    }
]

AUTH_USER_MODEL = "lifecycle.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "lifecycle" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = TENANT_TIME_ZONE

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# -- Security -----------------------------------------------------------------------------
# Named as in Django 6, so that its own middleware can take over.
SECURE_CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
# Behind a TLS proxy (anything that is neither debug nor the local demo) cookies are
# secure-only and plain HTTP is redirected.
HTTPS_ONLY = env.flag("DJANGO_HTTPS_ONLY", default=not DEBUG)
# How many proxies of ours stand in front: so far from the end of X-Forwarded-For the
# visitor's own address is found, by which failed sign-ins are counted.
PROXY_COUNT = env.whole("PROXY_COUNT", default=int(HTTPS_ONLY), most=10)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_NAME = "__Host-session" if HTTPS_ONLY else "hrportal_session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS_ONLY else "hrportal_csrf"
# A session ends after so long without use, and after so long in any case.
SESSION_IDLE = timedelta(minutes=env.whole("SESSION_IDLE_MINUTES", default=60, least=1, most=1440))
SESSION_LONGEST = timedelta(hours=env.whole("SESSION_HOURS", default=10, least=1, most=168))
SESSION_COOKIE_AGE = int(SESSION_LONGEST.total_seconds())
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "lifecycle.views.forms_not_ours.csrf_failure"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_NAME = "hrportal_language"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

# How many rows one exported file may hold.
EXPORT_ROW_CAP = env.whole("EXPORT_ROW_CAP", default=100_000, least=1, most=1_000_000)

LOG_LEVEL = env.choice(
    "LOG_LEVEL", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"django-q": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},
}
