"""How credit_ML is put together. Every setting that a lender may change comes from the environment."""

import os
import sys
from pathlib import Path

import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from apps.common.key_ring import read_key, read_key_ring
from config.secrets import ensure_local_secrets

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# local: a laptop, secrets made at first start. production: nothing is assumed, everything is asked for.
ENVIRONMENT = env("ENVIRONMENT", default="local")
if ENVIRONMENT not in ("local", "production"):
    raise ImproperlyConfigured(f"ENVIRONMENT is {ENVIRONMENT!r}; allowed are local and production.")
PRODUCTION = ENVIRONMENT == "production"

DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)
if not PRODUCTION:
    ensure_local_secrets(DATA_DIR / "local.env")
    environ.Env.read_env(DATA_DIR / "local.env")

SECRET_KEY = env("SECRET_KEY")
# "id:base64 of 32 bytes", comma separated; the first one wraps new data keys, the others still open old ones.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS")
BLIND_INDEX_KEY = env("BLIND_INDEX_KEY")
METRICS_TOKEN = env("METRICS_TOKEN")
for _name in ("SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEY", "METRICS_TOKEN"):
    if not globals()[_name]:
        raise ImproperlyConfigured(f"{_name} is empty; docs/how-to/run-in-production.md says how to make one.")
read_key_ring(ENCRYPTION_KEYS)
read_key(BLIND_INDEX_KEY, "BLIND_INDEX_KEY")

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "knox",
    "axes",
    "csp",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "apps.common",
    "apps.audit",
    "apps.accounts",
    "apps.webhooks",
    "apps.individuals",
    "apps.companies",
    "apps.external_integrations",
    "apps.scoring_engine",
    "apps.policies",
    "apps.credit_requests",
    "apps.portfolio",
    "apps.workbench",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "apps.workbench.compression.CompressedPages",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.common.access_log.AccessLogMiddleware",
    "apps.common.body_length.BodyLengthMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- The database keeps the truth -----------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'credit_ml.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # Tests that use several threads need a database in a file, like the real one; each run has its own.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / f"test-{os.getpid()}.sqlite3")}
else:
    DATABASES["default"]["ENGINE"] = "apps.common.postgresql"
    # Of the cursors that ask for it only: see apps/common/postgresql.
    DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 1
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Migrations and roles run as the owner of the tables; the processes run as a role that cannot change history.
if env("DATABASE_OWNER_URL", default=""):
    DATABASES["owner"] = env.db("DATABASE_OWNER_URL") | {"TEST": {"MIRROR": "default"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_redis = env("REDIS_URL", default="")
CACHES = {
    "default": {
        "BACKEND": "apps.common.caches.SharedCache",
        "LOCATION": _redis,
        # Nobody waits for a Redis that is silent.
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},
    }
    if _redis
    # Shared by the processes of one machine, as throttles must be.
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(DATA_DIR / "cache"),
        # The default of 300 would throw throttle counts away under load.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Who may come in ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "config.error_pages.locked_out"
AXES_USERNAME_CALLABLE = "apps.accounts.authentication.counted_username"
AXES_CLIENT_IP_CALLABLE = "apps.accounts.authentication.client_address"
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address"]
TOKEN_HOURS = env.int("TOKEN_HOURS", default=10)
SERVICE_TOKEN_DAYS = env.int("SERVICE_TOKEN_DAYS", default=90)

LOGIN_URL = "workbench:sign-in"
SESSION_COOKIE_AGE = 12 * 60 * 60  # a working day: whoever comes back the next one signs in anew
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token themselves
CSRF_FAILURE_VIEW = "config.error_pages.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
# Whether all subdomains are on TLS, and the preload list, are for the owner of the domain to say, not for one service.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Neither inline scripts nor eval: htmx and the CSP build of Alpine need none.
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# --- API ------------------------------------------------------------------------------------------------------
MAX_BODY_BYTES = 1 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.permissions.ByRole"],
    "DEFAULT_PARSER_CLASSES": ["apps.common.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["apps.common.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "apps.common.api.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.common.api.problem_handler",
    "DEFAULT_THROTTLE_CLASSES": [
        "apps.common.throttles.AnonWindow",
        "apps.common.throttles.UserWindow",
    ],
    # How many proxies of the lender's own stand in front. X-Forwarded-For is believed that far and no further: with
    # DRF's default a caller who invents one escapes every throttle.
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),
    "DEFAULT_THROTTLE_RATES": {
        "anon": env("THROTTLE_ANONYMOUS", default="120/min"),
        "user": env("THROTTLE_USER", default="6000/min"),
        "login": env("THROTTLE_LOGIN", default="30/min"),
    },
    "COERCE_DECIMAL_TO_STRING": True,
    "UNICODE_JSON": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "credit_ML",
    "VERSION": "1",
    "DESCRIPTION": "A self-hosted credit-risk engine: profiles, requests, scores with exact reasons, the log.",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Fields of one name with different choices.
    "ENUM_NAME_OVERRIDES": {
        "ExternalSourceEnum": "apps.external_integrations.models.Source",
        "ConsentPurposeEnum": "apps.external_integrations.models.Purpose",
        "PurposeEnum": "apps.scoring_engine.ml.vocabulary.PURPOSES",
    },
}

# --- Background work ------------------------------------------------------------------------------------------
CELERY_APP = "config.celery.app"
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default=_redis or "filesystem://localhost//")
CELERY_BROKER_FOLDER = DATA_DIR / "broker"
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_TASK_ALWAYS_EAGER", default=False)
CLEANUP_PREDICTION_LOGS = env.bool("CLEANUP_PREDICTION_LOGS", default=False)

