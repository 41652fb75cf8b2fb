"""A photo on its way from a real OpenLDAP into the profile of a person, by the plugins as they are."""

from __future__ import annotations

import importlib.util
import io
import sys
from pathlib import Path

import pytest
from PIL import Image

rse_directory = pytest.importorskip("rse_directory")
rse_ldap = pytest.importorskip("rse_ldap")

from rse_core import directory  # noqa: E402
from rse_core.api import Actor  # noqa: E402
from rse_core.extension import create_app  # noqa: E402
from rse_core.testing import as_person  # noqa: E402
from rse_core.testing.databases import missing_part  # noqa: E402
from rse_core.testing.organisation import make_person  # noqa: E402
from rse_ldap.config import LdapSchema, parse  # noqa: E402
from rse_ldap.plugin import Ldap  # noqa: E402

PATH = Path(__file__).parents[2] / "adapters" / "ldap" / "tests" / "slapd.py"
spec = importlib.util.spec_from_file_location("ldap_slapd", PATH)
slapd = sys.modules.setdefault("ldap_slapd", importlib.util.module_from_spec(spec))
spec.loader.exec_module(slapd)


def jpeg():
    made, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "SecretCamera"
    Image.new("RGB", (1200, 900), "teal").save(made, "JPEG", exif=exif)
    return made.getvalue()


@pytest.fixture
def server(tmp_path_factory):
    if slapd.program() is None:
        missing_part("slapd", "not installed here")
    with slapd.running(tmp_path_factory.mktemp("slapd")) as url:
        yield url


def test_a_photo_comes_from_the_directory_without_what_the_camera_noted_and_goes_with_it(rse_core, tmp_path, server):
    from rse_ldap.connection import ldap3

    people = f"ou=people,{slapd.BASE}"
    there = ldap3.Connection(ldap3.Server(server, get_info=ldap3.NONE), slapd.ADMIN, slapd.PASSWORD, auto_bind=True)
    there.add(people, ["organizationalUnit"], {"ou": "people"})
    zoe = {"uid": "zoe", "cn": "Zoé Œuvrard", "sn": "Œuvrard", "displayName": "zoe@example.org", "jpegPhoto": jpeg()}
    assert there.add(f"uid=zoe,{people}", ["inetOrgPerson"], zoe), there.result
    plugin = Ldap()
    core = rse_core([plugin, rse_directory.plugin], data_dir=str(tmp_path))
    plugin.config = parse(
        LdapSchema().load(
            {"url": server, "bind_dn": slapd.ADMIN, "password": slapd.PASSWORD, "people_base": people, "photos": True}
        )
    )
    app, viewer = create_app(core), make_person(core, "viewer")
    client = as_person(app.test_client(), viewer)

    def sync():
        (source,) = plugin.rse_directory_sources()
        return directory.sync(core, source, actor=Actor("test"), complete=True).report.photos

    assert sync() == 1
    assert sync() == 0
    page = client.get("/rse/directory/people/zoe").text
    assert "<h1>Zoé Œuvrard" in page
    address = page.split('rse-dir-photo" src="')[1].split('"')[0]
    with client.get(address) as answer:
        assert (answer.status_code, answer.mimetype) == (200, "image/webp")
        assert b"Secret" not in answer.data
    assert there.modify(f"uid=zoe,{people}", {"jpegPhoto": [(ldap3.MODIFY_REPLACE, [])]}), there.result
    assert sync() == 1
    assert "rse-dir-photo" not in client.get("/rse/directory/people/zoe").text
    there.unbind()
