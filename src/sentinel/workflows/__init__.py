"""The verbs that span domains: one file, one function, one transaction each.

Owns no tables. A workflow locks the problem's row first, re-checks, writes through the services of
the domains, records the timeline and enqueues the messages; all of it commits together or not at all.

Refuses: a second transaction, network calls, reading the clock (``now`` is an argument), and writing
anything that a guard of a lower package refused.
"""
