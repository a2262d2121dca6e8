"""Signed outgoing webhooks: notices for a program."""
