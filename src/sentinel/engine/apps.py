"""Django's registration of this package."""

from django.apps import AppConfig


class EngineConfig(AppConfig):
    name = "sentinel.engine"
    label = "engine"
    default_auto_field = "django.db.models.BigAutoField"
