"""Django's registration of this package."""

from django.apps import AppConfig


class DemonstrationConfig(AppConfig):
    name = "sentinel.demonstration"
    label = "demonstration"
    default_auto_field = "django.db.models.BigAutoField"
