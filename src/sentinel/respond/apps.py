"""Django's registration of this package."""

from django.apps import AppConfig


class RespondConfig(AppConfig):
    name = "sentinel.respond"
    label = "respond"
