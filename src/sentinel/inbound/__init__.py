"""What came in by mail: every mail as it came, what it is, and what it means.

Owns the raw mails (encrypted), their attachments, and the reading of them: human or automatic, the
writer's new words, delivery reports, complaints, absences. Reading is pure and never fails.

Refuses: to drop anything. A mail nobody understood waits for a person. It does not know what a problem
is; what a mail sets in motion is decided by the workflows.
"""
