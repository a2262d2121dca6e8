"""Django's registration of this package."""

from django.apps import AppConfig


class TimelineConfig(AppConfig):
    name = "sentinel.timeline"
    label = "timeline"
    default_auto_field = "django.db.models.BigAutoField"
