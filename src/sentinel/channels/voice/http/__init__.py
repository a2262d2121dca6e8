"""Calls by a voice service that speaks Twilio's language, over HTTP (extra ``telephone``).

Owns the requests to the service, the addresses that the service calls on us, and what it is told to do
(TwiML). The service rings the owner, says who is calling about what, and rings the worker only when a person
has pressed 1: answered is not human. What happened comes back by signed webhooks.

Refuses: recording, believing anything that is not signed, and repeating an unclear request.
"""
