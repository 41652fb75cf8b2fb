"""A broken plugin is quarantined with a sentence that names it and the remedy; the rest of the site serves."""

from __future__ import annotations

import pytest

from rse_core.errors import PluginError
from rse_core.extension import create_app
from rse_core.i18n import use_locale
from rse_core.testing.distributions import plugin_source

# None of this depends on the database; what does is in test_plugin_broken_tables.py.
pytestmark = pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)

GOOD = """
    from flask import Blueprint

    pages = Blueprint("rse_good", __name__, url_prefix="/good")

    @pages.get("/")
    def index():
        return "good morning"

    class Good(Plugin):
        manifest = Manifest("good", "Good")

        @hookimpl
        def rse_capabilities(self):
            return [Capability("good.greet", "Greet", Level.REACT)]

        @hookimpl
        def rse_blueprints(self):
            return [pages]

    plugin = Good()
"""


@pytest.fixture(autouse=True)
def in_english():
    """Messages are compared in English."""
    with use_locale("en"):
        yield


def serve(core):
    """The site's pages as a visitor gets them: the core's own and the healthy plugin's."""
    client = create_app(core).test_client()
    assert client.get("/rse/healthz").status_code == 200
    assert client.get("/rse/good/").data == b"good morning"
    return client


@pytest.fixture
def start(rse_core, rse_distributions):
    """Start a core, not strict, with a healthy plugin beside what the test has installed."""

    def start(**settings):
        if not (rse_distributions.folder / "kit_good").exists():
            rse_distributions.add("good", GOOD)
        return rse_core(discover=True, **{"strict": False, **settings})

    return start


def quarantined(core, name, *words):
    """The plugin is quarantined; its reason names it and these words, and there is a remedy."""
    state = core.plugins.states[name]
    assert state.status == "quarantined", state
    assert f"“{name}”" in str(state.reason)
    for word in words:
        assert word in f"{state.reason} {state.remedy}", f"{word!r} is not in: {state.reason} {state.remedy}"
    assert str(state.remedy).strip()
    assert str(state.reason).endswith((".", "?"))
    return state


def test_an_import_error(start, rse_distributions):
    rse_distributions.add("broken", "import a_module_that_does_not_exist")
    core = start()
    quarantined(core, "broken", "cannot be imported", "a_module_that_does_not_exist", "kit-broken")
    serve(core)


def test_a_module_that_ends_the_process(start, rse_distributions):
    rse_distributions.add("broken", "import sys; sys.exit(3)")
    core = start()
    quarantined(core, "broken", "cannot be imported", "SystemExit")
    serve(core)


def test_an_entry_point_to_nothing(start, rse_distributions):
    rse_distributions.add("broken", "")
    core = start()
    quarantined(core, "broken", "plugin")
    serve(core)


def test_an_entry_point_to_something_else(start, rse_distributions):
    rse_distributions.add("broken", "plugin = 42")
    core = start()
    quarantined(core, "broken", "int", "not a plugin")
    serve(core)


def test_an_entry_point_to_a_module_that_has_the_plugin(start, rse_distributions):
    lazy = """
        def __getattr__(name):
            if name == "plugin":
                from .plugin import plugin
                return plugin
            raise AttributeError(name)
    """
    source = "from rse_core.api import *\n" + plugin_source("lazy")
    rse_distributions.add("lazy", lazy, files={"plugin.py": source})
    assert start().plugins.states["lazy"].status == "on"
    import kit_lazy.plugin

    assert kit_lazy.plugin
    assert start().plugins.states["lazy"].status == "on"


def test_a_manifest_under_another_name(start, rse_distributions):
    rse_distributions.add("broken", plugin_source("other"))
    core = start()
    quarantined(core, "broken", "“other”", "same name")
    serve(core)


def test_the_wrong_core_version_is_seen_before_the_import(start, rse_distributions):
    rse_distributions.add("broken", "raise AssertionError('imported')", requires=["rse-core>=7,<8"])
    core = start()
    quarantined(core, "broken", ">=7", "rse-core 0.1.0", "kit-broken")
    assert not rse_distributions.imported("kit_broken")
    serve(core)


