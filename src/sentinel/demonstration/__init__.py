"""Demonstration mode: what must never exist in production.

Owns the clock offset (``sentinel clock advance``) and the mail room: a real SMTP server on
loopback that keeps every mail the system sends, so that a newcomer can open one as the worker.

Refuses: everything, unless ``settings.SENTINEL_DEMONSTRATION`` is true. No other package reads its
tables except through :mod:`sentinel.demonstration.selectors`.
"""
