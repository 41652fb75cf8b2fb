"""Reading the files of an import: encodings, delimiters, headers, and hostile content. No database."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pytest

from rse_core import importer
from rse_core.i18n import use_locale
from rse_core.importer import FileRefused
from rse_core.people import called

HEADER = "external_id,username,display_name,email,entity_id,job_title,manager_external_id,is_manager,locale,phone,site"
LINE = "1,alice,Alice Œuvrard,alice@example.org,HR,Chargée de mission,,1,fr,01 02 03,Paris"


@pytest.fixture(autouse=True)
def _in_english():
    """The sentences that are looked for below are the English ones."""
    with use_locale("en"):
        yield


@pytest.fixture
def read(tmp_path: Path):
    def read(content: str | bytes) -> importer.Parsed:
        path = tmp_path / "people.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return importer.read(path)

    return read


def refusal(read, content: str | bytes) -> importer.LineError:
    with pytest.raises(FileRefused) as caught:
        read(content)
    return caught.value.error


def errors(parsed: importer.Parsed) -> list[tuple[int, str]]:
    return [(error.line, error.column) for error in parsed.errors]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
@pytest.mark.parametrize("sign", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_the_usual_ways_of_writing_a_csv_file_are_all_read(read, mark, end, sign):
    text = end.join([HEADER, LINE]).replace(",", sign) + end
    parsed = read(mark + text.encode())
    assert parsed.errors == []
    assert parsed.people["1"].display_name == "Alice Œuvrard"
    assert parsed.people["1"].is_manager is True


def test_columns_may_stand_in_any_order_and_in_capitals(read):
    names = HEADER.upper().split(",")
    cells = LINE.split(",")
    parsed = read(",".join(reversed(names)) + "\n" + ",".join(reversed(cells)) + "\n")
    assert (parsed.people["1"].username, parsed.people["1"].site) == ("alice", "Paris")


def test_quoted_cells_and_blank_lines_keep_the_line_numbers_right(read):
    quoted = LINE.replace("Chargée de mission", '"Chargée de mission, ""pilote"""')
    parsed = read(f"{HEADER}\n\n{quoted}\n,,,,,,,,,,\n\n2,bob\n")
    assert parsed.people["1"].line == 3
    assert parsed.people["1"].job_title == 'Chargée de mission, "pilote"'
    assert errors(parsed) == [(6, "")]


def test_cells_are_trimmed_and_composed(read):
    parsed = read(f"{HEADER}\n" + unicodedata.normalize("NFD", LINE.replace("alice,", " alice ,").replace("Alice", "Élise")))
    assert parsed.people["1"].username == "alice"
    assert unicodedata.is_normalized("NFC", parsed.people["1"].display_name)


@pytest.mark.parametrize(
    ("header", "column", "hint"),
    [
        (HEADER.replace("username", "user_name"), "user_name", "username"),
        (HEADER.replace(",phone", ""), "phone", "external_id,username"),
        (HEADER.replace("phone", "site"), "site", "external_id,username"),
        (HEADER + ",shoe_size", "shoe_size", "external_id,username"),
        ("a,b,c", "a", "external_id,username"),
    ],
    ids=["misspelt", "missing", "twice", "unknown", "nothing right"],
)
def test_a_wrong_header_is_refused_and_says_what_is_meant(read, header, column, hint):
    error = refusal(read, f"{header}\n{LINE}\n")
    assert (error.line, error.column) == (1, column)
    assert hint in error.remedy


def test_a_latin_1_file_is_refused_with_its_line_and_the_remedy(read):
    content = f"{HEADER}\n2,bob,Bob,,,,,,,,\n{LINE.replace('Œ', 'O')}\n"
    error = refusal(read, content.encode("latin-1"))
    assert error.line == 3
    assert "UTF-8" in error.message
    assert "iconv -f ISO-8859-15 -t UTF-8 people.csv" in error.remedy


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04" + b"\x00" * 100, "XLSX"),
        (f'{HEADER}\n1,alice,"Alice'.encode(), "never closed"),
        (f'{HEADER}\n1,alice,"{"x" * 200_000}",,,,,,,,\n'.encode(), "longer than"),
        (f'{HEADER}\n1,"ali"ce,Alice,,,,,,,,\n'.encode(), "not well-formed"),
    ],
    ids=["empty", "blank", "UTF-16", "workbook", "open quote", "huge cell", "stray quote"],
)
def test_a_file_that_is_not_such_a_table_is_refused_clearly(read, content, said):
    assert said in refusal(read, content).message


