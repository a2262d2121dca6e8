"""Channels: how a message reaches its recipient.

Owns one folder per channel behind one small contract (:mod:`sentinel.channels.base`) and the
registry that says which sender serves which channel. A sender turns one claimed message into one
try and reports what came of it; it never raises for a failed try and never blocks longer than its
budget, which is less than the lease.

Refuses: touching the outbox, deciding what to send or when to try again, and knowing domains.
The contract suite in ``tests/channels`` runs against every sender and against its fake.
"""
