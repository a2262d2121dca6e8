"""Django's registration of this package."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "sentinel.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