def test_two_distributions_of_one_name(start, rse_distributions):
    rse_distributions.add_plugin("broken")
    rse_distributions.add_plugin("broken", module="other_broken", distribution="other-broken")
    core = start()
    quarantined(core, "broken", "kit-broken", "other-broken", "Uninstall")
    serve(core)


def test_a_misspelt_hook(start, rse_distributions):
    rse_distributions.add_plugin("broken", "@hookimpl\ndef rse_capabilites(self): return []")
    core = start()
    quarantined(core, "broken", "rse_capabilites", "Did you mean “rse_capabilities”?")
    serve(core)


def test_a_hook_that_is_not_marked(start, rse_distributions):
    rse_distributions.add_plugin("broken", "def rse_capabilities(self): return []")
    core = start()
    quarantined(core, "broken", "rse_capabilities", "@hookimpl")
    serve(core)


def test_a_hook_with_a_wrong_argument(start, rse_distributions):
    rse_distributions.add_plugin("broken", "@hookimpl\ndef rse_decide(self, qestion): return None")
    core = start()
    quarantined(core, "broken", "qestion", "Did you mean “question”?")
    serve(core)


def test_a_hook_that_wraps_others(start, rse_distributions):
    hook = "@hookimpl(wrapper=True)\ndef rse_decide(self, question): return (yield)"
    rse_distributions.add_plugin("broken", hook)
    core = start()
    quarantined(core, "broken", "rse_decide", "wrapper")
    serve(core)


def test_a_hook_that_raises_at_start(start, rse_distributions):
    rse_distributions.add_plugin("broken", "@hookimpl\ndef rse_capabilities(self): return 1 / 0")
    core = start()
    quarantined(core, "broken", "ZeroDivisionError")
    assert "broken.thing" not in core.plugins.capabilities
    serve(core)


@pytest.mark.parametrize(
    ("hook", "answer", "words"),
    [
        ("rse_capabilities", "None", ["None", "list of Capability"]),
        ("rse_capabilities", "Capability('broken.do', 'Do', Level.REACT)", ["Capability", "list"]),
        ("rse_capabilities", "['broken.do']", ["str", "Capability"]),
        ("rse_capabilities", "[Capability('likes.react', 'Do', Level.REACT)]", ["likes.react", "“broken.”"]),
        ("rse_capabilities", "[Capability('broken.do', 'Do', 3)]", ["broken.do", "Level"]),
        ("rse_capabilities", "[Capability('broken.do', 'Do', Level.REACT)] * 2", ["broken.do", "twice"]),
        ("rse_jobs", "[Job('elsewhere.clean', print)]", ["elsewhere.clean", "“broken.”"]),
        ("rse_consumers", "[Consumer('broken.note', 'page.seen', print)]", ["page.seen", "tuple"]),
        ("rse_content_types", "[ContentType('page', 'Page', print)]", ["page", "broken."]),
        ("rse_migrations", "Migrations('/nowhere')", ["/nowhere", "versions/"]),
        ("rse_translations", "Translations('/nowhere', 'rse_broken')", ["/nowhere", "does not exist"]),
        ("rse_nav_items", "[NavItem('rse_broken.index', 'Broken')]", ["rse_broken.index", "endpoint"]),
        ("rse_assets", "[Asset('rse_broken.static', 'broken.css')]", ["broken.css", "static"]),
        ("rse_identity_source", "object()", ["object", "identify"]),
    ],
)
def test_a_contribution_that_cannot_be_right(start, rse_distributions, hook, answer, words):
    rse_distributions.add_plugin("broken", f"@hookimpl\ndef {hook}(self): return {answer}")
    core = start()
    quarantined(core, "broken", *words)
    serve(core)