# --- External records -----------------------------------------------------------------------------------------
ALLOW_MOCK_SOURCES = env.bool("ALLOW_MOCK_SOURCES", default=not PRODUCTION)
# source: its client unless the environment names one, and for how many days an answer of it counts as fresh
_SOURCES = {"soliq": ("mock", 30), "kadastr": ("mock", 30), "bureau": ("off" if PRODUCTION else "mock", 7)}
EXTERNAL_SOURCES = {
    source: {
        "client": env(f"{source.upper()}_CLIENT", default=client),
        "base_url": env(f"{source.upper()}_BASE_URL", default=""),
        # The first are reached at public addresses only; the others are the lender's own network.
        "allowed_hosts": env.list(f"{source.upper()}_ALLOWED_HOSTS", default=[]),
        "private_hosts": env.list(f"{source.upper()}_PRIVATE_HOSTS", default=[]),
        "api_key": env(f"{source.upper()}_API_KEY", default=""),
        # PEM files: what we show (mTLS), and whom we believe instead of the public authorities.
        "client_cert": env(f"{source.upper()}_CLIENT_CERT", default=""),
        "client_key": env(f"{source.upper()}_CLIENT_KEY", default=""),
        "ca_file": env(f"{source.upper()}_CA_FILE", default=""),
        "deadline_seconds": env.float(f"{source.upper()}_DEADLINE_SECONDS", default=5.0),
        "fresh_days": env.int(f"{source.upper()}_FRESH_DAYS", default=fresh_days),
        "quota_per_minute": env.int(f"{source.upper()}_QUOTA_PER_MINUTE", default=60),  # 0: none
    }
    for source, (client, fresh_days) in _SOURCES.items()
}
for _source, _chosen in EXTERNAL_SOURCES.items():
    if not (0 < _chosen["deadline_seconds"] <= 60 and 0 <= _chosen["fresh_days"] <= 3650):
        raise ImproperlyConfigured(
            f"{_source.upper()}_DEADLINE_SECONDS is more than 0 and at most 60; {_source.upper()}_FRESH_DAYS is from 0 "
            "to 3650."
        )
    if not 0 <= _chosen["quota_per_minute"] <= 100_000:
        raise ImproperlyConfigured(f"{_source.upper()}_QUOTA_PER_MINUTE is from 0 (no quota) to 100000.")
    if PRODUCTION and not ALLOW_MOCK_SOURCES and _chosen["client"] == "mock":
        raise ImproperlyConfigured(
            f"{_source.upper()}_CLIENT is mock in production. Set it to http with {_source.upper()}_BASE_URL, "
            "or say ALLOW_MOCK_SOURCES=true to accept invented records knowingly."
        )

