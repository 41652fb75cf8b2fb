"""What people are told of this plugin when it opens to them."""

from __future__ import annotations

from rse_core.api import TourStep, translator

_t = translator(__file__, "rse_communities")
_, lazy = _t.gettext, _t.lazy


def steps() -> list[TourStep]:
    """Steps of the tour."""
    return [
        TourStep(
            "communities.see", "communities.see", lazy("See which communities there are"),
            lazy("Communities bring together people of one trade, project or team, across entities."),
            endpoint="rse_communities.directory", selector=".rse-space-list", order=40,
        ),
        TourStep(
            "communities.join", "communities.join", lazy("Join a community"),
            lazy("Join at once where a community is open, or ask to. You choose of what you are told."),
            endpoint="rse_communities.directory", selector=".rse-space-list", order=10,
        ),
        TourStep(
            "communities.create", "communities.create", lazy("Open a community"),
            lazy("Say what it is for and who runs it; a form leads you there. It opens once that is complete."),
            endpoint="rse_communities.directory", selector=".rse-space-top .rse-actions", order=10,
        ),
    ]  # fmt: skip