def test_a_capability_of_a_plugin_that_fails_later_does_not_count(start, rse_distributions):
    hooks = """
        @hookimpl
        def rse_capabilities(self): return [Capability("broken.do", "Do", Level.REACT)]

        @hookimpl
        def rse_jobs(self): return [Job("elsewhere.clean", print)]
    """
    rse_distributions.add_plugin("broken", hooks)
    core = start()
    quarantined(core, "broken")
    assert set(core.plugins.capabilities) == {"good.greet"}


BLUEPRINT = """
from flask import Blueprint

pages = Blueprint("{name}", __name__, url_prefix="{prefix}")

@pages.get("{path}")
def index():
    return "broken"
"""
GIVE_BLUEPRINT = "@hookimpl\ndef rse_blueprints(self): return [pages]"


@pytest.mark.parametrize(
    ("name", "prefix", "path", "words"),
    [
        ("rse_good", "/zbroken", "/", ["rse_good"]),
        ("rse_zbroken", "/good", "/", ["/good", "“good”", "url_prefix"]),
        ("rse_zbroken", "/admin", "/mine", ["/admin/mine", "core"]),
        ("rse_zbroken", "", "/<name>", ["core", "url_prefix"]),
        ("pages", "/zbroken", "/", ["pages", "rse_zbroken"]),
    ],
)
def test_a_blueprint_clash(start, rse_distributions, name, prefix, path, words):
    before = BLUEPRINT.format(name=name, prefix=prefix, path=path)
    rse_distributions.add_plugin("zbroken", GIVE_BLUEPRINT, before=before)
    core = start()
    quarantined(core, "zbroken", *words)
    serve(core)


def test_a_blueprint_that_cannot_be_registered(start, rse_distributions):
    before = BLUEPRINT.format(name="rse_broken", prefix="/broken", path="/") + "\npages.record(lambda state: 1 / 0)\n"
    rse_distributions.add_plugin("broken", GIVE_BLUEPRINT, before=before)
    core = start()
    quarantined(core, "broken", "rse_broken", "ZeroDivisionError")
    serve(core)


def test_a_template_outside_its_namespace(start, rse_distributions):
    before = """
from flask import Blueprint

pages = Blueprint("rse_broken", __name__, template_folder="templates", url_prefix="/broken")
"""
    rse_distributions.add_plugin("broken", GIVE_BLUEPRINT, before=before, files={"templates/base.html": "mine"})
    core = start()
    quarantined(core, "broken", "base.html", "rse/broken/base.html")
    serve(core)


def test_a_missing_requirement(start, rse_distributions):
    rse_distributions.add_plugin("broken", manifest='requires=("godo",)')
    core = start()
    quarantined(core, "broken", "“godo”", "not installed", "“good”")
    serve(core)


def test_a_circle_of_requirements(start, rse_distributions):
    rse_distributions.add_plugin("aa", manifest='requires=("bb",)')
    rse_distributions.add_plugin("bb", manifest='requires=("cc",)')
    rse_distributions.add_plugin("cc", manifest='requires=("aa",)')
    rse_distributions.add_plugin("dd", manifest='requires=("aa",)')
    core = start()
    for name in ("aa", "bb", "cc"):
        quarantined(core, name, "aa → bb → cc → aa")
    quarantined(core, "dd", "“aa”")
    serve(core)


def test_those_that_require_a_broken_one_wait_for_it(start, rse_distributions):
    rse_distributions.add("base", "1 / 0")
    rse_distributions.add_plugin("middle", manifest='requires=("base",)')
    rse_distributions.add_plugin("top", manifest='requires=("middle",)')
    rse_distributions.add_plugin("beside", manifest='after=("top", "good")')
    core = start()
    quarantined(core, "base")
    quarantined(core, "middle", "“base”")
    quarantined(core, "top", "“middle”")
    assert core.plugins.states["beside"].status == "on"
    serve(core)


def test_plugins_that_cannot_run_beside_each_other(start, rse_distributions):
    rse_distributions.add_plugin("second", manifest='conflicts=("good",)')
    core = start()
    quarantined(core, "second", "“good”", "RSE_DISABLED_PLUGINS")
    serve(core)


