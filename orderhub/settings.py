"""All settings, from the environment only: nothing set is the laptop mode; an insecure production refuses to start."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from orderhub.kernel import env
from orderhub.unfold import UNFOLD  # noqa: F401  (read by Unfold from the settings module)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("HUB_DATA_DIR") or BASE_DIR / "var")
DATA_DIR.mkdir(parents=True, exist_ok=True)

DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.text("REDIS_URL")
MQTT_URL = env.text("MQTT_URL")
EMBEDDED = not REDIS_URL
TESTING = "pytest" in sys.modules

# Debug is the default only where nothing of production is configured.
DEBUG = env.flag("HUB_DEBUG", default=not (DATABASE_URL or REDIS_URL))
_DEV_KEY = "orderhub-debug-key-not-for-production-0123456789abcdefghij"
_secret_keys = env.words("HUB_SECRET_KEY")
if not _secret_keys and not DEBUG and not TESTING:
    raise ImproperlyConfigured(
        "HUB_SECRET_KEY is not set. Give it 50 or more random characters "
        "(or HUB_SECRET_KEY_FILE=/path/to/secret); several keys separated by commas rotate, the first one signs."
    )
if not DEBUG and any(len(key) < 40 for key in _secret_keys):
    raise ImproperlyConfigured("Each key in HUB_SECRET_KEY needs at least 40 characters.")
SECRET_KEYS = _secret_keys or [_DEV_KEY]
SECRET_KEY, *SECRET_KEY_FALLBACKS = SECRET_KEYS

HUB_PORT = env.number("HUB_PORT", 8000, low=1, high=65535)
PUBLIC_URL = env.text("HUB_PUBLIC_URL", f"http://localhost:{HUB_PORT}").rstrip("/")
ALLOWED_HOSTS = env.words(
    "HUB_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver" if DEBUG or TESTING else ""
)
if not ALLOWED_HOSTS and not DEBUG:
    raise ImproperlyConfigured(
        "HUB_ALLOWED_HOSTS is not set. List the host names this hub answers to, comma-separated."
    )
CSRF_TRUSTED_ORIGINS = env.words("HUB_CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "channels",
    "import_export",
    "simple_history",
    "axes",
    "csp",
    "orderhub.apps.HubConfig",
    "rules",
    "orderhub.access",
    "orderhub.events",
    "orderhub.fields",
    "orderhub.inventory",
    "orderhub.orders",
    "orderhub.orders.risk",
    "orderhub.orders.compliance",
    "orderhub.fulfillment",
    "orderhub.connectors",
    "carbon",
    "routing",
    "tracking",
    "tracking.center",
]

MIDDLEWARE = [
    "orderhub.access.doors.RequestDoor",
    "orderhub.observe.middleware.Watch",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "orderhub.access.middleware.AdminScriptPolicy",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "orderhub.urls"
ASGI_APPLICATION = "orderhub.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "access.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/merchant/"
LOGOUT_REDIRECT_URL = "/login/"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

#: Everything started by `manage.py`, `serve` (the web of a small hub) and tests apart: workers, clock, maintenance.
IS_WORKER = Path(sys.argv[0]).name == "manage.py" and sys.argv[1:2] != ["serve"] and not TESTING
DATABASES = {
    "default": env.database(DATABASE_URL, sqlite_path=DATA_DIR / "orderhub.sqlite3", is_worker=IS_WORKER)
}
ON_POSTGRESQL = DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql"
#: Statements of the hot path are planned once per connection; a pooler that shares connections may forbid it.
DB_PREPARED = env.flag("HUB_DB_PREPARED", default=True)
if TESTING and not ON_POSTGRESQL:
    DATABASES["default"]["OPTIONS"]["init_command"] = (  # type: ignore[index]
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;"
    )

# ---- languages ---------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "orderhub" / "locale", BASE_DIR / "orderhub" / "locale_admin"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.text("HUB_TIME_ZONE", "Asia/Shanghai")

# ---- static and uploaded files -----------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns where it is missing
NODE_MODULES = BASE_DIR / "frontend" / "node_modules"
STATICFILES_DIRS = [
    (prefix, NODE_MODULES / folder)
    for prefix, folder in (
        ("vendor/blockly", "blockly"),
        ("vendor/leaflet", "leaflet/dist"),
        ("vendor/logicflow/core", "@logicflow/core/dist"),
        ("vendor/topojson", "topojson-client/dist"),
        ("vendor/world-atlas", "world-atlas"),
    )
]
SILENCED_SYSTEM_CHECKS = ["staticfiles.W004"]  # orderhub.checks says it better, as an error naming the remedy
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = DATA_DIR / "uploads"
UPLOAD_LIMIT_BYTES = env.number("HUB_UPLOAD_LIMIT_MB", 64, low=1, high=1024) * 1024 * 1024
#: Below it each merchant has a folder, and each connection that fetches files one of its own in there.
DROP_DIR = Path(env.text("HUB_DROP_DIR") or DATA_DIR / "drop")
if not env.text("HUB_DROP_DIR"):
    DROP_DIR.mkdir(exist_ok=True)  # one that was named must be mounted before
DROP_KEEP_DAYS = env.number("HUB_DROP_KEEP_DAYS", 30, low=1, high=3650)
#: Databases in private networks that connections may read: host names, addresses or networks (10.0.5.0/24).
TABLE_HOSTS = env.words("HUB_TABLE_HOSTS")
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2621440
#: The largest document the API reads; files have the limit above.
API_BODY_LIMIT_BYTES = env.number("HUB_API_BODY_LIMIT_MB", 8, low=1, high=64) * 1024 * 1024
#: Threads per web process, for the API and again for pages: each keeps one database connection.
WEB_THREADS = env.number("HUB_WEB_THREADS", 8 if ON_POSTGRESQL else 4, low=1, high=64)
#: Web processes of `serve`; one where something of production is missing.
WEB_WORKERS = env.number(
    "HUB_WEB_WORKERS",
    min(4, os.cpu_count() or 1) if ON_POSTGRESQL and REDIS_URL and not DEBUG else 1,
    low=1,
    high=64,
)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# ---- jobs --------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "low"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_QUEUE_NAMES = ("intake", "route", "outbox", "carbon", "import", "low")
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = bool(REDIS_URL)
# A new child is seconds late for whoever waits (at 10 orders a second every 100 s); what leaks is caught by the memory.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 20_000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "visibility_timeout": 900,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 3,
        "global_keyprefix": "orderhub:",
    }
    if REDIS_URL
    else {"polling_interval": 0.02}
)
CELERY_TIMEZONE = "UTC"
#: How far workers stand back behind web processes on the same machine (see nice(1)).
WORKER_NICENESS = env.number("HUB_WORKER_NICENESS", 5, low=0, high=19)
CELERY_ENABLE_UTC = True

# ---- live pages --------------------------------------------------------------------------------


def _channel_redis(url: str) -> str:
    """The same server, next database number: the layer and the broker never share keys."""
    parts = urlsplit(url)
    number = int(parts.path.lstrip("/") or 0)
    return parts._replace(path=f"/{number + 1}").geturl()


CHANNEL_LAYERS: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [_channel_redis(REDIS_URL)], "prefix": "orderhub"},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

# ---- API ---------------------------------------------------------------------------------------
#: How many proxies of ours stand in front and may be believed about the caller's address.
NUM_PROXIES = env.number("HUB_NUM_PROXIES", 0, low=0, high=5)
#: Calls per second of one key; twice as many may come at once. A key's own rate stands in the admin.
API_RATES = {
    "default": env.number("HUB_API_RATE", 600, low=1, high=100_000),
    "bulk": env.number("HUB_API_BULK_RATE", 10, low=1, high=10_000),
    "promise": env.number("HUB_API_PROMISE_RATE", 200, low=1, high=100_000),
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "orderhub.access.authentication.ApiKeyAuthentication",
        "orderhub.access.authentication.MerchantSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["orderhub.access.permissions.IsMerchant"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["orderhub.fulfillment.wire.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["orderhub.access.throttles.KeyRate"],
    "DEFAULT_FILTER_BACKENDS": ["orderhub.access.filters.Whitelist"],
    "DEFAULT_PAGINATION_CLASS": "orderhub.access.paging.HubPagination",
    "DEFAULT_SCHEMA_CLASS": "orderhub.access.schema.HubSchema",
    "EXCEPTION_HANDLER": "orderhub.access.problems.handle",
    "COERCE_DECIMAL_TO_STRING": True,
    "NUM_PROXIES": NUM_PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OrderHub API",
    "DESCRIPTION": "Orders, fulfillment, tracking and carbon of OrderHub (订单中枢).",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "orderhub.management.openapi.hooks.finish",
    ],
    "ENUM_NAME_OVERRIDES": {
        "FollowUpReasonEnum": "orderhub.orders.models.aftercare.FollowUp.Reason",
        "HoldReasonEnum": "orderhub.orders.models.hold.Hold.Reason",
        "ImportKindEnum": "orderhub.connectors.models.ImportBatch.Kind",
        "WarehouseKindEnum": "orderhub.inventory.models.Warehouse.Kind",
        "ParcelStatusEnum": "orderhub.fulfillment.models.Parcel.Status",
        "PromiseOptionEnum": "routing.promise.quoting.OPTIONS",
    },
}

# ---- security ----------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if TESTING
    else [
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "merchant/locked.html"
AXES_ENABLED = not TESTING
CONTENT_SECURITY_POLICY: dict[str, object] = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
if not DEBUG and not TESTING:
    SECURE_SSL_REDIRECT = env.flag("HUB_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = (
        ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("HUB_BEHIND_PROXY", True) else None
    )
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = env.flag("HUB_SECURE_COOKIES", default=True)
    CSRF_COOKIE_SECURE = env.flag("HUB_SECURE_COOKIES", default=True)

# ---- messages to buyers -----------------------------------------------------------------------------
#: smtp://user:password@host:587 (with STARTTLS) or smtps://…; without it messages are written into files.
_SMTP = urlsplit(env.text("HUB_SMTP_URL"))
NOTICE_FROM = env.text("HUB_MAIL_FROM", "OrderHub <orderhub@localhost>")
if _SMTP.hostname:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _SMTP.hostname, _SMTP.port or (465 if _SMTP.scheme == "smtps" else 587)
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_SMTP.username or ""), unquote(_SMTP.password or "")
    EMAIL_USE_SSL, EMAIL_USE_TLS = _SMTP.scheme == "smtps", _SMTP.scheme == "smtp" and bool(_SMTP.username)
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"

# ---- the demo ----------------------------------------------------------------------------------
DEMO_API_KEY = env.text("HUB_DEMO_API_KEY", "demo-key-for-local-use-only")
DEMO_PASSWORD = env.text("HUB_DEMO_PASSWORD", "orderhub-demo")
#: Set by `serve --demo` for its worker: make-believe customers keep the shop alive.
DEMO_SHOPPERS = env.flag("HUB_DEMO_SHOPPERS")
SIM_SPEED = env.number("HUB_SIM_SPEED", 3600, low=1, high=1_000_000)

# ---- watching ----------------------------------------------------------------------------------
#: What a monitor sends as `Authorization: Bearer …` to /metrics and /readyz; staff may look in any case.
METRICS_TOKEN = env.text("HUB_METRICS_TOKEN")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "orderhub.observe.logs.JsonLines"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if env.flag("HUB_LOG_JSON", default=not DEBUG) else "line",
        }
    },
    "root": {"handlers": ["console"], "level": env.text("HUB_LOG_LEVEL", "WARNING")},
    "loggers": {
        "orderhub": {"level": "INFO"},
        "orderhub.web": {"level": "INFO" if env.flag("HUB_ACCESS_LOG", default=not DEBUG) else "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "paramiko": {"level": "CRITICAL"},  # what a host does is told on the page of its connection
    },
}

CACHES: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "orderhub.access.rediscache.KeptRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "orderhub",
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
