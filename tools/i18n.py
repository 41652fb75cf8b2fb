"""Extract, update and compile the French catalogue of each distribution; ``--check`` only compares.

The messages in the code are the English texts, so French is the one language with a catalogue. Both the
``.po`` and the ``.mo`` are committed: a wheel and a clone speak French without any tool. Names of
distributions as arguments (``rse-likes``) limit the work to them.
"""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from dists import ROOT, Distribution, distributions

LOCALE = "fr"
METHODS = [("**/migrations/**", "ignore"), ("**.py", "python"), ("**/templates/**", "jinja2")]
OPTIONS = {"**/templates/**": {"encoding": "utf-8", "silent": "false"}}
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "lazy": None,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "_l": None,
    "_n": (1, 2),
}
#: What French typography refuses: a plain space, or none, before double punctuation; exclamation marks.
PLAIN_SPACE = re.compile(r"[ ][;:!?»]|«[ ]")
NO_SPACE = re.compile(r"[a-zà-ÿ)»][;?]|[a-zà-ÿ)]:(?=\s|$)", re.IGNORECASE)


def extracted(dist: Distribution) -> Catalog:
    """Every message of the distribution's code and templates, in the order of the files."""
    catalog = Catalog(domain=dist.domain, fuzzy=False, charset="utf-8")
    found = extract_from_dir(
        dist.source, METHODS, OPTIONS, KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    )
    for name, _line, message, comments, context in sorted(found, key=lambda row: (row[0], row[1])):
        catalog.add(message, None, [(name.replace("\\", "/"), None)], auto_comments=comments, context=context)
    return catalog


def paths(dist: Distribution) -> tuple[Path, Path]:
    """Its ``.po`` and its ``.mo``."""
    folder = dist.source / "translations" / LOCALE / "LC_MESSAGES"
    return folder / f"{dist.domain}.po", folder / f"{dist.domain}.mo"


def load(path: Path, dist: Distribution) -> Catalog:
    """The catalogue as it stands, or a new one."""
    if path.is_file():
        with path.open("rb") as file:
            return read_po(file, locale=LOCALE, domain=dist.domain)
    now = datetime.now(UTC)
    return Catalog(
        locale=LOCALE,
        domain=dist.domain,
        project=dist.name,
        version="0.1",
        charset="utf-8",
        fuzzy=False,
        header_comment=f"# French texts of {dist.name}.",
        creation_date=now,
        revision_date=now,
        last_translator="RSE",
        language_team="RSE",
    )


def merged(dist: Distribution) -> Catalog:
    """The catalogue with exactly the messages of the code; known translations kept, dates too."""
    catalog = load(paths(dist)[0], dist)
    created, revised = catalog.creation_date, catalog.revision_date
    template = extracted(dist)
    catalog.update(template, no_fuzzy_matching=True, keep_user_comments=True)
    catalog.obsolete.clear()
    # A date that changed at each run would make every branch collide here.
    catalog.creation_date, catalog.revision_date = created, revised
    return catalog


def serialised(catalog: Catalog) -> tuple[bytes, bytes]:
    """Bytes of the ``.po`` and of the ``.mo``."""
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, catalog, width=110, ignore_obsolete=True, include_lineno=False, sort_by_file=True)
    write_mo(mo, catalog)
    return po.getvalue(), mo.getvalue()


def texts(message: Message) -> list[str]:
    """Its French texts, one or, for a plural, several."""
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def complaints(message: Message, catalog: Catalog) -> list[str]:
    """What is wrong with one French text."""
    french = texts(message)
    if not all(french) or message.fuzzy:
        return ["has no French text"]
    found = [str(error) for error in message.check(catalog)]
    for text in french:
        bare = re.sub(r"https?://\S+|&\w+;|<[^>]*>|%\([a-z_]+\)[sd]|`[^`]*`", "", text)
        if PLAIN_SPACE.search(bare) or NO_SPACE.search(bare):
            found.append(f"wants a no-break space before ; : ? ! and inside « »: {text!r}")
        if "!" in bare:
            found.append(f"uses an exclamation mark: {text!r}")
    return found


def check(dist: Distribution) -> list[str]:
    """Sentences on what is missing or out of date in a distribution."""
    po, mo = paths(dist)
    catalog = merged(dist)
    if not len(catalog) and not po.is_file():
        return []
    found = [
        f"{dist.name}: {message.id!r} {complaint}"
        for message in catalog
        if message.id
        for complaint in complaints(message, catalog)
    ]
    for path, wanted in zip((po, mo), serialised(catalog), strict=True):
        if not path.is_file() or path.read_bytes() != wanted:
            found.append(f"{path.relative_to(ROOT)} is out of date with the code: run `make i18n`")
    return found


def update(dist: Distribution) -> str:
    """Write the catalogue; the answer is a line to print."""
    catalog = merged(dist)
    if not len(catalog):
        return f"{dist.name}: no message"
    for path, content in zip(paths(dist), serialised(catalog), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
    missing = sum(1 for message in catalog if message.id and not all(texts(message)))
    return f"{dist.name}: {len(catalog)} messages, {missing} without a French text"


def main(arguments: list[str]) -> int:
    """Run the script; the answer is the exit code."""
    names = {argument for argument in arguments if not argument.startswith("-")}
    chosen = [d for d in distributions() if (not names or d.name in names) and d.source.is_dir()]
    if "--check" not in arguments:
        for dist in chosen:
            print(update(dist))
        return 0
    found = [sentence for dist in chosen for sentence in check(dist)]
    print("\n".join(found) if found else f"French is complete in {len(chosen)} distributions.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
