"""What can be set from outside: the SENTINEL_* variables, all checked at once.

docs/reference/settings.md describes each one; a house test compares the two.
"""

import os
import re
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from sentinel.config.calls import check_calls
from sentinel.config.limits import LimitSettings
from sentinel.config.servers import (
    BulkRelay,
    Ear,
    Mailbox,
    MailServer,
    default_ear_ports,
    default_imap_ports,
    long_token,
    mailbox_of,
    relay_of,
    server_of,
    split_address,
    type_of_tls,
    wrong,
)
from sentinel.config.telephone import CallsBy, calls_by

PREFIX = "SENTINEL_"
SHORTEST_SECRET = 32
# The demonstration's mail room listens this far above the web's port, its ear one further.
MAIL_ROOM_OFFSET = 25
EAR_OFFSET = 26
DEMONSTRATION_INBOUND_DOMAIN = "in.sentinel.example"
# Services with an address of their own, so that nobody can make the engine call a host of their choice.
CHAT_SERVICES = (
    "discord",
    "gchat",
    "msteams",
    "ntfys://ntfy.sh",
    "slack",
    "tgram",
    "threema",
    "twilio",
    "vonage",
)
# Where the browsers of today let their notices be handed in.
PUSH_SERVICES = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)


def _default_data_folder() -> Path:
    """`.sentinel` in the checkout, or in the current folder for an installed product."""
    checkout = Path(__file__).resolve().parents[3]
    return (checkout if (checkout / "run.py").exists() else Path.cwd()) / ".sentinel"


