"""What every plugin must keep, and its settings."""

from __future__ import annotations

import pytest

from rse_core.api import BadInput
from rse_core.testing import assert_plugin_contract
from rse_indicators import plugin
from rse_indicators.plugin import NEXT_STEPS


def test_it_keeps_the_contract():
    assert_plugin_contract(plugin)


BAD = ({}, [1], [{"label": "x"}], [{"label": "", "url": "/x"}], [{"label": "x", "url": "javascript:1"}])


@pytest.mark.parametrize("value", BAD)
def test_a_next_step_that_cannot_be_opened_is_refused(value):
    setting = next(one for one in plugin.rse_settings_forms() if one.key == NEXT_STEPS)
    with pytest.raises(BadInput):
        setting.parse(value)


def test_next_steps_are_shown_to_managers(site, look):
    from rse_core.api import Actor

    with site.core.db.write() as session:
        steps = [{"label": "The webinar of May", "url": "https://intranet.example/webinar"}]
        site.core.options.set(session, NEXT_STEPS, steps, Actor("test"))
    html = look(site.manager, "/rse/indicators/mine/").get_data(as_text=True)
    assert '<a href="https://intranet.example/webinar">The webinar of May</a>' in html