# --- Webhooks: nothing is sent anywhere unless its host is named here --------------------------------------------
WEBHOOK_HOSTS = env.list("WEBHOOK_HOSTS", default=[])
# The lender's own: these may do without TLS and stand at private addresses.
WEBHOOK_PRIVATE_HOSTS = env.list("WEBHOOK_PRIVATE_HOSTS", default=[])
WEBHOOK_DEADLINE_SECONDS = env.float("WEBHOOK_DEADLINE_SECONDS", default=10.0)
if not 0 < WEBHOOK_DEADLINE_SECONDS <= 60:
    raise ImproperlyConfigured("WEBHOOK_DEADLINE_SECONDS is more than 0 and at most 60 seconds.")

# --- Files of applicants that are uploaded ----------------------------------------------------------------------
UPLOAD_DAYS = env.int("UPLOAD_DAYS", default=7)  # after which file and results are destroyed
UPLOAD_BYTES = env.int("UPLOAD_BYTES", default=50 << 20)
UPLOAD_UNPACKED_BYTES = env.int("UPLOAD_UNPACKED_BYTES", default=400 << 20)  # of a workbook or Parquet file
UPLOAD_ROWS = env.int("UPLOAD_ROWS", default=200_000)
UPLOAD_COLUMNS = env.int("UPLOAD_COLUMNS", default=200)
UPLOAD_CELLS = env.int("UPLOAD_CELLS", default=5_000_000)
if not 1 <= UPLOAD_DAYS <= 365:
    raise ImproperlyConfigured("UPLOAD_DAYS is from 1 to 365.")

# --- Policies -------------------------------------------------------------------------------------------------
SHIPPED_POLICIES = env("SHIPPED_POLICIES", default="uz")  # published at first start, of apps/policies/defaults
if SHIPPED_POLICIES not in ("uz", "neutral", "none"):
    raise ImproperlyConfigured(f"SHIPPED_POLICIES is {SHIPPED_POLICIES!r}; allowed are uz, neutral and none.")

# --- Language, time, money ------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский"), ("uz", "Oʻzbekcha")]
# Before the catalogues of the packages: "Home" of our pages is not to become another package's word for it.
LOCALE_PATHS = [BASE_DIR / "apps" / "workbench" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
LENDER_TIME_ZONE = env("LENDER_TIME_ZONE", default="Asia/Tashkent")
DEFAULT_CURRENCY = env("DEFAULT_CURRENCY", default="UZS")

# --- What a decision letter says of the lender ------------------------------------------------------------------
LENDER_NAME = env("LENDER_NAME", default="credit_ML")
LENDER_ADDRESS = env("LENDER_ADDRESS", default="")
LENDER_CONTACT = env("LENDER_CONTACT", default="")  # where a review is asked for
REVIEW_DAYS = env.int("REVIEW_DAYS", default=30)

STATIC_URL = "static/"
# The web process serves the files of the packages from where they are installed: no collectstatic is needed.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)

# --- Logs: one JSON object a line, opaque ids only ------------------------------------------------------------
_processors = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # Without locals: they hold what people sent.
    structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
]
structlog.configure(
    processors=[*_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": _processors,
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json"},
        "null": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Both write request paths, which may hold an identifier. The access log names the route instead.
        "django.server": {"handlers": ["null"], "propagate": False},
        "django.request": {"handlers": ["null"], "propagate": False},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "WARNING"},
    },
}

TESTING = "pytest" in sys.modules or "test" in sys.argv[1:2]
if TESTING:
    # Argon2 is slow on purpose; a test signs in hundreds of times.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    CELERY_TASK_ALWAYS_EAGER = True
    AXES_ENABLED = False
    REST_FRAMEWORK["DEFAULT_THROTTLE_CLASSES"] = []
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
