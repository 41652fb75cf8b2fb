"""The texts of the imaginary intranet: one file per page, a few ``key: value`` lines, then the HTML body."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

MONTHS = {
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip

#: Folder of the page's file -> first segment of its address. Pages of ``site`` live at the root.
SECTIONS = ("actualites", "rh", "organisation", "english", "site")


class ContentError(ValueError):
    """A content file that cannot be read; the message names the file and the line to mend."""


@dataclass(frozen=True)
class Page:
    """One page of the intranet.

    ``number`` is the native id that ``/page?id=`` takes; ``path`` is the permalink.
    """

    number: int
    section: str
    path: str
    title: str
    summary: str
    publisher: str
    published: date
    body: str
    lang: str = "fr"
    category: str = ""

    @property
    def date_text(self) -> str:
        """The date as a reader writes it: « 1er mai 2026 », "1 May 2026"."""
        day = "1er" if self.lang == "fr" and self.published.day == 1 else str(self.published.day)
        return f"{day} {MONTHS[self.lang][self.published.month - 1]} {self.published.year}"

    @cached_property
    def folded(self) -> str:
        """Everything a search looks through: without tags, accents, ligatures or capitals."""
        return fold(" ".join((self.title, self.summary, self.publisher, re.sub(r"<[^>]+>", " ", self.body))))


def fold(text: str) -> str:
    """Return ``text`` in lower case, without accents, with œ and æ in two letters and plain apostrophes."""
    text = text.lower().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def parse_page(section: str, name: str, source: str) -> Page:
    """Read one content file.

    :param name: the file's name without its ending; news files start with their date.
    :raises ContentError: when a line of the head has no colon, or a required key is missing.
    """
    head, _, body = source.partition("\n\n")
    fields: dict[str, str] = {}
    for number, line in enumerate(head.splitlines(), start=1):
        key, colon, value = line.partition(": ")
        if not colon:
            raise ContentError(f"{section}/{name}: line {number} is not of the form 'key: value'.")
        fields[key] = value.strip()
    missing = {"id", "title", "date", "publisher", "summary"} - fields.keys()
    if missing:
        raise ContentError(f"{section}/{name}: add the missing line(s) {', '.join(sorted(missing))}.")
    published = date.fromisoformat(fields["date"])
    if section == "actualites":
        slug = name.removeprefix(fields["date"]).lstrip("-")
        path = f"/actualites/{published.year}/{slug}"
    elif section == "site":
        path = f"/{name}"
    else:
        path = f"/{section}/{name}"
    return Page(
        number=int(fields["id"]),
        section=section,
        path=path,
        title=fields["title"],
        summary=fields["summary"],
        publisher=fields["publisher"],
        published=published,
        body=body.strip(),
        lang=fields.get("lang", "fr"),
        category=fields.get("category", ""),
    )


def load_pages() -> tuple[Page, ...]:
    """Return every page of the package, by native id."""
    folder = files(__package__) / "content"
    found = [
        parse_page(section, entry.name.removesuffix(".html"), entry.read_text("utf-8"))
        for section in SECTIONS
        for entry in _html_files(folder / section)
    ]
    return tuple(sorted(found, key=lambda page: page.number))


def search_pages(pages: Iterable[Page], question: str) -> list[Page]:
    """Return the pages that hold every word of ``question``, those with a word in the title first."""
    words = fold(question).split()
    if not words:
        return []
    hits = [page for page in pages if all(word in page.folded for word in words)]
    return sorted(hits, key=lambda page: (not any(w in fold(page.title) for w in words), -page.published.toordinal()))


def _html_files(folder: Traversable) -> Iterable[Traversable]:
    return sorted((e for e in folder.iterdir() if e.name.endswith(".html")), key=lambda e: e.name)