def test_a_file_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(FileRefused, match=r"people\.csv.*cannot be read"):
        importer.read(tmp_path / "people.csv")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("external_id", ""),
        ("external_id", "x" * 201),
        ("username", ""),
        ("username", "a\x00b"),
        ("username", "u" * 201),
        ("display_name", ""),
        ("display_name", "n" * 301),
        ("display_name", "two\nlines"),
        ("email", "nobody"),
        ("email", "a@b@c.org"),
        ("email", "alice@example.org, bob@example.org"),
        ("is_manager", "perhaps"),
        ("locale", "d'accord"),
        ("phone", "0" * 61),
        ("job_title", "bell \x07"),
        ("site", "s" * 201),
    ],
)
def test_a_cell_that_cannot_be_taken_is_named_with_its_line_and_column(read, column, value):
    cells = dict(zip(HEADER.split(","), LINE.split(","), strict=True)) | {column: value}
    quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells.values())
    parsed = read(f"{HEADER}\n{quoted}\n2,bob,Bob,,,,,,,,\n")
    assert errors(parsed) == [(2, column)]
    assert parsed.errors[0].message
    assert parsed.errors[0].remedy
    assert list(parsed.people) == ["2"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [("1", True), ("0", False), ("TRUE", True), ("false", False), ("Oui", True), ("non", False), ("yes", True), ("", False)],
)
def test_being_a_manager_can_be_said_in_many_ways(read, said, meant):
    assert read(f"{HEADER}\n{LINE.replace(',1,fr', f',{said},fr')}").people["1"].is_manager is meant


@pytest.mark.parametrize(("said", "meant"), [("fr_FR", "fr"), ("en-GB", "en"), ("FR", "fr"), ("de", ""), ("", "")])
def test_languages_are_brought_to_those_that_are_spoken(read, said, meant):
    assert read(f"{HEADER}\n{LINE.replace(',fr,', f',{said},')}").people["1"].locale == meant


def test_formulas_and_markup_are_texts_like_others(read):
    parsed = read(f"{HEADER}\n1,alice,=cmd|' /C calc'!A0,,,<script>alert(1)</script>,,,,,\n")
    assert parsed.errors == []
    assert parsed.people["1"].job_title == "<script>alert(1)</script>"


def test_entities_and_groups_are_checked_line_by_line(tmp_path):
    for name, columns, rows in (
        ("people.csv", importer.PEOPLE_COLUMNS, []),
        ("entities.csv", importer.ENTITY_COLUMNS, [("A", "", ""), ("B", "B", ""), ("B", "B", ""), ("k" * 121, "K", "")]),
        ("groups.csv", importer.GROUP_COLUMNS, [("G", "", "1"), ("", "G", "1"), ("G", "G", "1"), ("G", "G", "1")]),
    ):
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
    parsed = importer.read(*(tmp_path / name for name in ("people.csv", "entities.csv", "groups.csv")))
    assert [(e.file, e.line, e.column) for e in parsed.errors] == [
        ("entities.csv", 2, "name"),
        ("entities.csv", 4, "entity_id"),
        ("entities.csv", 5, "entity_id"),
        ("groups.csv", 2, "name"),
        ("groups.csv", 3, "group_id"),
    ]
    assert parsed.groups["G"].members == {"1": 4}


def test_progress_is_told_up_to_the_size_of_the_file(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(HEADER + "\n" + "".join(f"{n},u{n},U {n},,,,,,,,\n" for n in range(3_000)), encoding="utf-8")
    told = []
    importer.read(path, progress=lambda stage, done, total: told.append((stage, done, total)))
    assert len(told) >= 5
    assert all(stage == "people.csv" and 0 < done <= total == path.stat().st_size for stage, done, total in told)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Marie Dupont", "mdupont"), "Marie Dupont"), (("marie.d@example.org", "mdupont"), "mdupont"),
        (("marie.d@example.org", "md@example.org"), "marie.d"), (("Marie Dupont <m@example.org>", "md"), "Marie Dupont"),
        (("Dupont, Marie (m@example.org)",), "Dupont, Marie"), (("“M. D.”", None), "“M. D.”"), (('"Marie" <m@x>',), "Marie"),
        (("Accueil @ Paris",), "Accueil @ Paris"), ((None, " ", "zoe@corp"), "zoe"), ((), ""),
    ],
)  # fmt: skip
def test_nobody_is_called_by_an_address(names, said):
    assert called(names) == said


def test_a_file_that_gives_addresses_for_names_tells_nobodys_address(read):
    other = LINE.replace("Alice Œuvrard", "alice@example.org")
    assert read(f"{HEADER}\n{other}\n").people["1"].display_name == "alice"
