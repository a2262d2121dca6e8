"""Django's registration of this package."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "sentinel.calls"
    label = "calls"
    default_auto_field = "django.db.models.BigAutoField"
