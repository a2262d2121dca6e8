"""The engine's duties, one file per verb. ``handle_one(now)`` does one thing, ``run(now)`` a turn of it."""
