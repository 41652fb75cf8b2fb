"""What a file is, by its content; pictures made anew; names."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import pytest
from PIL import Image, ImageDraw

from rse_core.api import BadInput
from rse_core.files_images import remake
from rse_core.files_types import Recognised, clean_name, recognise
from rse_core.i18n import use_locale


@pytest.fixture(autouse=True)
def english() -> Any:
    with use_locale("en"):
        yield


def packed(*names: str, mimetype: str = "") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


def ole(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + stream.encode("utf-16-le").ljust(64, b"\0")


@pytest.mark.parametrize(
    ("data", "name", "media_type", "extension"),
    [
        (b"%PDF-1.7\n", "report.pdf", "application/pdf", "pdf"),
        (b"\xef\xbb\xbfnom;pr\xc3\xa9nom", "people.CSV", "text/csv", "csv"),
        ("nom;prénom".encode("cp1252"), "people.csv", "text/csv", "csv"),
        ("nom;prénom".encode("utf-16"), "people.csv", "text/csv", "csv"),
        (b"echo hello", "run.bat", "text/plain", "txt"),
        (b"{\\rtf1}", "a.rtf", "application/rtf", "rtf"),
        (packed("a.txt"), "a.zip", "application/zip", "zip"),
        (packed("[Content_Types].xml", "word/document.xml"), "a.docx",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
        (packed("content.xml", mimetype="application/vnd.oasis.opendocument.spreadsheet"), "a.ods",
         "application/vnd.oasis.opendocument.spreadsheet", "ods"),
        (ole("Workbook"), "a.xls", "application/vnd.ms-excel", "xls"),
        (b"7z\xbc\xaf\x27\x1c" + b"\0" * 40, "a.7z", "application/x-7z-compressed", "7z"),
    ],
)  # fmt: skip
def test_a_file_is_recognised_by_its_content(data: bytes, name: str, media_type: str, extension: str) -> None:
    assert recognise(data, name) == Recognised(media_type, extension)


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (b"<!DOCTYPE html><script>alert(1)</script>", "notes.txt", "would run it"),
        (b"  <svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "logo.png", "would run it"),
        (b"#!/bin/sh\nrm -rf ~", "notes.txt", "would run it"),
        (b"MZ\x90\0" + b"\0" * 100, "photo.jpg", "Windows"),
        (b"\x7fELF" + b"\0" * 60, "report.pdf", "ELF"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "IMG_1.HEIC", "send it as JPEG"),
        (ole("_VBA_PROJECT"), "budget.xls", "macros"),
        (ole("Something"), "setup.msi", "not accepted"),
        (b"\x01\x02\x03\x00\xfe", "what.bin", "cannot be recognised"),
    ],
)
def test_what_would_run_and_what_is_unknown_is_refused_with_name_and_reason(data: bytes, name: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        recognise(data, name)
    assert name in refused.value.message
    assert why in refused.value.message
    assert "files" in refused.value.fields


@pytest.mark.parametrize(
    ("typed", "kind", "shown"),
    [
        ("C:\\Users\\anna\\Rapport final.pdf", "pdf", "Rapport final.pdf"),
        ("../../etc/passwd", "txt", "passwd.txt"),
        ("invoice.exe", "pdf", "invoice.exe.pdf"),
        ("re\u202efdp.exe", "pdf", "refdp.exe.pdf"),
        ("photo.JPEG", "jpg", "photo.JPEG"),
        ("a\x00b\nc.txt", "txt", "ab c.txt"),
        ("  .hidden. ", "txt", "hidden.txt"),
        ("", "zip", "file.zip"),
    ],
)
def test_names_are_cleaned_and_end_as_what_the_file_is(typed: str, kind: str, shown: str) -> None:
    assert clean_name(typed, Recognised("x/y", kind)) == shown


def test_a_long_name_keeps_its_extension() -> None:
    name = clean_name("é" * 400 + ".pdf", Recognised("application/pdf", "pdf"))
    assert len(name) == 255
    assert name.endswith("é.pdf")


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def test_a_photo_is_made_anew_in_three_sizes_upright_and_without_what_the_camera_noted() -> None:
    photo = Image.new("RGB", (3000, 1500), "white")
    ImageDraw.Draw(photo).rectangle((0, 0, 300, 300), fill="red")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right
    exif[0x010F] = "Maker of cameras"
    exif.get_ifd(0x8825)[1] = "N"
    made = remake(saved(photo, "JPEG", exif=exif, comment=b"secret place"), "photo.jpg")
    assert {name: opened(data).size for name, data in made.sizes.items()} == {
        "small": (160, 320), "medium": (480, 960), "large": (960, 1920)
    }  # fmt: skip
    assert (made.width, made.height) == (960, 1920)
    for data in made.sizes.values():
        image = opened(data)
        assert image.format == "WEBP"
        assert not image.getexif()
        assert "icc_profile" not in image.info
        assert b"Maker" not in data
        assert b"secret" not in data
    red, green, _blue = opened(made.sizes["large"]).convert("RGB").getpixel((950, 10))
    assert red > 200, "the corner has turned with the picture"
    assert green < 80


def test_a_small_picture_is_not_made_larger_and_keeps_its_transparency() -> None:
    made = remake(saved(Image.new("RGBA", (200, 100), (0, 0, 0, 0)), "PNG"), "logo.png")
    assert list(made.sizes) == ["large"]
    image = opened(made.sizes["large"])
    assert image.size == (200, 100)
    assert image.convert("RGBA").getpixel((5, 5))[3] == 0


def test_a_screenshot_keeps_every_pixel() -> None:
    drawn = Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(drawn).text((20, 20), "Text that must stay legible", fill=(3, 7, 11))
    assert opened(remake(saved(drawn, "PNG"), "a.png").sizes["large"]).convert("RGB").tobytes() == drawn.tobytes()


def test_of_an_animation_the_first_frame_stays() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue", "green")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert opened(data).n_frames > 1
    assert getattr(opened(remake(data, "a.gif").sizes["large"]), "n_frames", 1) == 1


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (8_000, 12_000, 60_000):
        bomb = (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
            + chunk(b"IEND", b"")
        )
        with pytest.raises(BadInput, match="more than 50 million pixels"):
            remake(bomb, "bomb.png")


def test_a_damaged_picture_is_refused_by_name() -> None:
    photo = saved(Image.new("RGB", (400, 400), "red"), "JPEG")
    for data in (photo[: len(photo) // 2], b"\xff\xd8\xff" + b"nothing", b"\x89PNG\r\n\x1a\n" + b"\0" * 20):
        with pytest.raises(BadInput, match=r"“holiday\.jpg” is damaged"):
            remake(data, "holiday.jpg")
