"""Every address Sentinel answers to."""

from importlib.util import find_spec

from allauth.account.urls import urlpatterns as account_urls
from allauth.account.views import login
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from sentinel.config import health, metrics
from sentinel.web import installing

# The sign-in page itself gets the short address; everything else about an account lies below it.
sign_in = [path("", login, name="account_login")]
sign_in += [pattern for pattern in account_urls if pattern.name != "account_login"]


def provider_webhooks() -> list[URLPattern | URLResolver]:
    """The addresses that mail providers call; none without a secret, or without the extra ``providers``."""
    if not settings.ENVIRONMENT.inbound_webhook_secret or find_spec("anymail") is None:
        return []
    # why: imports Anymail, which need not be installed
    from sentinel.channels.email.inbound import webhooks

    return [path("anymail/", include(webhooks.urlpatterns))]


def voice_webhooks() -> list[URLPattern]:
    """The addresses that a voice service calls; none where nobody, or an exchange, places calls."""
    if settings.CALLS_BY.provider != "http_voice":
        return []
    # why: imports Twilio's library, which need not be installed
    from sentinel.channels.voice.http.webhooks import urlpatterns_of

    # why: as above
    from sentinel.config.voice_service import reading_voice

    return urlpatterns_of(reading_voice)


urlpatterns = [
    path("health/web", health.alive, name="health-web"),
    path("health/engine", health.engine, name="health-engine"),
    path("metrics", metrics.metrics, name="metrics"),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("service-worker.js", installing.service_worker, name="service-worker"),
    path("sign-in/", include(sign_in)),
    path("admin/", admin.site.urls),
    *provider_webhooks(),
    *voice_webhooks(),
    path("", include("sentinel.respond.urls")),
    path("", include("sentinel.web.urls")),
]
