"""Where mail goes. Sentinel's own messages leave through the outbox; these settings name the server."""

from sentinel.config.environment import environment

_server = environment().mail_server

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = _server.host
EMAIL_PORT = _server.port
EMAIL_HOST_USER = _server.username
EMAIL_HOST_PASSWORD = _server.password
EMAIL_USE_TLS = _server.tls == "starttls"
EMAIL_USE_SSL = _server.tls == "implicit"
EMAIL_TIMEOUT = 20

# The demonstration's mail room: where it listens, and whether mail goes there at all.
MAIL_ROOM_PORT = environment().mail_room_port
CATCHES_MAIL = environment().catches_mail

# Mail that comes back: the domain of our own addresses, empty when replies go to people's mailboxes.
INBOUND_DOMAIN = environment().reply_domain
# Where the ear listens; None when it does not.
EAR = environment().ear

# Webhooks of mail providers. Mailgun signs its calls as well: its signing key is the secret's password.
_webhook_secret = environment().inbound_webhook_secret or ""
ANYMAIL = {
    "WEBHOOK_SECRET": _webhook_secret,
    "MAILGUN_WEBHOOK_SIGNING_KEY": _webhook_secret.partition(":")[2],
}
