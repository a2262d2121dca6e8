"""Chat and SMS, through Apprise: one message per target."""
