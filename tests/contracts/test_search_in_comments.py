"""Comments as the search plugin finds them: on pages of the intranet, by whom they are shown to, in every state."""

from __future__ import annotations

import pytest

rse_comments = pytest.importorskip("rse_comments")
rse_search = pytest.importorskip("rse_search")

from rse_comments import service as comments  # noqa: E402
from rse_core.api import Level, ObjectRef  # noqa: E402
from rse_core.testing.organisation import make_person, set_level  # noqa: E402
from rse_search import service as search  # noqa: E402
from rse_search.asking import Asked  # noqa: E402

PAGE = ObjectRef("page", "/news/1")


@pytest.fixture
def rse_plugins():
    return [rse_comments.plugin, rse_search.plugin]


def found(core, person, text):
    with core.db.read() as session:
        results = search.search(session, person.id, Asked(text))
        return [str(one.ref) for one in results.hits], results.count


def test_a_comment_is_found_until_it_is_deleted_by_those_whom_it_is_shown_to(core):
    set_level(core, "comment")
    anna, reader = make_person(core, "anna"), make_person(core, "reader", level=Level.REACT)
    with core.db.write() as session:
        comment = comments.write(session, anna.id, PAGE, "Le **potager** est ouvert")
    core.jobs.run_due()
    ref = f"comments.comment:{comment.id}"
    assert found(core, anna, "potager") == ([ref], 1)
    # Below the level at which threads are shown, their words are not found either.
    assert found(core, reader, "potager") == ([], 0)
    with core.db.write() as session:
        comments.edit(session, anna.id, comment.id, "Le jardin est ouvert", version=1)
    core.jobs.run_due()
    assert found(core, anna, "jardin") == ([ref], 1)
    assert found(core, anna, "potager") == ([], 0)
    with core.db.write() as session:
        comments.delete(session, anna.id, comment.id)
    assert found(core, anna, "jardin")[0] == []
    core.jobs.run_due()
    assert found(core, anna, "jardin") == ([], 0)


def test_a_comment_leads_to_where_it_stands(core):
    set_level(core, "comment")
    anna = make_person(core, "anna")
    with core.db.write() as session:
        comment = comments.write(session, anna.id, PAGE, "Le potager est ouvert")
    core.jobs.run_due()
    with core.db.read() as session:
        hit = search.search(session, anna.id, Asked("potager", author="anna")).hits[0]
    assert hit.url == f"/news/1#rse-comment-{comment.id}"
    assert hit.kind_label in ("Comment", "Commentaire")
