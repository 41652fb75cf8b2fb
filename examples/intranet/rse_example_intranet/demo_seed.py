"""What the demo's database holds at first: the people, the cursor, who runs the site, and some talk.

Everything goes through the same services as on a real site, so that a seed that the rules would refuse fails.
"""

from __future__ import annotations

import csv
import datetime as dt
from importlib.resources import as_file, files
from random import Random

from sqlalchemy.orm import Session

from rse_comments import service as comments
from rse_core import importer, legacy, levelsets, people, roles
from rse_core.api import Actor, Level, ObjectRef, RseError, can, utcnow
from rse_core.pages import PageClaim
from rse_core.runtime import Core
from rse_example_intranet import demo_rollout
from rse_example_intranet.content import Page, load_pages
from rse_likes import service as likes

ACTOR = Actor("demo")
#: The cursor was first moved this long ago, and moves again after this long.
OPENED, COMING = dt.timedelta(days=34), dt.timedelta(days=30)
#: Two entities of the pilot have asked for another level than that of its wave, somewhat later.
ASKED = dt.timedelta(days=32)

#: scope, identifier, level, when (from now), why; what is not opened by the waves of :mod:`.demo_rollout`. The site itself
#: stays at INFORM.
LEVELS = (
    ("site", "", Level.INFORM, -OPENED, "Rien ne change sans décision d’une entité."),
    ("entity", "SIEGE", Level.CONTRIBUTE, -OPENED, "Le siège ouvre la marche."),
    ("entity", "SIEGE-COM", Level.COCREATE, -OPENED, "La communication ouvre et accompagne les communautés."),
    ("entity", "SIEGE-RH", Level.COLLABORATE, -OPENED, "Les ressources humaines travaillent en communautés."),
    ("entity", "COTE-BLANCHE", Level.REACT, -ASKED, "D’abord les réactions, bilan au printemps."),
    ("entity", "VAL-ARGENT", Level.CONTRIBUTE, -ASKED, "Souhait de la caisse."),
)
CEILING = ("VAL-ARGENT", Level.COMMENT, "Plafond demandé par les représentants du personnel jusqu’au bilan.")
CAP = ("/organisation", Level.REACT, "Pages de référence : réactions seulement.")


def seed(core: Core) -> None:
    """Fill an empty, migrated database.

    :raises RseError: when the organisation's files are refused, with the line and the reason.
    """
    _import_people(core)
    with core.db.write() as session:
        demo_rollout.open_up(session, core, OPENED, COMING, actor=ACTOR)
        place_cursor(session)
        for username, role in (("solene.kerbrat", "site_admin"), ("naima.elamrani", "moderator")):
            roles.grant(session, people.by_username(session, username).id, role, actor=ACTOR)
    on = {name for name, state in core.plugins.states.items() if state.status == "on"}
    with core.db.write() as session:
        pages = {page.path: _known(core, session, page) for page in load_pages()}
        # A quarantined plugin must not keep the demo from starting; it shows with its reason in the administration.
        if "comments" in on:
            talk(session, pages)
        if "likes" in on:
            react(session, pages)
    social = {"feed", "communities", "comments", "likes"} <= on
    if social:
        from rse_example_intranet import demo_social

        with core.db.write() as session:
            keys = demo_social.make_spaces(session, ACTOR)
        with core.db.write() as session:
            posts = demo_social.post(session, keys)
        with core.db.write() as session:
            demo_social.answer(session, posts, usernames())
            demo_social.pin(session, posts)
    kanban = social and "kanban" in on
    if kanban:
        from rse_example_intranet import demo_boards

        with core.db.write() as session:
            demo_boards.prepare(session, ACTOR, keys)
        with core.db.write() as session:
            demo_boards.make(session, keys, posts)
    if "directory" in on:
        from rse_example_intranet import demo_directory

        with core.db.write() as session:
            demo_directory.prepare(session, ACTOR)
        with core.db.write() as session:
            demo_directory.write_profiles(session, ACTOR)
        with core.db.write() as session:
            demo_directory.confirm(session)
            demo_directory.follow(session)
    if "onboarding" in on:
        from rse_example_intranet import demo_steps

        with core.db.write() as session:
            demo_steps.take(session, OPENED, usernames())
    # Notifications, the entries of what happened and the search are made of events: nobody's first page waits for them.
    core.jobs.run_due()
    demo_rollout.remember(core, OPENED)
    if social:
        with core.db.write() as session:
            demo_social.opened_before(session, OPENED)
    if kanban:
        with core.db.write() as session:
            demo_boards.opened_before(session, OPENED)


