"""The process that hands check-ins to relays: one event loop, no Django, PostgreSQL directly.

Owns the connections to the relays, the pace of every recipient domain, and the order "written down,
then sent": a body leaves only after its delivery was committed as begun, together with the outcome of the
one before it on that connection. Killed at any instant it loses nothing, and repeats at most one delivery
per connection, byte for byte the same.

Refuses: to hold a delivery whose run is paused, to burn a try because a relay is away, and to work
beside another sender (one leads, the others stand by).
"""
