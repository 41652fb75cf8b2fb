"""For site administrators: spaces without an owner, quiet ones, and looking into a private one with a reason."""

from __future__ import annotations

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import option
from rse_core.webapi import session_read, session_write

from .. import access, entering, figures, framing, succession
from .base import KEPT, Refused, _, blueprint, done, me, plain, refused


@blueprint.route("/-/administration", methods=["GET", "POST"])
def administration() -> BaseResponse:
    """The page, and its two forms."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            with session_write() as session:
                if request.form.get("act") == "enter":
                    space = entering.enter(session, person_id, _key(), request.form.get("reason", ""))
                    return done(".space", _("You see this space for an hour; those who run it are told."), space=space.key)
                card = succession.assign(session, person_id, _key(), request.form.get("person", ""))
            return done(".administration", _("%(name)s owns the space now.", name=card.display_name))
        except KEPT as error:
            no = refused(error, request.form.get("act", ""))
    with session_read() as session:
        access.require_site_admin(session, person_id)
        last = {name: request.args.get(name, "") for name in ("orphans", "quiet", "sheets")}
        after = {name: int(value) if value.isdecimal() and len(value) < 19 else 0 for name, value in last.items()}
        orphans = succession.orphans(session, person_id, after=after["orphans"])
        quiet = figures.quiet(session, person_id, after=after["quiet"])
        sheets = framing.unfinished(session, person_id, after=after["sheets"])
        return plain(
            "administration", no=no, orphans=orphans, quiet=quiet, months=option(session, "communities.quiet_months"),
            active=figures.active(session), full=50, sheets=sheets, labels=framing.LABELS,
        )  # fmt: skip


@blueprint.get("/-/administration/quiet.csv")
def quiet_csv() -> Response:
    """All quiet spaces, as CSV."""
    import csv
    import io

    person_id = me()
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["key", "name", "members", "since"])
    with session_read() as session:
        after = 0
        while True:
            found = figures.quiet(session, person_id, after=after, most=1_000)
            for one in found:
                name = f"'{one.name}" if one.name[:1] in "=+-@\t" else one.name
                table.writerow([one.key, name, one.members, one.since.date().isoformat()])
            if len(found) < 1_000:
                break
            after = found[-1].id
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="quiet-communities.csv"'
    return answer


def _key() -> str:
    # An address may be pasted as it is.
    return request.form.get("space", "").strip().rstrip("/").rpartition("/")[2]
