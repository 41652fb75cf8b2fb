"""All the plugins that show people things, together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import rse_comments
import rse_communities
import rse_directory
import rse_feed
import rse_governance
import rse_indicators
import rse_kanban
import rse_likes
import rse_notifications
import rse_onboarding
import rse_search


@pytest.fixture
def rse_plugins() -> Sequence[object]:
    modules = (
        rse_feed, rse_search, rse_notifications, rse_comments, rse_likes, rse_communities, rse_governance, rse_kanban,
        rse_directory, rse_indicators, rse_onboarding,
    )  # fmt: skip
    return [module.plugin for module in modules]
