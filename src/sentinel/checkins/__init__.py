"""Check-ins: asking every worker one plain question, and keeping what came back.

Owns :class:`Programme` (question per language, cadence, send window, sender), :class:`CheckIn` (one
asking of one worker), :class:`Response` (one answer with its evidence), :class:`LinkVisit` (the
journal of opened links, which can only lower an answer's evidence) and :class:`PleaseCheck`.

Refuses: asking without permission, more often than the fatigue rules allow, or while the worker has
an open problem except about it; counting a robot's click; and opening problems (a workflow does).
"""
