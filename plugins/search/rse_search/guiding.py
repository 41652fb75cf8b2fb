"""What people are told of this plugin when it opens to them."""

from __future__ import annotations

from rse_core.api import TourStep, translator

_t = translator(__file__, "rse_search")
_, lazy = _t.gettext, _t.lazy


def steps() -> list[TourStep]:
    """Steps of the tour."""
    return [
        TourStep(
            "search.use", "search.use", lazy("Search in everything that you may see"),
            lazy("Posts, comments, people, communities and pages, as you type them: accents and small errors "
                 "do not matter."),
            endpoint="rse_search.page", selector="form[role=search]", order=50,
        ),
    ]  # fmt: skip
