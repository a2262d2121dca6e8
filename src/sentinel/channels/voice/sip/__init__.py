"""Calls through a customer's own telephone exchange or trunk, by SIP: third-party call control of RFC 3725.

Owns a small user agent (messages, transactions and dialogs of RFC 3261, digest authentication of RFC 8760)
and the bridge that rings the owner, then the worker, and lets their telephones talk to each other. Sound
never passes through Sentinel: the two telephones are told each other's address. So a talk outlives this
process, and nothing here could record it.

The standard library alone; no Django. One event loop on one thread (:mod:`.calls`) carries all calls.
Refuses: being a registrar or a proxy, answering calls, and changing what the two ends agreed on.
"""