def news_source(origin: str) -> dict[str, object]:
    """How RSE reads the intranet's news: as on a real site, in the words of ``rse.toml``."""
    return {
        "name": "actualites",
        "kind": "rss",
        "url": f"{origin}/actualites.rss",
        "label": "Actualités",
        "audience": "everyone",
        "entities": {row["name"]: row["entity_id"] for row in _rows("entities.csv")},
        "first_days": 3650,
    }


def read_news(core: Core) -> None:
    """Read the news once, now; what cannot be read is tried again by the job that does it from then on."""
    if core.plugins.states["content"].status == "on":
        legacy.sync(core, legacy.source_named(core, "actualites"))
        core.jobs.run_due()


def place_cursor(session: Session) -> None:
    """Place the levels that no wave opens, one ceiling and one cap."""
    now = utcnow()
    for scope, key, level, when, why in LEVELS:
        where = levelsets.locate(session, scope, key)
        levelsets.place(session, where, level, actor=ACTOR, starts_at=now + when, why=why)
    entity, level, why = CEILING
    where = levelsets.locate(session, "entity", entity)
    levelsets.place(session, where, level, actor=ACTOR, kind="ceiling", starts_at=now - OPENED, why=why)
    section, level, why = CAP
    where = levelsets.locate(session, "section", section)
    levelsets.place(session, where, level, actor=ACTOR, kind="cap", starts_at=now - OPENED, why=why)


def react(session: Session, pages: dict[str, ObjectRef]) -> None:
    """Let those who may react do so: more on what is new, in the site's own set of reactions."""
    random = Random(2026)  # noqa: S311 - invented reactions, not secrets
    kinds = [kind.key for kind in likes.offered(session)]
    everybody = [people.by_username(session, username).id for username in usernames()]
    newest = sorted(load_pages(), key=lambda page: page.published, reverse=True)
    for rank, page in enumerate(newest):
        for person_id in random.sample(everybody, max(2, 30 - 2 * rank)):
            if can(session, person_id, likes.CAPABILITY, pages[page.path]).allowed:
                likes.react(session, person_id, pages[page.path], random.choices(kinds, _weights(len(kinds)))[0])


def talk(session: Session, pages: dict[str, ObjectRef]) -> None:
    """Let the people of ``talk.csv`` comment and answer, each at a time of their own in the past weeks."""
    now = utcnow()
    top: dict[str, int] = {}
    for place, row in enumerate(_rows("talk.csv")):
        author, page = people.by_username(session, row["username"]).id, row["page"]
        parent = top[page] if row["reply"] else None
        comment = comments.write(session, author, pages[page], row["text"], parent_id=parent)
        comment.created_at = now - dt.timedelta(days=int(row["days_ago"]), minutes=-7 * (place % 40))
        if parent is None:
            top[page] = comment.id
    session.flush()


def usernames() -> list[str]:
    """The demo's people, in the order of their file."""
    return [row["username"] for row in _rows("people.csv")]


def _rows(name: str) -> list[dict[str, str]]:
    source = (files(__package__) / "data" / name).read_text("utf-8")
    return list(csv.DictReader(source.splitlines()))


def _weights(count: int) -> list[float]:
    return [1 / (1 + rank) for rank in range(count)]


def _known(core: Core, session: Session, page: Page) -> ObjectRef:
    claim = PageClaim(page.path, title=page.title, lang=page.lang, trusted=True)
    return core.pages.identify(session, claim, create=True).ref


def _import_people(core: Core) -> None:
    data = files(__package__) / "data"
    with (
        as_file(data / "people.csv") as people_file,
        as_file(data / "entities.csv") as entities,
        as_file(data / "groups.csv") as groups,
        core.db.write() as session,
    ):
        report = importer.run(session, importer.read(people_file, entities, groups), actor=ACTOR)
        if not report.written:
            raise RseError(f"The demo's organisation was refused: {'; '.join(map(str, report.errors))}")
