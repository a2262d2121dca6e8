"""What Sentinel is told from outside, and how requests are answered."""

from sentinel.config.environment import environment

# The whole checked environment, for `sentinel doctor` and the supervisor.
ENVIRONMENT = environment()

DEMONSTRATION = ENVIRONMENT.demonstration
# Absolute address that links in mail begin with; no trailing slash.
BASE_URL = ENVIRONMENT.public_url
DATA_DIR = ENVIRONMENT.data_dir
# Chat and SMS services that users may be reached by; see sentinel.people.targets.
CHAT_TARGETS = ENVIRONMENT.chat_targets
PUSH_SERVICES = ENVIRONMENT.push_services
PRIVATE_TARGETS = ENVIRONMENT.private_targets
# How many notices one browser, chat, number or webhook takes; see sentinel.outbox.limits.
TARGET_LIMITS = ENVIRONMENT.target_limits
# Called every minute while all is well; empty: nobody watches from outside.
HEARTBEAT_URL = ENVIRONMENT.heartbeat_url or ""
# What whoever reads /metrics must show; empty: there is no such page.
METRICS_TOKEN = ENVIRONMENT.metrics_token or ""

DEBUG = False
ROOT_URLCONF = "sentinel.config.urls"
WSGI_APPLICATION = "sentinel.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True
# An address is unique whatever its case, by a constraint on LOWER(email) that this check cannot see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sentinel.web.frame.console_frame",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]

STATIC_URL = "/static/"
# WhiteNoise serves the packages' own files directly: there is no step to collect them.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Rosters of 100,000 rows come as one file; it goes to disk, not into memory.
# A provider's webhook brings a whole mail of up to 30 MB in one field, in base64.
DATA_UPLOAD_MAX_MEMORY_SIZE = (48 if ENVIRONMENT.inbound_webhook_secret else 2) * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Who places calls; without the setting people dial themselves.
CALLS_BY = ENVIRONMENT.calls_by
