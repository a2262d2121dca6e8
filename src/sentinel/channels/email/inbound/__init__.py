"""The ear: the ways in which mail comes back. All of them end in :mod:`sentinel.inbound.keeping`.

``listener`` takes mail by SMTP or LMTP, ``imap`` fetches a mailbox, ``webhooks`` takes what mail providers
report. None of them reads a mail further than it must to keep it for the right recipient.
"""
