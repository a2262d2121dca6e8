"""What leaves in great numbers: check-ins on their way to the workers' mail servers.

Owns the runs, what their mails say (templates, editions), one delivery per recipient with its exact
state, and the pace of every recipient domain. It knows nothing of why somebody is asked: it gets
names, addresses and numbers, and reports what became of each.

Refuses: a second delivery of the same check-in, a template that was not read back through the standard
parser first, and an outcome without a try. It never talks to a mail server; the sender does.
"""