def test_a_refused_configuration(start, rse_distributions):
    hook = "@hookimpl\ndef rse_configure(self, settings): raise ConfigError('[broken]: no key.', remedy='Set key.')"
    rse_distributions.add_plugin("broken", hook)
    core = start(sections={"broken": {}})
    quarantined(core, "broken", "no key", "Set key.")
    serve(core)


def test_strict_mode_raises_instead(start, rse_distributions):
    rse_distributions.add("broken", "import a_module_that_does_not_exist")
    with pytest.raises(PluginError, match="“broken” cannot be imported"):
        start(strict=True)


def test_safe_mode_starts_the_core_alone(start, rse_distributions):
    rse_distributions.add("broken", "raise AssertionError('imported')")
    core = start(safe_mode=True)
    assert {s.status for s in core.plugins.states.values()} == {"left_out"}
    assert core.plugins.capabilities == {}
    assert set(core.plugins.content_types) == {"page", "wave", "handover"}
    assert create_app(core).test_client().get("/rse/healthz").status_code == 200


def test_a_plugin_left_out_is_not_imported(start, rse_distributions):
    rse_distributions.add("broken", "raise AssertionError('imported')")
    core = start(disabled_plugins=("broken",), sections={"broken": {"a": 1}})
    assert core.plugins.states["broken"].status == "left_out"
    serve(core)


def test_readiness_names_the_quarantined(start, rse_distributions):
    rse_distributions.add("broken", "1 / 0")
    core = start()
    answer = create_app(core).test_client().get("/rse/readyz")
    assert "broken" in answer.get_data(as_text=True)


def test_metadata_that_cannot_be_read(start, rse_distributions):
    rse_distributions.add_plugin("broken")
    info = next(rse_distributions.folder.glob("kit_broken-*.dist-info"))
    (info / "entry_points.txt").write_text("[rse.plugins\nthis is not an entry point")
    other = rse_distributions.folder / "odd-1.0.dist-info"
    other.mkdir()
    (other / "entry_points.txt").write_bytes(b"[rse.plugins]\n\xff\xfe = x")
    core = start()
    assert core.plugins.states["good"].status == "on"
    assert "broken" not in core.plugins.capabilities
    serve(core)


def test_the_reason_is_told_in_the_readers_language(start, rse_distributions):
    rse_distributions.add_plugin("broken", manifest='requires=("absent",)')
    state = start().plugins.states["broken"]
    assert str(state.reason) == "The plugin “broken” requires the plugin “absent”, which is not installed."
    with use_locale("fr"):
        assert "demande le plugin" in str(state.reason)
        assert str(state.remedy).startswith("Installez")


def test_a_whole_process_goes_on_with_a_broken_plugin(start, rse_distributions, tmp_path):
    import json
    import os
    import subprocess
    import sys

    rse_distributions.add("broken", "raise OSError('no such device')")
    environment = {
        **os.environ,
        "PYTHONPATH": str(rse_distributions.folder),
        "RSE_DATABASE_URL": f"sqlite:///{tmp_path}/whole.db",
        "LC_ALL": "en_GB.UTF-8",
    }

    def rse(*arguments, **more):
        command = [sys.executable, "-W", "ignore", "-m", "rse_core.cli", *arguments]
        return subprocess.run(command, cwd=tmp_path, env={**environment, **more}, capture_output=True, text=True)

    listed = rse("plugin", "list", "--json")
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert (listed.returncode, rows["broken"]["status"]) == (0, "quarantined")
    assert "no such device" in rows["broken"]["reason"]
    strict = rse("plugin", "list", RSE_STRICT="1")
    assert strict.returncode == 1
    assert "“broken” cannot be imported" in strict.stderr
    assert "Traceback" not in strict.stderr.rpartition("rse: ")[2]
    safe = rse("plugin", "list", "--json", RSE_SAFE_MODE="1")
    assert {row["status"] for row in json.loads(safe.stdout)} == {"left_out"}
