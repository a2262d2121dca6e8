"""The files of a mail: by what their bytes are, under safe names, up to a limit."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel.inbound.reading.mime import Piece
from sentinel.inbound.reading.shapes import KEPT_BYTES, KEPT_PARTS, Notes, Part
from sentinel.inbound.reading.sniff import safe_name, sniff

#: Parts that only machines read.
_MACHINERY = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-keys",
    }
    | {"message/external-body", "application/pgp-encrypted"}
)


def attachments_of(files: Iterable[Piece], notes: Notes) -> tuple[Part, ...]:
    """Every file; beyond the limits without its content, with the reason in ``refused``."""
    found: list[Part] = []
    kept = 0
    for number, piece in enumerate(files, start=1):
        if piece.content_type in _MACHINERY:
            continue
        refused = "too many attachments" if len(found) >= KEPT_PARTS else ""
        # Encoded as base64 a file takes a third more; whatever cannot fit is not even decoded.
        if not refused and (piece.end - piece.start) * 2 // 3 > KEPT_BYTES - kept:
            refused = "too large"
        content = b"" if refused else piece.body()
        if len(content) > KEPT_BYTES - kept:
            refused, content = "too large", b""
        if refused:
            notes.cut_short(f"attachments beyond the limits: {refused}")
        kept += len(content)
        found.append(_part(piece, content, refused, number))
    return tuple(found)


def _part(piece: Piece, content: bytes, refused: str, number: int) -> Part:
    sniffed = sniff(content, piece.content_type) if content else "application/octet-stream"
    content_id = piece.headers.raw("content-id").strip("<> ")[:200]
    return Part(
        name=safe_name(piece.file_name, sniffed if content else piece.content_type, number),
        declared_type=piece.content_type,
        sniffed_type=sniffed,
        content=content,
        is_inline=piece.disposition == "inline" or (bool(content_id) and piece.disposition != "attachment"),
        content_id=content_id,
        refused=refused,
    )
