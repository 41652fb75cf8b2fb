"""REST: topics, confirmations, addresses for programs, acts on posts, reach and previews of links."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.idempotency import once
from rse_core.webapi import (
    Cursor,
    actor,
    core,
    decode_cursor,
    encode_cursor,
    require_person,
    session_read,
    session_write,
)

from . import access, acting, announcements, reach, subscriptions, topics
from .link_views import link_of

topic_api = Blueprint("rse_feed_topics_api", __name__, url_prefix="/feed/topics", description="Topics of posts")
act_api = Blueprint("rse_feed_acts_api", __name__, url_prefix="/feed", description="Acts on posts; who reads them")
subscription_api = Blueprint(
    "rse_feed_subscriptions_api", __name__, url_prefix="/feed/subscriptions", description="Addresses of feeds for programs"
)
blueprints = [topic_api, act_api, subscription_api]


class FeedTopicSchema(ma.Schema):
    id = ma.fields.Integer()
    key = ma.fields.String()
    name = ma.fields.String()
    space = ma.fields.String(attribute="space_key", metadata={"description": "empty: of the whole site"})
    posts = ma.fields.Integer()
    followed = ma.fields.Boolean()


class FeedTopicPageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(FeedTopicSchema))
    next = ma.fields.String(allow_none=True)


class FeedTopicsQuery(ma.Schema):
    cursor = ma.fields.String(load_default="")
    followed = ma.fields.Boolean(load_default=False)
    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 100))


class FeedTopicChangeSchema(ma.Schema):
    name = ma.fields.String(validate=ma.validate.Length(1, 60))
    everywhere = ma.fields.Boolean(metadata={"description": "true: make it a topic of the whole site"})


class FeedTopicMergeSchema(ma.Schema):
    into = ma.fields.Integer(required=True)


class FeedSuggestQuery(ma.Schema):
    q = ma.fields.String(required=True, validate=ma.validate.Length(1, 60))
    space = ma.fields.String(load_default="")


@topic_api.route("")
class FeedTopics(MethodView):
    @topic_api.arguments(FeedTopicsQuery, location="query")
    @topic_api.response(200, FeedTopicPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The topics that one may know of, by name."""
        person = require_person()
        scope = f"feed-topics:{person.id}:{query['followed']}"
        after = decode_cursor(core().settings, query["cursor"], scope).after if query["cursor"] else None
        with session_read() as session:
            rows, more = topics.page(session, person.id, after=after, most=query["limit"], followed=query["followed"])
        return {"items": rows, "next": encode_cursor(core().settings, Cursor(scope, more)) if more else None}


