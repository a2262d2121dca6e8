"""The packages that take part, and what every request passes through."""

INSTALLED_APPS = [
    # First, so that our templates win over those of the same name below (sign-in, errors).
    "sentinel.ui",
    "sentinel.web",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "django_htmx",
    "heroicons",
    "sentinel.timeline",
    "sentinel.demonstration",
    "sentinel.outbox",
    "sentinel.people",
    "sentinel.accounts",
    "sentinel.checkins",
    "sentinel.problems",
    "sentinel.escalation",
    "sentinel.engine",
    "sentinel.respond",
    "sentinel.config",
]

MIDDLEWARE = [
    "sentinel.config.headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
