"""A provider on loopback and a site that signs in there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from rse_core.api import Core
from rse_core.extension import create_app
from rse_core.testing import make_person
from rse_sso.plugin import Sso

sys.path.insert(0, str(Path(__file__).parent))
from oidc_on_loopback import Provider
from oidc_walk import Probe, Site, table


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def site(rse_core: Any, provider: Provider) -> Site:
    def make(**changes: Any) -> tuple[Core, FlaskClient]:
        section = {"sources": ["oidc"], "oidc": table(provider, **changes)}
        core = rse_core([Sso(), Probe()], identity=False, sections={"sso": section})
        make_person(core, "hdupont", name="Hélène Dupont")
        make_person(core, "amartin", name="Alice Martin")
        app = create_app(core)
        app.testing = True
        return core, app.test_client()

    return make
