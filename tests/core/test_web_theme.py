"""The colours and fonts of a site: what is linked, what is refused; and the page of the documentation about all of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from rse_core.api import ConfigError
from rse_core.extension import create_app
from rse_core.settings import Settings, SettingsSchema
from rse_core.testing.databases import kit_settings
from rse_core.web import layout as layouts
from rse_core.web import theme as themes
from rse_core.web.layout_html import cut

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "look.md"


def app_of(use_plugin: Any, **settings: Any) -> Flask:
    return create_app(use_plugin(**settings))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "layout.html"
    made.write_text("<html><head></head><body><!-- rse:content --></body></html>", encoding="utf-8")
    return made


def test_a_theme_is_linked_last_and_says_what_was_set(use_plugin: Any, file: Path) -> None:
    table = {
        "accent": "#8a1538",
        "font": "Marianne, Arial, sans-serif",
        "dark": {"accent": "#ff9db4", "on_accent": "#3b0012"},
    }
    app = app_of(use_plugin, sections={"theme": table})
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">', app.test_client().get("/rse/").text)
    assert sheets[-1].startswith("/rse/theme.css?v=")
    answer = app.test_client().get(sheets[-1])
    assert answer.headers["Cache-Control"].endswith("immutable")
    assert "--rse-accent: #8a1538;" in answer.text
    assert "--rse-font: Marianne, Arial, sans-serif;" in answer.text
    assert "color-scheme: light dark" in answer.text
    assert "--rse-paper: #15181c" in answer.text
    inside = app_of(use_plugin, sections={"theme": table}, layout=str(file)).test_client()
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">', inside.get("/rse/").text)
    text = inside.get(sheets[-1].replace("&amp;", "&")).text
    assert "--rse-accent: #8a1538;" in text
    assert "--rse-paper" not in text, "of the intranet's paper nothing is known"
    assert "dark" not in text


def test_a_site_with_one_set_of_colours_is_light_for_everybody(use_plugin: Any) -> None:
    text = app_of(use_plugin, sections={"theme": {"accent": "#8a1538"}}).test_client().get("/rse/theme.css").text
    assert "color-scheme: light;" in text
    assert "prefers-color-scheme" not in text


def test_a_theme_can_be_a_stylesheet(use_plugin: Any, tmp_path: Path) -> None:
    sheet = tmp_path / "theme.css"
    sheet.write_text(":root { --rse-radius: 0 }", encoding="utf-8")
    app = app_of(use_plugin, theme=str(sheet))
    assert app.test_client().get("/rse/theme.css").text == ":root { --rse-radius: 0 }"
    other = app_of(use_plugin, theme="https://static.example/rse.css").test_client().get("/rse/")
    assert '<link rel="stylesheet" href="https://static.example/rse.css">' in other.text
    assert "style-src 'self' https://static.example;" in other.headers["Content-Security-Policy"]
    assert "script-src 'self';" in other.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({"accent": "#ffff00"}, "contrast of 1.1"),
        ({"ink": "#999999"}, "contrast"),
        ({"dark": {"accent": "#202020"}}, r"\[theme.dark\]"),
        ({"acent": "#000000"}, "accent"),
        ({"accent": "red"}, "#8a1538"),
        ({"accent": "#000;} body{display:none"}, "#8a1538"),
        ({"font": "x; } body { display: none"}, "names of fonts"),
        ({"font": 'url("https://elsewhere.example")'}, "names of fonts"),
        ({"radius": "50%"}, "length"),
    ],
)
def test_a_theme_that_cannot_be_read_is_refused_by_what_is_wrong_with_it(table: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        themes.begin(kit_settings(sections={"theme": table}))
    assert re.search(word, f"{caught.value} {caught.value.remedy}")


def test_a_table_of_the_file_is_the_theme_and_any_other_a_plugins(use_plugin: Any, tmp_path: Path) -> None:
    file = tmp_path / "rse.toml"
    file.write_text('[theme]\naccent = "#8a1538"\n', encoding="utf-8")
    settings = Settings.load({}, file, secret_key="x" * 20)
    made = themes.begin(settings)
    assert made is not None
    assert "#8a1538" in made.whole
    with pytest.raises(ConfigError, match=r"\[them\] belongs to no installed plugin"):
        use_plugin(sections={"them": {}})


def test_a_stylesheet_that_is_not_there_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match=r"nothing\.css does not exist"):
        themes.begin(kit_settings(theme="nothing.css"))
    assert themes.begin(kit_settings()) is None


def test_the_colours_of_our_own_frame_can_be_read_and_are_those_of_its_stylesheet() -> None:
    themes.check_contrast(themes.LIGHT, "light")
    themes.check_contrast(themes.DARK, "dark")
    css = (Path(layouts.__file__).parents[1] / "static" / "rse-frame.css").read_text(encoding="utf-8")
    light, dark = css.split("prefers-color-scheme: dark")[:2]
    for table, text in ((themes.LIGHT, light), (themes.DARK, dark.split("prefers-contrast")[0])):
        found = dict(re.findall(r"--rse-([a-z-]+): (#[0-9a-f]+);", text))
        assert {k.replace("_", "-"): v.replace("#ffffff", "#fff") for k, v in table.items()} == found


def test_contrast_is_that_of_the_standard() -> None:
    assert themes.contrast("#000", "#ffffff") == pytest.approx(21)
    assert themes.contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


# -- the page about it -------------------------------------------------------------------------------------------------


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.S)


def test_every_setting_that_the_page_shows_is_taken(tmp_path: Path) -> None:
    shown: set[str] = set()
    for number, text in enumerate(blocks("toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(text.replace("/srv/rse/theme.css", str(tmp_path / "theme.css")), encoding="utf-8")
        (tmp_path / "theme.css").write_text(":root { --rse-accent: #8a1538 }", encoding="utf-8")
        settings = Settings.load({}, file, secret_key="x" * 20, legacy_origins=["https://intranet.example"])
        layouts.begin(settings)
        themes.begin(settings)
        shown |= set(tomllib.loads(text))
    assert shown - {"theme"} <= SettingsSchema().fields.keys()
    assert shown >= {"layout", "layout_marker", "layout_sources", "theme", "data_dir"}


def test_the_page_that_is_shown_is_a_layout_and_the_table_names_every_key() -> None:
    page, *_rest = blocks("html")
    made = cut(page, address="https://intranet.example/x", marker="", own_scripts=lambda _src: False)
    assert made.has_main
    assert made.has_skip
    assert cut(page, address="/", marker="main#contenu", own_scripts=lambda _src: False).has_main
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for key in themes.Theme().fields.keys() - {"dark"}:
        assert f"`{key}`" in text, key
