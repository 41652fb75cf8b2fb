"""REST: the feed by cursor, what is new; posts written (once for an idempotency key), read, edited by version, deleted."""

from __future__ import annotations

from dataclasses import fields as fields_of
from types import SimpleNamespace
from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from rse_core import spaces
from rse_core.api import BadInput, NotFound, translator
from rse_core.people import card
from rse_core.webapi import require_person, session_read, session_write

from . import access, drafting, publishing, reading, schemas, whom
from .models import Post
from .reading import Wanted
from .texts import Written
from .views import list_values, new_label, reads_in, require_reading, since_of

_ = translator(__file__, "rse_feed").gettext
blueprint = Blueprint("rse_feed_api", __name__, url_prefix="/feed", description="Posts, and the feed of a person or a space")


@blueprint.route("")
class Feed(MethodView):
    @blueprint.arguments(schemas.FeedQuery, location="query")
    @blueprint.response(200, schemas.FeedPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """A page of the personal feed, or of a space's."""
        person = require_person()
        with session_read() as session:
            require_reading(session, person.id)
            space_id = _space(session, person.id, query["space"]) if query["space"] else None
            sort = reading.sort_of(session, person.id, query["sort"])
            wanted = reading.wanted_of(session, person.id, sort=sort, space_id=space_id, kind=query["kind"])
            found = list_values(session, person.id, wanted, after=query["cursor"], most=query["limit"], slots=False)
        return {
            "items": found["lines"], "pinned": found["pinned"], "next": found["more"] or None, "since": found["since"],
            "sort": sort,
        }  # fmt: skip


@blueprint.route("/new")
class New(MethodView):
    @blueprint.arguments(schemas.FeedNewQuery, location="query")
    @blueprint.response(200, schemas.FeedNewSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """How many posts of others came since a page of the feed was read."""
        person = require_person()
        with session_read() as session:
            since, space_id, kind = since_of(query["since"], person.id)
            count = reading.news(session, person.id, since, wanted=Wanted(space_id=space_id, kind=kind))
        return {"count": count, "label": new_label(count)}


@blueprint.route("/posts")
class Posts(MethodView):
    @blueprint.arguments(schemas.FeedPostWriteSchema)
    @blueprint.response(201, schemas.FeedPostSchema)
    def post(self, body: dict[str, Any]) -> Any:
        """Write a post: publish it, plan it or keep it as a draft. With the header Idempotency-Key a repeated call writes
        once.
        """
        person = require_person()
        with session_write() as session:
            kept = drafting.write(session, person.id, _written(body), key=request.headers.get("Idempotency-Key"))
            return tagged(session, person.id, kept.post, kept.said)


@blueprint.route("/posts/<int:post_id>")
class OnePost(MethodView):
    @blueprint.response(200, schemas.FeedPostSchema)
    def get(self, post_id: int) -> Any:
        """One post; its version is the ETag."""
        person = require_person()
        with session_read() as session:
            return tagged(session, person.id, access.readable(session, person.id, post_id))

    @blueprint.arguments(schemas.FeedPostEditSchema(partial=True))
    @blueprint.response(200, schemas.FeedPostSchema)
    def patch(self, body: dict[str, Any], post_id: int) -> Any:
        """Change one's own post; what is left out stays. The version that was read comes in the body or in If-Match; another
        one in the database answers 409.
        """
        person = require_person()
        version = body.pop("version", None) or matched()
        if version is None:
            raise BadInput(
                _("The version that you read is missing."), remedy=_("Send it as version, or as the header If-Match."),
                fields={"version": _("Missing.")},
            )  # fmt: skip
        with session_write() as session:
            post = access.readable(session, person.id, post_id)
            kept = drafting.edit(session, person.id, post_id, _changed(post, body), version=version)
            return tagged(session, person.id, kept.post, kept.said)

    @blueprint.arguments(schemas.FeedDeleteQuery, location="query")
    @blueprint.response(204)
    def delete(self, query: dict[str, Any], post_id: int) -> None:
        """Delete one's own post, or another's as a moderator with a reason."""
        person = require_person()
        with session_write() as session:
            publishing.delete(session, person.id, post_id, reason=query["reason"], version=matched())


def _space(session: Session, person_id: int, key: str) -> int:
    space = spaces.by_key(session, key)
    if space is None or not reads_in(session, person_id, space):
        raise NotFound(_("There is no such space."))
    return space.id


def _written(body: dict[str, Any]) -> Written:
    known = {field.name for field in fields_of(Written)}
    values = {name: value for name, value in body.items() if name in known}
    for name in ("files", "topics"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    return Written(**values)


def _changed(post: Post, body: dict[str, Any]) -> Written:
    """The post with what is to be changed."""
    stands: dict[str, Any] = {
        "body": post.body, "title": post.title, "announcement": post.announcement, "must_read": post.must_read,
        "firm": post.firm, "acknowledge_by": post.acknowledge_by,
    }  # fmt: skip
    if "act" not in body and post.state in ("draft", "scheduled"):
        # What is not published stays so unless it is said.
        stands["act"] = "draft" if post.state == "draft" else "schedule"
        if post.state == "scheduled" and post.publish_at is not None:
            stands |= {"publish_at": post.publish_at.isoformat(), "publish_zone": post.publish_zone}
    sent = dict(body)
    if "link" in sent and sent["link"] is None:
        sent["link"] = {}
    return _written(stands | sent)


def tagged(session: Session, person_id: int, post: Post, said: str = "") -> tuple[SimpleNamespace, dict[str, str]]:
    """The post with its version as ETag."""
    line = reading.one(session, person_id, post.id)
    shown = {field.name: getattr(line, field.name) for field in fields_of(line)}
    shown |= {
        "who": line.who, "body": post.body if line.rights.mine else "", "publish_at": post.publish_at,
        "publish_zone": post.publish_zone, "reason": post.reason if line.rights.mine else "", "said": said,
        "audience": whom.key_of(session, post.audience_id, post.space_id),
        "keeper": None if post.owner_id is None else card(session, post.owner_id),
    }  # fmt: skip
    return SimpleNamespace(**shown), {"ETag": f'"{post.version}"'}


def matched() -> int | None:
    """The version in the header ``If-Match``; None when there is none.

    :raises BadInput: for a header that is no version of ours.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return None
    number = header.removeprefix("W/").strip('"')
    if not number.isdecimal() or len(number) > 9:
        raise BadInput(_("If-Match is not a version of a post."), remedy=_("Send the ETag that came with it."))
    return int(number)
