"""Languages and time."""

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("ja", "日本語"),
]
USE_I18N = True

# Instants are stored and computed in UTC; a person's own zone is applied where they read it.
USE_TZ = True
TIME_ZONE = "UTC"
