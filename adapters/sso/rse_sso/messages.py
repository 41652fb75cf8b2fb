"""What a person reads when a sign-in is refused: what happened, and the one thing to do."""

from __future__ import annotations

from rse_core.api import IdentityRefused, LazyText

from .i18n import lazy
from .reasons import Family, Reason, SsoRefused

_SENTENCES: dict[Family, tuple[LazyText, LazyText]] = {
    Family.EXPIRED: (
        lazy("This sign-in link is out of date."),
        lazy("It works for a short while only. Go back to the intranet and follow the link again."),
    ),
    Family.USED: (
        lazy("This sign-in link has already been used."),
        lazy("Each link works once. Go back to the intranet and follow the link again."),
    ),
    Family.UNVERIFIED: (
        lazy("Your sign-in could not be verified."),
        lazy("Go back to the intranet and try again. If this page comes back, tell the team that runs the intranet."),
    ),
    Family.MISCONFIGURED: (
        lazy("The sign-in of this site is not set up correctly."),
        lazy("You have done nothing wrong. Tell the team that runs the intranet what this page says."),
    ),
    Family.UNKNOWN: (
        lazy("The intranet knows you, but this service does not know your account."),
        lazy("Ask the team that runs the intranet to add you to the directory."),
    ),
    Family.DISABLED: (
        lazy("Your account on this service is switched off."),
        lazy("If you think that this is a mistake, ask the team that runs the intranet."),
    ),
    Family.CANCELLED: (
        lazy("The sign-in was cancelled, or you were not allowed in."),
        lazy("Start again from the page you wanted to see. If you are not allowed in, ask the team that runs the intranet."),
    ),
    Family.ATTEMPT: (
        lazy("This sign-in took too long, or was not begun in this browser."),
        lazy("Start again from the page you wanted to see. If this page comes back, allow cookies for this site."),
    ),
    Family.UNAVAILABLE: (
        lazy("You cannot be signed in at the moment."),
        lazy("Nothing is lost. Try again in a few minutes."),
    ),
}

_STATUS = {Family.MISCONFIGURED: 500, Family.UNAVAILABLE: 503}


def sentence(reason: Reason) -> tuple[str, str]:
    """What happened and what to do, in the language of the moment."""
    what, remedy = _SENTENCES[reason.family]
    return str(what), str(remedy)


def as_page(refusal: SsoRefused, *, posted: bool = False) -> IdentityRefused:
    """The refusal as the core shows it: a page, or problem+json for a call.

    :param posted: the form that was sent is a token or a message of a provider, no text of the person's to give back.
    """
    what, remedy = _SENTENCES[refusal.reason.family]
    error = IdentityRefused(what, code=refusal.reason.value, remedy=str(remedy))
    # Who asks is found out before the reader's language is known: these two must be resolved when shown.
    error.message, error.remedy = what, remedy  # type: ignore[assignment]
    error.status = _STATUS.get(refusal.reason.family, 403)
    error.shows_what_was_sent = not posted
    return error
