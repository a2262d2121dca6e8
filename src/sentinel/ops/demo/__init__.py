"""The demonstration's history: an invented provider, played by the real system on a fast clock.

``cast`` and ``words`` are data. ``stage`` enters them through the services. ``player`` holds the clock
and lets the engine act at every instant something falls due; ``workers`` and ``staff`` answer what the
engine sends, each seeded by their own name, so that the same seed and start give the same history.
``scenes`` arranges what a newcomer finds at the end, and ``fill`` does all of it once.

Refuses: to run outside demonstration mode, and over data that is not its own.
"""
