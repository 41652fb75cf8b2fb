"""What a file is, read from its content and never from its name; and names that are safe to show and to save.

Accepted: images (JPEG, PNG, GIF, WebP) and documents (PDF, Office, OpenDocument, RTF, text, CSV, zip, 7z, MP4, MP3). What a
browser or a system would run (HTML, SVG, scripts, programs, documents with macros) is refused.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import BadInput
from .i18n import _

MAX_NAME = 255
_IMAGES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_OFFICE = "application/vnd.openxmlformats-officedocument."
#: by the part that makes the document: its type and extension
_OPEN_XML = {
    "word/document.xml": (_OFFICE + "wordprocessingml.document", "docx"),
    "xl/workbook.xml": (_OFFICE + "spreadsheetml.sheet", "xlsx"),
    "xl/workbook.bin": ("application/vnd.ms-excel.sheet.binary.macroEnabled.12", "xlsb"),
    "ppt/presentation.xml": (_OFFICE + "presentationml.presentation", "pptx"),
}
_OPEN_DOCUMENT = {
    "text": "odt",
    "spreadsheet": "ods",
    "presentation": "odp",
    "graphics": "odg",
    "chart": "odc",
    "formula": "odf",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: streams of the older Office documents, as their directory names them
_OLE_STREAMS = (
    ("WordDocument", "application/msword", "doc"),
    ("Workbook", "application/vnd.ms-excel", "xls"),
    ("Book", "application/vnd.ms-excel", "xls"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint", "ppt"),
)
#: what puremagic may find, when nothing above did: its type and extension
_OTHERS = {
    "application/x-7z-compressed": "7z",
    "application/gzip": "gz",
    "video/mp4": "mp4",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
#: what text may be called; anything else gets ``.txt`` behind it, so that no system runs it
_TEXTS = {
    "txt": "text/plain", "csv": "text/csv", "tsv": "text/tab-separated-values", "md": "text/markdown",
    "log": "text/plain", "ics": "text/calendar", "vcf": "text/vcard", "json": "application/json", "srt": "text/plain",
}  # fmt: skip
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_RUNS = (b"<!doctype html", b"<html", b"<svg", b"<script", b"<?xml", b"<?php", b"#!", b"<head", b"<body", b"<iframe")
_SAME = {"jpeg": "jpg", "jpe": "jpg", "markdown": "md", "text": "txt", "m4v": "mp4"}


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is. ``extension`` is the one its name must end with."""

    media_type: str
    extension: str
    image: bool = False


def recognise(data: bytes, name: str) -> Recognised:
    """What these bytes are.

    :param name: only to name the file in the refusal, and to tell apart kinds of text.
    :raises BadInput: for what is not accepted; says what it is.
    """
    for start, media_type in _IMAGES:
        if data.startswith(start):
            return Recognised(media_type, {"image/jpeg": "jpg"}.get(media_type, media_type[6:]), image=True)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Recognised("image/webp", "webp", image=True)
    if b"%PDF-" in data[:1024]:
        return Recognised("application/pdf", "pdf")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(data, name)
    if data.startswith(_OLE):
        return _older_office(data, name)
    if data.startswith(b"{\\rtf"):
        return Recognised("application/rtf", "rtf")
    if (text := _text(data, name)) is not None:
        return text
    return _other(data, name)


def clean_name(name: str, kind: Recognised) -> str:
    """The name to show and to save under: no folders, nothing invisible, at most 255 characters, and the extension of
    what the file is."""
    base = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    shown = "".join(
        " " if char.isspace() else char for char in base if unicodedata.category(char)[0] != "C" or char.isspace()
    )
    shown = " ".join(shown.split()).strip(". ") or _("file")
    stem, dot, extension = shown.rpartition(".")
    typed = _SAME.get(extension.lower(), extension.lower())
    if not dot or not stem or typed != kind.extension:
        stem, extension = shown, kind.extension
    return f"{stem[: MAX_NAME - 1 - len(extension)].rstrip('. ')}.{extension}"


