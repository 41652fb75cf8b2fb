"""What people are told of this plugin when it opens to them."""

from __future__ import annotations

from rse_core.api import TourStep, translator

_t = translator(__file__, "rse_directory")
_, lazy = _t.gettext, _t.lazy


def steps() -> list[TourStep]:
    """Steps of the tour."""
    return [
        TourStep(
            "directory.endorse", "directory.endorse", lazy("Find who knows"),
            lazy("The directory finds people by name, trade, place and expertise. On a colleague's page you can confirm "
                 "what they know."),
            endpoint="rse_directory.page", selector="form[role=search]", order=30,
        ),
        TourStep(
            "directory.ask", "directory.ask", lazy("Ask somebody for their expertise"),
            lazy("On the page of somebody who knows a subject you can ask them a question; they are told of it."),
            endpoint="rse_directory.page", order=30,
        ),
    ]  # fmt: skip
