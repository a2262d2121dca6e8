"""The outbox: every outgoing message, from the decision to send it to what became of it.

Owns :class:`Message` (one message to one recipient on one channel) and :class:`Attempt` (one try).
A message is enqueued in the transaction that decides it, claimed with a lease, sent, and settled by
the holder of the lease only: at least once, and after a crash only what was in flight is repeated,
under the same key. ``visible_at`` is due time, back-off and lease expiry in one column.

Refuses: marking anything sent before a provider accepted it, a second message with the same
``dedupe_key``, settling without the lease, and knowledge of channels or of what messages mean.
Nobody but this package touches its tables.
"""
