"""What people are told of this plugin when it opens to them."""

from __future__ import annotations

from rse_core.api import Level, TourStep, translator

_t = translator(__file__, "rse_notifications")
_, lazy = _t.gettext, _t.lazy


def steps() -> list[TourStep]:
    """Steps of the tour."""
    return [
        TourStep(
            "notifications.bell", "", lazy("Be told of what concerns you"),
            lazy("Answers to you, your name in a comment, announcements: in the page, by mail or in a digest, "
                 "as you choose."),
            endpoint="rse_notifications.preferences", order=60, level=Level.REACT,
        ),
    ]  # fmt: skip
