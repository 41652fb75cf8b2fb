"""An identity provider and a site that signs in there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from rse_core.api import Core
from rse_core.extension import create_app
from rse_core.testing import make_person, require_part

pytest.importorskip("saml2", reason="the extra saml is not installed here")

sys.path.insert(0, str(Path(__file__).parent))
from saml_on_loopback import SIGN_IN, SIGN_OUT, Provider, make_pair
from saml_walk import Probe, Site, table

from rse_sso.plugin import Sso


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_part("xmlsec1")
    return tmp_path_factory.mktemp("saml")


@pytest.fixture(scope="session")
def keys(folder: Path) -> tuple[str, str]:
    """The site's own pair."""
    return make_pair(folder, "rse")


@pytest.fixture(scope="session")
def stranger(folder: Path) -> tuple[str, str]:
    """A pair that nobody trusts."""
    return make_pair(folder, "stranger")


@pytest.fixture(scope="session")
def _provider(folder: Path) -> Provider:
    return Provider(folder)


@pytest.fixture
def provider(_provider: Provider) -> Provider:
    _provider.sign_in, _provider.sign_out = SIGN_IN, SIGN_OUT
    _provider.write_metadata()
    return _provider


@pytest.fixture
def site(rse_core: Any, provider: Provider, keys: tuple[str, str]) -> Site:
    def make(**changes: Any) -> tuple[Core, FlaskClient]:
        section = {"sources": ["saml"], "saml": table(provider, keys, **changes)}
        core = rse_core([Sso(), Probe()], identity=False, sections={"sso": section})
        make_person(core, "hdupont", name="Hélène Dupont")
        make_person(core, "amartin", name="Alice Martin")
        app = create_app(core)
        app.testing = True
        client = app.test_client()
        provider.meet(client.get("/rse/saml/metadata").text)
        return core, client

    return make
