"""Django's registration of this package."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sentinel.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
