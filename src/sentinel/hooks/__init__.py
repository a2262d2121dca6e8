"""Outgoing webhooks of the house: other systems hear what happens, event by event.

Owns :class:`WebhookEndpoint` (an address an administrator entered, its signing key, and which events it
wants) and :class:`StreamCursor` (how far each stream of the timeline has been told).

What is told stands in the timeline already; this package reads it in order and puts one message per
event and endpoint into the outbox, which retries and remembers what became of it.

Refuses: everybody but administrators, events about mail, people and Sentinel itself, and addresses that
are not of the web. It never changes what it tells about.
"""
