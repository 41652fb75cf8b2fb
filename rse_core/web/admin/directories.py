"""Synchronisations with directories: what each found and did."""

from __future__ import annotations

from flask import render_template, request

from ... import directory
from ...rest.cursors import Cursor, decode_cursor, encode_cursor
from ..state import core, session_read
from .base import blueprint, site_only

PAGE = 30
SCOPE = "directory-runs"


@blueprint.get("/directories/")
def directories() -> str:
    """The directories that are connected, and the latest runs."""
    site_only()
    text = request.args.get("after", "")
    before = int(decode_cursor(core().settings, text, SCOPE).after[0]) if text else None
    with session_read() as session:
        found = directory.runs(session, before=before, most=PAGE + 1)
        sources = [
            (source, directory.last_done(session, name))
            for name, source in sorted(core().plugins.directory_sources().items())
        ]
    more = encode_cursor(core().settings, Cursor(SCOPE, (found[PAGE - 1].id,))) if len(found) > PAGE else ""
    return render_template("rse/admin/directories.html", sources=sources, runs=found[:PAGE], more=more)
