"""The peer: the same mails sent as Django's documentation shows it, in a process of its own.

Render the templates, build an `EmailMultiAlternatives`, hand it to the SMTP backend over a connection that
stays open, and mark the row as sent. Rows are shared out to threads in advance; nothing survives a crash.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.core.mail import EmailMultiAlternatives  # noqa: E402
from django.core.mail.backends.smtp import EmailBackend  # noqa: E402
from django.core.signing import Signer  # noqa: E402
from django.db import connection, connections, models  # noqa: E402
from django.template import Context, Engine  # noqa: E402


class Invitation(models.Model):
    """The row per recipient that everybody has."""

    name = models.CharField(max_length=200)
    address = models.EmailField(max_length=254)
    state = models.CharField(max_length=8, default="pending")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "timeline"  # any installed application: the table is ours and goes with the database
        db_table = "bench_invitation"
        indexes = (models.Index(fields=("id",), name="bench_pending", condition=models.Q(state="pending")),)


def prepare(count: int) -> None:
    """Fill the table."""
    with connection.schema_editor() as editor:
        if Invitation._meta.db_table in connection.introspection.table_names():
            editor.delete_model(Invitation)
        editor.create_model(Invitation)
    Invitation.objects.bulk_create(
        [Invitation(name=f"Jürgen Müller-{n}", address=f"w{n}@d{n % 200}.example") for n in range(count)],
        batch_size=1000,
    )


def send(ids: list[int], folder: Path, port: int) -> None:
    """One thread's share."""
    engine = Engine()
    subject, text, html = (
        engine.from_string((folder / f"peer.{part}").read_text(encoding="utf-8"))
        for part in ("subject", "txt", "html")
    )
    signer = Signer()
    backend = EmailBackend(host="127.0.0.1", port=port)
    backend.open()
    for row in Invitation.objects.filter(pk__in=ids).order_by("pk").iterator(chunk_size=1000):
        context = Context({"name": row.name, "token": signer.sign(str(row.pk))})
        mail = EmailMultiAlternatives(
            subject.render(context),
            text.render(context),
            '"Maria Schulz" <care@provider.example>',
            [row.address],
            headers={"List-Unsubscribe": f"<https://sentinel.example.com/u/{row.pk}/>"},
            connection=backend,
        )
        mail.attach_alternative(html.render(context), "text/html")
        mail.send()
        Invitation.objects.filter(pk=row.pk).update(state="sent", sent_at=datetime.now(UTC))
    backend.close()
    connections.close_all()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="holds peer.subject, peer.txt, peer.html")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    wanted = parser.parse_args()
    prepare(wanted.count)
    ids = list(Invitation.objects.order_by("pk").values_list("pk", flat=True))
    threads = [
        threading.Thread(target=send, args=(ids[n :: wanted.threads], wanted.folder, wanted.port))
        for n in range(wanted.threads)
    ]
    print(os.getpid(), flush=True)
    sys.stdin.readline()  # whoever measures says when
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(Invitation.objects.filter(state="sent").count(), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
