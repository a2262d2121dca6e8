"""E-mail over SMTP: see README.md in this folder."""
