"""Stand-ins with scripted behaviour; each one passes the contract of what it stands in for."""
