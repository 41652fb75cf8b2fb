"""The plugin alone on the core, and posts as rows, for tests that are not about writing them."""

from __future__ import annotations

import pytest

from rse_core import audiences
from rse_core.api import utcnow
from rse_core.testing.organisation import make_person, set_level
from rse_feed import plugin
from rse_feed.models import Entry, Post


def post(core, author, *, audience_id=None, space_id=None, state="published", body="Bonjour", **values):
    """A post and, when it is published, its entry; for everyone, or for the space's own audience, unless one is given."""
    with core.db.write() as session:
        if audience_id is None:
            audience_id = audiences.of_space(session, space_id) if space_id else audiences.everyone(session)
        now = utcnow()
        shown = state == "published"
        row = Post(
            author_id=author.id, audience_id=audience_id, space_id=space_id, state=state, body=body,
            **{"published_at": now if state in ("published", "hidden", "archived") else None, **values},
        )  # fmt: skip
        session.add(row)
        session.flush()
        if row.published_at is not None:
            session.add(
                Entry(
                    ref_type="feed.post", ref_id=str(row.id), event="feed.published", actor_id=author.id,
                    audience_id=audience_id if shown else None, space_id=space_id, title=row.title,
                    created_at=row.published_at, last_activity=row.published_at,
                )
            )  # fmt: skip
        session.flush()
        session.expunge(row)
    return row


@pytest.fixture
def rse_plugins():
    return [plugin]


@pytest.fixture
def site(core):
    """A core whose site stands at CONTRIBUTE."""
    set_level(core, "contribute")
    return core


@pytest.fixture
def anna(site):
    return make_person(site, "anna", name="Anna Sérès")


@pytest.fixture
def ben(site):
    return make_person(site, "ben", name="Benoît Œuvrard")


@pytest.fixture
def make_post(core):
    """``make_post(author, …)``: see :func:`post`."""
    return lambda author, **values: post(core, author, **values)
