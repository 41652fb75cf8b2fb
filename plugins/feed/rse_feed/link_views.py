"""The preview of a link, for the form and for programs: made only when its author asks for it."""

from __future__ import annotations

from rse_core.webapi import session_read, session_write

from . import links


def link_of(person_id: int, url: str) -> dict[str, str]:
    """What is told of an address: from what is known of the intranet's own pages, else fetched where the site allows it.

    :raises BadInput: for an address of which no preview is made.
    """
    url = url.strip()[:2_000]
    with session_read() as session:
        found = links.known(session, person_id, url)
    if found is not None:
        return found
    with session_write() as session:
        links.may_fetch(session, person_id)
    # No session is held while another machine makes up its mind.
    return links.outside(url)
