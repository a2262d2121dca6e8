"""Log lines: plain text for people, JSON for machines, and no secret in either."""

from sentinel.config.environment import environment
from sentinel.config.logs import logging_settings

LOGGING = logging_settings(environment().log_format)