@topic_api.route("/suggest")
class FeedTopicSuggestions(MethodView):
    @topic_api.arguments(FeedSuggestQuery, location="query")
    @topic_api.response(200, FeedTopicSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[topics.Shown]:
        """Topics that begin with what was typed."""
        person = require_person()
        with session_read() as session:
            return topics.suggest(session, person.id, query["q"], space_key=query["space"])


@topic_api.route("/<int:topic_id>")
class FeedTopic(MethodView):
    @topic_api.response(200, FeedTopicSchema)
    def get(self, topic_id: int) -> topics.Shown:
        """One topic."""
        person = require_person()
        with session_read() as session:
            return topics.get(session, person.id, topic_id)

    @topic_api.arguments(FeedTopicChangeSchema)
    @topic_api.response(200, FeedTopicSchema)
    def patch(self, body: dict[str, Any], topic_id: int) -> topics.Shown:
        """Rename it, or make it one of the whole site."""
        person = require_person()
        with session_write() as session:
            found = topics.get(session, person.id, topic_id)
            if "name" in body:
                found = topics.rename(session, actor(), found.id, body["name"])
            if body.get("everywhere"):
                found = topics.make_global(session, actor(), found.id)
            return found


@topic_api.route("/<int:topic_id>/merge")
class FeedTopicMerge(MethodView):
    @topic_api.arguments(FeedTopicMergeSchema)
    @topic_api.response(200, FeedTopicSchema)
    def post(self, body: dict[str, Any], topic_id: int) -> topics.Shown:
        """Make one topic of two."""
        require_person()
        with session_write() as session:
            return topics.merge(session, actor(), topic_id, body["into"])


@topic_api.route("/<int:topic_id>/follow")
class FeedTopicFollow(MethodView):
    @topic_api.response(200, FeedTopicSchema)
    def put(self, topic_id: int) -> topics.Shown:
        """Follow it; twice is once."""
        person = require_person()
        with session_write() as session:
            return topics.follow(session, person.id, topic_id)

    @topic_api.response(204)
    def delete(self, topic_id: int) -> None:
        """Follow it no longer."""
        person = require_person()
        with session_write() as session:
            topics.unfollow(session, person.id, topic_id)


class FeedConfirmedSchema(ma.Schema):
    at = ma.fields.AwareDateTime(format="iso")


class FeedActSchema(ma.Schema):
    reason = ma.fields.String(load_default="", metadata={"description": "needed to hide"})
    until = ma.fields.AwareDateTime(load_default=None, allow_none=True, metadata={"description": "for a pin"})
    audience = ma.fields.String(load_default="", metadata={"description": "where to move it: space:KEY …"})
    version = ma.fields.Integer(load_default=None, allow_none=True)


class FeedActedSchema(ma.Schema):
    state = ma.fields.String()
    version = ma.fields.Integer()


class FeedReachQuery(ma.Schema):
    audience = ma.fields.String(required=True, metadata={"description": "everyone, entity:KEY, group:KEY, space:KEY …"})


class FeedFigureSchema(ma.Schema):
    label = ma.fields.String()
    number = ma.fields.Integer(allow_none=True, metadata={"description": "null: fewer than ten"})
    text = ma.fields.String()


class FeedReachSchema(ma.Schema):
    people = ma.fields.Nested(FeedFigureSchema)
    able = ma.fields.List(ma.fields.Nested(FeedFigureSchema))
    levels = ma.fields.List(ma.fields.Nested(FeedFigureSchema))


class FeedLinkQuery(ma.Schema):
    url = ma.fields.String(required=True, validate=ma.validate.Length(1, 2000))


@act_api.route("/posts/<int:post_id>/acknowledgement")
class FeedAcknowledgement(MethodView):
    @act_api.response(200, FeedConfirmedSchema)
    def put(self, post_id: int) -> dict[str, Any]:
        """Confirm having read an announcement; twice is once."""
        person = require_person()
        with session_write() as session:
            return {"at": announcements.acknowledge(session, person.id, post_id)}


@act_api.route("/posts/<int:post_id>/<any(pin, unpin, hide, show, archive, unarchive, lock, unlock, move):act>")
class FeedAct(MethodView):
    @act_api.arguments(FeedActSchema)
    @act_api.response(200, FeedActedSchema)
    def post(self, body: dict[str, Any], post_id: int, act: str) -> Any:
        """Do this to a post."""
        require_person()
        with session_write() as session:
            if act == "pin":
                acting.pin(session, actor(), post_id, until=body["until"])
            elif act == "hide":
                acting.hide(session, actor(), post_id, body["reason"])
            elif act == "move":
                acting.move(session, actor(), post_id, body["audience"], version=body["version"])
            else:
                acting.SIMPLE[act](session, actor(), post_id)
            post = access.get(session, post_id)
            return {"state": post.state, "version": post.version}


@act_api.route("/reach")
class FeedReach(MethodView):
    @act_api.arguments(FeedReachQuery, location="query")
    @act_api.response(200, FeedReachSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The real reach of an audience in which one may post."""
        person = require_person()
        with session_read() as session:
            return reach.told(reach.of_choice(session, person.id, query["audience"]))


@act_api.route("/link")
class FeedLink(MethodView):
    @act_api.arguments(FeedLinkQuery)
    @act_api.response(200)
    def post(self, body: dict[str, Any]) -> dict[str, str]:
        """The preview of an address; it is fetched only by this call."""
        person = require_person()
        return link_of(person.id, body["url"])


class FeedSubscriptionSchema(ma.Schema):
    id = ma.fields.Integer(attribute="row.id")
    name = ma.fields.String(attribute="row.name")
    space = ma.fields.String()
    open = ma.fields.Boolean()
    last_used_on = ma.fields.Date(attribute="row.last_used_on", allow_none=True)


class FeedSubscriptionWriteSchema(ma.Schema):
    name = ma.fields.String(required=True)
    space = ma.fields.String(load_default="")


class FeedSubscriptionMadeSchema(ma.Schema):
    id = ma.fields.Integer()
    token = ma.fields.String(metadata={"description": "given once; empty for a repeated call"})


@subscription_api.route("")
class FeedSubscriptions(MethodView):
    @subscription_api.response(200, FeedSubscriptionSchema(many=True))
    def get(self) -> list[subscriptions.Owned]:
        """One's addresses in use."""
        person = require_person()
        with session_read() as session:
            return subscriptions.of_person(session, person.id)

    @subscription_api.arguments(FeedSubscriptionWriteSchema)
    @subscription_api.response(201, FeedSubscriptionMadeSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make one. With the header Idempotency-Key a repeated call makes none, and is not told the token again."""
        person = require_person()
        made: list[str] = []

        with session_write() as session:

            def create() -> str:
                row, token = subscriptions.create(session, actor(), body["name"], space_key=body["space"])
                made.append(token)
                return str(row.id)

            key = request.headers.get("Idempotency-Key")
            ident, _new = once(session, person.id, key, "feed.subscription", f"{body['name']}\n{body['space']}", create)
        return {"id": int(ident), "token": made[0] if made else ""}


@subscription_api.route("/<int:subscription_id>")
class FeedSubscription(MethodView):
    @subscription_api.response(204)
    def delete(self, subscription_id: int) -> None:
        """It gives nothing from now on."""
        require_person()
        with session_write() as session:
            subscriptions.revoke(session, actor(), subscription_id)
