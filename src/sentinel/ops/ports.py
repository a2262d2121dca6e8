"""Whether an address is free, said in one line when it is not."""

import errno
import socket

import click


def refuse_if_taken(host: str, port: int, variable: str = "SENTINEL_PORT") -> None:
    """Raises ClickException when something already listens on `host`:`port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Like the real server: a port that only remembers its last connections is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f"port {port} is already in use"
            else:
                reason = f"cannot listen on {host}:{port} ({error.strerror})"
            raise click.ClickException(f"{reason}; set {variable} to another one") from None
