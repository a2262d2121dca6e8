"""The engine: the process in the background that keeps every promise about time.

Owns the loop (:mod:`sentinel.engine.loop`), one uniform pass per duty of the engine
(``passes/<verb>.py``: ``run(now)`` repeats ``handle_one(now)`` until nothing is due), and its own
heartbeat. Deciders decide inside transactions; dispatchers send outside of any. Any number of
engines may run on one database: they share the work by row locks and leases.

Refuses: holding state that matters in memory, a network call inside a transaction, letting one bad
row or one hanging channel delay another, and deciding anything itself; workflows and rules do.
"""
