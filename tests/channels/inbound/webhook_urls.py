"""The addresses of a Sentinel that has a secret for the webhooks of mail providers."""

from django.urls import include, path

from sentinel.channels.email.inbound import webhooks
from sentinel.config import urls

urlpatterns = [path("anymail/", include(webhooks.urlpatterns)), *urls.urlpatterns]
