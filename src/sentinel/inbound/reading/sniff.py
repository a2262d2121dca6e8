"""What a file is by its first bytes, and a name for it that is safe to show and to save."""

from __future__ import annotations

import re
import unicodedata

from sentinel.inbound.reading.headers import one_line

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-executable"),
    (0, b"\xca\xfe\xba\xbe", "application/x-executable"),
    (0, b"#!", "application/x-script"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\x78\x9f\x3e\x22", "application/ms-tnef"),
    (0, b"BEGIN:VCARD", "text/vcard"),
    (0, b"BEGIN:VCALENDAR", "text/calendar"),
    (257, b"ustar", "application/x-tar"),
)
_BRANDS = {
    b"heic": "image/heic", b"heix": "image/heic", b"hevc": "image/heic", b"mif1": "image/heic",
    b"avif": "image/avif", b"qt  ": "video/quicktime", b"M4A ": "audio/mp4",
}  # fmt: skip
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"META-INF/MANIFEST.MF", "application/java-archive"),
)
_MARKUP = ((b"<svg", "image/svg+xml"), (b"<html", "text/html"), (b"<!doctype html", "text/html"))
_ACTIVE_MARKUP = (b"<script", b"<body", b"<iframe")
_EXTENSIONS = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/heic":
        ".heic",
    "application/pdf": ".pdf", "text/plain": ".txt", "text/html": ".html", "application/zip": ".zip",
    "message/rfc822": ".eml", "audio/ogg": ".ogg", "audio/mpeg": ".mp3", "video/mp4": ".mp4",
    "text/calendar": ".ics", "text/vcard": ".vcf", "image/svg+xml": ".svg", "image/tiff": ".tif",
}  # fmt: skip
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)
_LONGEST_NAME = 120
PROGRAMS = frozenset({"application/x-msdownload", "application/x-executable"})


def sniff(content: bytes, declared: str = "") -> str:
    """The type the bytes prove; text and unknown data by what they look like. Never the declared type of a
    picture or a document whose bytes say otherwise."""
    if not content:
        return "application/x-empty"
    for offset, magic, name in _SIGNATURES:
        if content.startswith(magic, offset):
            return name
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "video/mp4")
    if content.startswith(b"RIFF"):
        return _RIFF.get(content[8:12], "application/octet-stream")
    if content.startswith(b"PK\x03\x04"):
        return next((name for mark, name in _OFFICE if mark in content[:4000]), "application/zip")
    if content.startswith(b"BM") and len(content) > 26 and content[6:10] == b"\x00\x00\x00\x00":
        return "image/bmp"
    return _text_type(content[:4000], declared)


def _text_type(head: bytes, declared: str) -> str:
    lowered = head.lower().lstrip(b"\xef\xbb\xbf \t\r\n")
    for mark, name in _MARKUP:
        if mark in lowered[:1000]:
            return name
    if any(mark in lowered for mark in _ACTIVE_MARKUP):
        return "text/html"
    if lowered.startswith(b"<?xml"):
        return "application/xml"
    if any(byte < 9 or 13 < byte < 27 for byte in head) or _share_of_high(head) > 0.5:
        return "application/octet-stream"
    return (
        declared
        if declared in ("message/rfc822", "text/csv", "text/calendar", "text/vcard")
        else "text/plain"
    )


def _share_of_high(head: bytes) -> float:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # Four bytes from the end a letter may just be cut in the middle.
        if error.start >= len(head) - 4:
            return 0.0
        return sum(1 for byte in head if byte > 127) / len(head)
    return 0.0


def safe_name(name: str, content_type: str, number: int) -> str:
    """A file name without folders, controls, reversed text or reserved words; 1 to 120 letters."""
    text = unicodedata.normalize("NFC", one_line(name))
    text = _UNSAFE.sub("_", text.replace("\\", "/").rsplit("/", 1)[-1]).strip(" ._-")
    if not any(letter.isalnum() for letter in text):
        text = f"attachment-{number}" + _EXTENSIONS.get(content_type, ".bin")
    stem, dot, extension = text.rpartition(".")
    if _RESERVED.fullmatch(stem or text):
        text = "_" + text
    if len(text) > _LONGEST_NAME:
        keep = extension[:12] if dot else ""
        text = text[: _LONGEST_NAME - len(keep) - 1].rstrip(" .") + ("." + keep if keep else "")
    return text
