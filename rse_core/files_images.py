"""Pictures that people bring: decoded within a limit, turned upright, made anew in our own sizes without what the camera
noted (place, device, name). The bytes that came are not kept.

Of an animated picture the first frame stays: nothing moves on a page unless the reader asks for it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

from .errors import BadInput
from .files_store import SIZES
from .i18n import _

#: Pixels of a picture that is decoded: about 200 MB of memory.
MAX_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
MEDIA_TYPE = "image/webp"
#: A drawing or a screenshot is kept exactly up to this many bytes.
_EXACT = 400_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made anew: WebP by size (``large`` always, smaller ones where they are smaller), its size in pixels."""

    sizes: dict[str, bytes]
    width: int
    height: int


def remake(data: bytes, name: str) -> Picture:
    """Make a picture anew.

    :raises BadInput: for one that is damaged or has too many pixels; names it.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise _too_large(name)
            opened.verify()
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            drawn = opened.format in ("PNG", "GIF")
            image = _plain(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(name) from None
    except BadInput:
        raise
    except Exception as error:  # isolation point: a decoder may raise anything on a damaged file
        raise BadInput(
            _("The picture “%(name)s” is damaged or is no picture.", name=name[-120:]),
            remedy=_("Open it, save it again and send that one."),
            fields={"files": _("The picture “%(name)s” is damaged or is no picture.", name=name[-120:])},
        ) from error
    sizes: dict[str, bytes] = {}
    largest = _within(image, SIZES["large"])
    for size, most in SIZES.items():
        if size == "large":
            sizes[size] = _saved(largest, drawn)
        elif most < max(largest.size):
            sizes[size] = _saved(_within(image, most), drawn)
    return Picture(sizes, largest.width, largest.height)


def _plain(opened: Image.Image) -> Image.Image:
    """Upright, in sRGB, with transparency where there is some; nothing else of the file."""
    # Four times fewer pixels to decode where the picture is far larger than what is kept.
    opened.draft("RGB", (SIZES["large"] * 2, SIZES["large"] * 2))
    opened.load()
    profile = opened.info.get("icc_profile")
    image: Image.Image = ImageOps.exif_transpose(opened) or opened
    alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if profile and image.mode in ("RGB", "RGBA"):
        image = _in_srgb(image, profile)
    return image.convert("RGBA" if alpha else "RGB")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        made = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode=image.mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return made or image


def _within(image: Image.Image, most: int) -> Image.Image:
    if max(image.size) <= most:
        return image
    scale = most / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _saved(image: Image.Image, drawn: bool) -> bytes:
    if drawn:
        exact = _webp(image, lossless=True, quality=60)
        if len(exact) <= _EXACT:
            return exact
    return _webp(image, quality=88 if drawn else 82)


def _webp(image: Image.Image, **options: object) -> bytes:
    written = io.BytesIO()
    # A copy of the pixels alone: neither Exif nor a colour profile nor a comment goes along.
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    bare.save(written, "WEBP", method=4, **options)
    return written.getvalue()


def _too_large(name: str) -> BadInput:
    text = _("The picture “%(name)s” has more than %(most)s million pixels.", name=name[-120:], most=MAX_PIXELS // 1_000_000)
    return BadInput(text, remedy=_("Make it smaller and send it again."), fields={"files": text})
