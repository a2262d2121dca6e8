"""The settings under test: the same, with cheap passwords and mail kept in memory."""

import os

# Whatever the developer's shell says about their own Sentinel must not reach the tests. Only the
# database may be chosen, and by a name of its own.
for _name in [
    name for name in os.environ if name.startswith("SENTINEL_") and not name.startswith("SENTINEL_TEST_")
]:
    del os.environ[_name]
os.environ["SENTINEL_SECRET_KEY"] = "only-for-tests-" + "x" * 32
os.environ["SENTINEL_BASE_URL"] = "http://testserver"

from sentinel.config.environment import environment  # noqa: E402  # the variables above come first

environment.cache_clear()

from sentinel.config.settings import *  # noqa: E402
from sentinel.config.settings.database import DATABASES, database_from  # noqa: E402

if "SENTINEL_TEST_DATABASE_URL" in os.environ:
    DATABASES["default"] = database_from(os.environ["SENTINEL_TEST_DATABASE_URL"])
# A test may stay in one transaction for as long as a loaded machine makes it.
DATABASES["default"]["OPTIONS"].pop("options")

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# A test that fails must show its own words, not a page from the disk cache.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
