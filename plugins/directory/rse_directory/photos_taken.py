"""Photos that the organisation's directories have: taken where they are others than before, made anew by the core.

Where a source keeps the field (``directory.kept``), its photo is the person's. Else it fills what is blank: a photo that
somebody brought stays, and one that they took away does not come back.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core import files
from rse_core.api import BadInput, Core, TooMany, dialect_insert, translator, utcnow
from rse_core.models.organisation import Person

from . import fields as field_rules
from .models import PhotoFrom
from .photos import photo_ref

_ = translator(__file__, "rse_directory").gettext
NAME = "photo.jpg"
#: Megabytes, whatever the source lets through.
MOST = 10


def take(core: Core, source: str, photos: Mapping[int, bytes]) -> dict[int, str]:
    """Take these photos; ``b""`` is none. Pictures are read outside of the transaction that keeps them.

    :raises ConfigError: where files cannot be kept.
    :returns: ``""`` for those whose photo is another now, why for those that cannot be used.
    """
    digests = {ident: hashlib.sha256(data).hexdigest() if data else "" for ident, data in photos.items()}
    with core.db.read() as session:
        wanted = _wanted(session, source, digests)
    found: dict[int, str] = {}
    ready: dict[int, files.Prepared | None] = {}
    for ident in wanted:
        try:
            ready[ident] = _prepared(photos[ident]) if photos[ident] else None
        except BadInput as error:
            found[ident] = error.message
    if ready:
        with core.db.write() as session:
            # Their owners may have changed them meanwhile: asked again, with the profiles of these few people held.
            held = select(Person.id).where(Person.id.in_(sorted(ready)), Person.status == "active").with_for_update()
            here = set(session.scalars(held))
            for ident in _wanted(session, source, {one: digests[one] for one in ready if one in here}):
                try:
                    _keep(session, source, ident, digests[ident], ready[ident])
                    found[ident] = ""
                except (BadInput, TooMany) as error:
                    found[ident] = error.message
    return found


def _prepared(data: bytes) -> files.Prepared:
    made = files.prepare(io.BytesIO(data), NAME, most=MOST)
    if made.kind != "image":
        raise BadInput(_("What stands there is no picture."))
    return made


def _wanted(session: Session, source: str, digests: Mapping[int, str]) -> list[int]:
    """Whose photo is to be another; three queries, whatever their number."""
    ids = sorted(digests)
    before = {row.person_id: row for row in session.scalars(select(PhotoFrom).where(PhotoFrom.person_id.in_(ids)))}
    shown = files.of(session, [photo_ref(ident) for ident in ids])
    locked = "photo" in field_rules.kept_by(session, source)
    found = []
    for ident in ids:
        row, mine = before.get(ident), shown.get(photo_ref(ident), [])
        theirs = row is not None and [one.key for one in mine[:1]] == [row.file_key]
        untouched = theirs or (row is None and not mine)
        if not locked and not untouched:
            continue
        same = theirs and row is not None and row.digest == digests[ident]
        if not same and (digests[ident] or mine):
            found.append(ident)
    return found


def _keep(session: Session, source: str, ident: int, digest: str, ready: files.Prepared | None) -> None:
    if ready is None:
        files.forget(session, photo_ref(ident))
        session.execute(delete(PhotoFrom).where(PhotoFrom.person_id == ident))
        return
    kept = files.keep(session, ident, ready, NAME)
    files.attach(session, ident, [kept.key], photo_ref(ident), alts={})
    values = {"source": source, "digest": digest, "file_key": kept.key, "at": utcnow()}
    made = dialect_insert(session, PhotoFrom).values(person_id=ident, **values)
    session.execute(made.on_conflict_do_update(index_elements=["person_id"], set_=values))
