"""Telephone calls between two people: the account manager who owns a problem and the worker who reported it.

Owns one port (:mod:`sentinel.channels.voice.base`) and one adapter per way of reaching a telephone. An
adapter rings the owner first, then the worker, connects the two and says what happened.

Refuses: recording, knowing domains, deciding whom to call when, and closing anything because two people
have talked.
"""