class Environment(LimitSettings):
    """The SENTINEL_* variables. Raises pydantic's ValidationError holding every problem."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: Annotated[
        str | None, Field(description="PostgreSQL to use; without it, the embedded one")
    ] = None
    email_url: Annotated[str | None, Field(description="SMTP server that takes outgoing mail")] = None
    base_url: Annotated[str | None, Field(description="address under which people reach this Sentinel")] = (
        None
    )
    secret_key: Annotated[
        str | None, Field(description="signs sessions and links; at least 32 characters")
    ] = None
    data_dir: Annotated[Path, Field(description="folder for the embedded database and generated secrets")] = (
        Field(default_factory=_default_data_folder)
    )
    port: Annotated[int, Field(description="port the web server listens on")] = 8000
    host: Annotated[str, Field(description="network address the web server listens on")] = "127.0.0.1"
    allowed_hosts: Annotated[
        tuple[str, ...], NoDecode, Field(description="further host names to answer to, separated by commas")
    ] = ()
    demonstration: Annotated[
        bool, Field(description="invented provider, movable clock, mail kept in the house")
    ] = False
    log_format: Annotated[Literal["text", "json"], Field(description="how log lines are written")] = "text"
    bulk_relays: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(description="SMTP servers for check-ins, separated by spaces, each with its limits"),
    ] = ()
    inbound_domain: Annotated[str | None, Field(description="domain whose mail comes back into Sentinel")] = (
        None
    )
    inbound_listen: Annotated[
        str | None, Field(description="address `sentinel inbound` listens on for incoming mail")
    ] = None
    inbound_imap_url: Annotated[
        str | None, Field(description="mailbox that `sentinel inbound` fetches by IMAP")
    ] = None
    inbound_webhook_secret: Annotated[
        str | None, Field(description="user:password a mail provider's webhooks must sign in with")
    ] = None
    dkim_key: Annotated[Path | None, Field(description="private key file; mail is signed with it")] = None
    dkim_selector: Annotated[str, Field(description="name of the DKIM key in the DNS")] = "sentinel"
    chat_targets: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(description="chat and SMS services, or service://host, that people may be reached by"),
    ] = CHAT_SERVICES
    push_services: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(description="hosts of the push services that browsers may name, separated by commas"),
    ] = PUSH_SERVICES
    private_targets: Annotated[
        bool, Field(description="push services and webhooks may be at private addresses and without TLS")
    ] = False
    calls_url: Annotated[
        str | None, Field(description="who places calls: an exchange by SIP, or a voice service")
    ] = None
    heartbeat_url: Annotated[
        str | None, Field(description="address that is called every half minute while all is well")
    ] = None
    metrics_token: Annotated[
        str | None, AfterValidator(long_token), Field(description="token that whoever reads /metrics shows")
    ] = None
    name_server: Annotated[
        str | None, Field(description="name server that the mail doctor asks, instead of the machine's own")
    ] = None

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str | None) -> str | None:
        if value is None:
            return value
        example = "postgresql://user:password@host:5432/database"
        parts = split_address(value, example)
        if parts.scheme not in ("postgresql", "postgres"):
            raise wrong(f"must name a PostgreSQL database, for example {example}")
        if not parts.path.strip("/"):
            raise wrong(f"names no database; it looks like {example}")
        return value

    @field_validator("email_url")
    @classmethod
    def _check_email_url(cls, value: str | None) -> str | None:
        if value is None:
            return value
        example = "smtp+starttls://user:password@mail.example.com:587"
        parts = split_address(value, example)
        if parts.scheme not in type_of_tls:
            raise wrong(f"must begin with smtp://, smtps:// or smtp+starttls://, for example {example}")
        if not parts.hostname:
            raise wrong(f"names no mail server; it looks like {example}")
        return value

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str | None) -> str | None:
        if value is None:
            return value
        parts = split_address(value, "https://sentinel.example.com")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise wrong("must be a full address, for example https://sentinel.example.com")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise wrong("must end after the host and port: Sentinel serves from the root of a host")
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _check_secret_key(cls, value: str | None) -> str | None:
        if value is not None and len(value) < SHORTEST_SECRET:
            raise wrong(f"must have at least {SHORTEST_SECRET} characters")
        return value

    @field_validator("port")
    @classmethod
    def _check_port(cls, value: int) -> int:
        if not 1 <= value <= 65535 - EAR_OFFSET:
            raise wrong(f"must be a number from 1 to {65535 - EAR_OFFSET}")
        return value

    @field_validator("data_dir")
    @classmethod
    def _check_data_dir(cls, value: Path) -> Path:
        if value.exists() and not value.is_dir():
            raise wrong(f"{value} is a file, not a folder")
        return value.expanduser().resolve()

    @field_validator("allowed_hosts", "chat_targets", "push_services", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return tuple(filter(None, (h.strip() for h in value.split(",")))) if isinstance(value, str) else value

    @field_validator("chat_targets")
    @classmethod
    def _check_chat_targets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            if not re.fullmatch(r"[a-z][a-z0-9+-]*(://(\*\.)?[a-z0-9.-]+)?", entry.lower()):
                raise wrong("must hold services like tgram or ntfys://ntfy.example.com, with commas between")
        return tuple(entry.lower() for entry in value)

    @field_validator("push_services")
    @classmethod
    def _check_push_services(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not re.fullmatch(r"(\*\.)?[a-z0-9.-]+", host.lower()):
                raise wrong("must hold host names like push.example.com or *.push.example.com")
        return tuple(host.lower() for host in value)

    @field_validator("bulk_relays", mode="before")
    @classmethod
    def _split_relays(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("bulk_relays")
    @classmethod
    def _check_relays(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            relay_of(url)
        return value

    @field_validator("inbound_domain")
    @classmethod
    def _check_inbound_domain(cls, value: str | None) -> str | None:
        if value is None:
            return value
        domain = value.strip().lower().rstrip(".")
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain):
            raise wrong("must be a domain name, for example in.example.com")
        return domain

    @field_validator("inbound_listen")
    @classmethod
    def _check_inbound_listen(cls, value: str | None) -> str | None:
        if value is not None:
            parts = split_address(value, "lmtp://127.0.0.1:8024")
            if parts.scheme not in default_ear_ports or not parts.hostname:
                raise wrong("must begin with smtp:// or lmtp://, for example lmtp://127.0.0.1:8024")
        return value

    @field_validator("inbound_imap_url")
    @classmethod
    def _check_inbound_imap_url(cls, value: str | None) -> str | None:
        if value is not None:
            example = "imaps://user:password@imap.example.com/INBOX"
            parts = split_address(value, example)
            if parts.scheme not in default_imap_ports or not (parts.hostname and parts.username):
                raise wrong(f"must begin with imaps:// and name a user, for example {example}")
        return value

    @field_validator("inbound_webhook_secret")
    @classmethod
    def _check_webhook_secret(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[^:]+:.{16,}", value):
            raise wrong("must look like user:password, with a password of at least 16 characters")
        return value

    @field_validator("calls_url")
    @classmethod
    def _check_calls_url(cls, value: str | None) -> str | None:
        if value is not None:
            check_calls(calls_by(value))
        return value

    @field_validator("heartbeat_url")
    @classmethod
    def _check_heartbeat_url(cls, value: str | None) -> str | None:
        if value is not None:
            parts = split_address(value, "https://watch.example.com/ping/sentinel")
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise wrong("must be a full address, for example https://watch.example.com/ping/sentinel")
        return value

    @field_validator("dkim_key")
    @classmethod
    def _check_dkim_key(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise wrong(f"names no file: {value}")
        return value

    @model_validator(mode="after")
    def _production_needs_a_secret(self) -> "Environment":
        if self.database_url and not self.secret_key:
            # Several machines on one database must agree on it, so nobody may invent it silently.
            raise wrong("SECRET_KEY is required when SENTINEL_DATABASE_URL is set")
        return self

    @property
    def public_url(self) -> str:
        """The address that links in mail begin with, without a trailing slash."""
        return self.base_url or f"http://127.0.0.1:{self.port}"

    @property
    def mail_room_port(self) -> int:
        """Where the demonstration's mail catcher listens."""
        return self.port + MAIL_ROOM_OFFSET

    @property
    def catches_mail(self) -> bool:
        """Whether mail stays in the demonstration's own mail room."""
        return self.demonstration and self.email_url is None

    @property
    def mail_server(self) -> MailServer:
        if self.email_url is None:
            return (
                MailServer("127.0.0.1", self.mail_room_port)
                if self.demonstration
                else MailServer("127.0.0.1", 25)
            )
        return server_of(urlsplit(self.email_url))

    @property
    def relays(self) -> tuple[BulkRelay, ...]:
        """The relays for check-ins: the named ones, else the server that takes all other mail."""
        return tuple(relay_of(url) for url in self.bulk_relays) or (BulkRelay(self.mail_server),)

    @property
    def reply_domain(self) -> str:
        """The domain of addresses that come back into Sentinel; empty when replies go to people."""
        return self.inbound_domain or (DEMONSTRATION_INBOUND_DOMAIN if self.demonstration else "")

    @property
    def ear(self) -> Ear | None:
        """Where `sentinel inbound` listens; None when it does not."""
        if self.inbound_listen is None:
            return Ear("smtp", "127.0.0.1", self.port + EAR_OFFSET) if self.demonstration else None
        parts = urlsplit(self.inbound_listen)
        protocol: Literal["smtp", "lmtp"] = "lmtp" if parts.scheme == "lmtp" else "smtp"
        return Ear(protocol, parts.hostname or "", parts.port or default_ear_ports[protocol])

    @property
    def mailbox(self) -> Mailbox | None:
        """The mailbox fetched by IMAP, if any."""
        return None if self.inbound_imap_url is None else mailbox_of(self.inbound_imap_url)

    @property
    def calls_by(self) -> CallsBy:
        """Who places calls; without the setting people dial themselves."""
        return CallsBy() if self.calls_url is None else calls_by(self.calls_url)

    def secret(self) -> str:
        """The secret key; for the embedded database it is made once and kept in the data directory."""
        return self.secret_key or _kept_secret(self.data_dir / "secret-key")


def _kept_secret(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Created closed, never opened up and then closed: nobody can read it in between.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{PREFIX}DATA_DIR {path.parent} cannot be written ({error.strerror}); choose another folder"
        ) from None
    with os.fdopen(descriptor, "w") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret


# Pydantic's own sentences speak to programmers.
PLAIN_WORDS = {
    "int_parsing": "must be a whole number",
    "bool_parsing": "must be true or false",
    "literal_error": "must be text or json",
}


def problems_of(error: ValidationError) -> list[str]:
    """One plain line per wrong variable; never the value, which may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        variable = PREFIX + "_".join(str(part) for part in problem["loc"]).upper()
        text = PLAIN_WORDS.get(problem["type"], problem["msg"])
        lines.append(f"{variable} {text}" if problem["loc"] else f"{PREFIX}{text}")
    return lines


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The checked environment; raises ImproperlyConfigured with one line per problem."""
    try:
        return Environment()
    except ValidationError as error:
        raise ImproperlyConfigured("\n".join(problems_of(error))) from None