def _zipped(data: bytes, name: str) -> Recognised:
    # OpenDocument says what it is in its first entry, stored as it is.
    if data[30:38] == b"mimetype":
        size = struct.unpack_from("<I", data, 18)[0]
        said = data[38 : 38 + min(size, 100)].decode("ascii", "replace")
        kind = said.removeprefix("application/vnd.oasis.opendocument.")
        if kind in _OPEN_DOCUMENT:
            return Recognised(said, _OPEN_DOCUMENT[kind])
    names = set(_entries(data))
    if any(one.lower().endswith("vbaproject.bin") for one in names):
        raise _refused(name, _("it holds macros"))
    if "[Content_Types].xml" in names:
        for part, (media_type, extension) in _OPEN_XML.items():
            if part in names:
                return Recognised(media_type, extension)
    if "META-INF/MANIFEST.MF" in names or "AndroidManifest.xml" in names:
        raise _refused(name, _("it is a program"))
    return Recognised("application/zip", "zip")


def _entries(data: bytes, most: int = 5_000) -> Iterator[str]:
    """The names in a zip's directory. By hand: nothing is unpacked, and a directory of millions costs nothing."""
    end = data.rfind(b"PK\x05\x06")
    if end < 0 or end + 22 > len(data):
        return
    place = struct.unpack_from("<I", data, end + 16)[0]
    for _number in range(most):
        if data[place : place + 4] != b"PK\x01\x02" or place + 46 > len(data):
            return
        length, extra, comment = struct.unpack_from("<HHH", data, place + 28)
        yield data[place + 46 : place + 46 + length].decode("utf-8", "replace")
        place += 46 + length + extra + comment


def _older_office(data: bytes, name: str) -> Recognised:
    if "_VBA_PROJECT".encode("utf-16-le") in data:
        raise _refused(name, _("it holds macros"))
    for stream, media_type, extension in _OLE_STREAMS:
        # A directory entry: the name in 64 bytes, filled up with zeros.
        if stream.encode("utf-16-le") + b"\0\0\0\0" in data:
            return Recognised(media_type, extension)
    raise _refused(name, _("this kind of document is not accepted"))


def _text(data: bytes, name: str) -> Recognised | None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            return None
    else:
        if b"\0" in data:
            return None
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            # Windows' own encoding, which spreadsheets still write; programs are not of it, for their control characters.
            text = data.decode("cp1252", "replace")
            if text.count("�") > len(text) // 200:
                return None
    if _CONTROL.search(text):
        return None
    if text.lstrip()[:200].lower().encode().startswith(_RUNS):
        raise _refused(name, _("a browser or a system would run it"))
    extension = name.rpartition(".")[2].lower()
    extension = _SAME.get(extension, extension)
    if "." not in name or extension not in _TEXTS:
        extension = "txt"
    return Recognised(_TEXTS[extension], extension)


def _other(data: bytes, name: str) -> Recognised:
    # Here: its table of signatures takes a while to load, and most files never come this far.
    import puremagic

    try:
        found = puremagic.magic_string(data[:65_536])
    except (puremagic.PureError, ValueError):
        found = []
    for match in found:
        if match.mime_type in _OTHERS:
            return Recognised(match.mime_type, _OTHERS[match.mime_type])
    if found and found[0].mime_type == "image/heif":
        raise _refused(name, _("browsers cannot show this kind of picture; send it as JPEG"))
    if found and found[0].name:
        raise _refused(name, _("it is of the kind “%(kind)s”, which is not accepted", kind=found[0].name[:80]))
    raise _refused(name, _("what it is cannot be recognised"))


def _refused(name: str, why: str) -> BadInput:
    return BadInput(
        _("“%(name)s” cannot be taken: %(why)s.", name=name[-120:], why=why),
        remedy=_("Pictures (JPEG, PNG, GIF, WebP), PDF, Office and OpenDocument files, text, CSV and zip are accepted."),
        fields={"files": _("“%(name)s” cannot be taken: %(why)s.", name=name[-120:], why=why)},
    )
