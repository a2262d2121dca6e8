"""Django's registration of this package."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "sentinel.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"
