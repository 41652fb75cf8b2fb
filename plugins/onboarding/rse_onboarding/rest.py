"""REST: where I stand, tutorials, the site's own for its administrators, figures for those who accompany."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.api import Level, NotFound, require, translator
from rse_core.webapi import actor, require_person, session_read, session_write

from . import accompanying, editing, openings, schemas, standing, tutorials
from .editing import Draft
from .standing import TOUR

_ = translator(__file__, "rse_onboarding").gettext
blueprint = Blueprint(
    "rse_onboarding_api", __name__, url_prefix="/onboarding", description="What a level opens, and help with it"
)


@blueprint.route("")
class Onboarding(MethodView):
    @blueprint.response(200, schemas.OnboardingSchema)
    def get(self) -> dict[str, Any]:
        """My level, the one that I was last shown, and what is open to me."""
        return _mine(require_person().id)

    @blueprint.arguments(schemas.OnboardingShownSchema)
    @blueprint.response(200, schemas.OnboardingSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """I was shown what has opened or closed, or closed the tour at a step. Sending it again changes nothing."""
        person = require_person()
        with session_write() as session:
            require(session, person.id, TOUR)
            if body["act"] == "keep":
                standing.keep_place(session, person.id, body["step"])
            else:
                standing.acknowledge(session, person.id, step=body["step"] if body["act"] == "later" else "")
        return _mine(person.id)


@blueprint.route("/tutorials")
class Tutorials(MethodView):
    @blueprint.response(200, schemas.TutorialListedSchema(many=True))
    def get(self) -> list[tutorials.Page]:
        """Those open to me, by level, in my language; some hundreds at most."""
        person = require_person()
        with session_read() as session:
            require(session, person.id, TOUR)
            return tutorials.listed(session, person.id)

    @blueprint.arguments(schemas.TutorialDraftSchema)
    @blueprint.response(201, schemas.TutorialSchema)
    def post(self, body: dict[str, Any]) -> tutorials.Page:
        """Write one of the site's own; for its administrators."""
        require_person()
        with session_write() as session:
            return editing.add(session, actor(), Draft(**body))


@blueprint.route("/tutorials/<string:key>")
class Tutorial(MethodView):
    @blueprint.response(200, schemas.TutorialSchema)
    def get(self, key: str) -> tutorials.Page:
        """One of them, in Markdown."""
        person = require_person()
        with session_read() as session:
            return tutorials.one(session, person.id, key)

    @blueprint.arguments(schemas.TutorialChangeSchema)
    @blueprint.response(200, schemas.TutorialSchema)
    def put(self, body: dict[str, Any], key: str) -> tutorials.Page:
        """Change one of the site's own; 409 when it was changed since that version."""
        require_person()
        version = body.pop("version")
        with session_write() as session:
            return editing.change(session, actor(), _number(key), Draft(**body), version=version)

    @blueprint.response(204)
    def delete(self, key: str) -> None:
        """Delete one of the site's own."""
        require_person()
        with session_write() as session:
            editing.remove(session, actor(), _number(key))


@blueprint.route("/tutorials/<string:key>/note")
class TutorialNote(MethodView):
    @blueprint.arguments(schemas.TutorialNoteSchema)
    @blueprint.response(200, schemas.TutorialSchema)
    def put(self, body: dict[str, Any], key: str) -> tutorials.Page:
        """Note that I have done it, and whether it was useful. Sending it again changes nothing."""
        person = require_person()
        with session_write() as session:
            return tutorials.note(session, person.id, key, done=body["done"], useful=body["useful"])


@blueprint.route("/wave")
class Wave(MethodView):
    @blueprint.response(200, schemas.OnboardingWaveSchema)
    def get(self) -> dict[str, Any]:
        """For ambassadors and managers: figures of their people, never a list of them."""
        person = require_person()
        with session_read() as session:
            found = accompanying.progress(session, person.id)
        # The rates of the wave are worked out, and no field of it.
        return asdict(found) | {"wave": found.wave}


def _mine(person_id: int) -> dict[str, Any]:
    with session_read() as session:
        where = standing.of(session, person_id)
        steps = openings.steps(session, person_id, where.since, where.level) if where.level > Level.INFORM else []
        return {
            "level": int(where.level), "shown": int(where.shown), "step": where.step,
            "state": "opened" if where.opened else "closed" if where.closed else "same",
            "steps": steps, "capabilities": openings.all_of(session, person_id),
        }  # fmt: skip


def _number(key: str) -> int:
    found = tutorials.site_id(key)
    if found is None:
        raise NotFound(_("The site has no such tutorial of its own."))
    return found
