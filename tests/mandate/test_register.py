"""The register is validated as a whole: every problem by file, line and rule."""

from __future__ import annotations

import hashlib
import os
import subprocess
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eseal.errors import SetupError
from eseal.mandate.problems import InvalidRegister, Problem
from eseal.mandate.register import Register
from eseal.mandate.scope import Narrowing
from eseal.vocabulary import vocabulary

from .house import ACCREDITATION, AGREEMENT, SHORT_PROGRAMME, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from .house import House

MANDATE = "mandates/north-2026.toml"
NORTH = "members/north.toml"
SOUTH = "members/south.toml"


def problems(house: House) -> list[Problem]:
    """Load, and list what is wrong."""
    with pytest.raises(InvalidRegister) as caught:
        house.load()
    return list(caught.value.problems)


def line(house: House, file: str, start: str) -> int:
    """The line of a file as written that begins with ``start``."""
    text = (house.folder / str(house.written) / file).read_text()
    return next(number for number, one in enumerate(text.splitlines(), 1) if one.startswith(start))


def test_a_right_register_loads(house: House) -> None:
    """Members, mandates and agreements are there by their ids, and nothing can be changed."""
    register = house.load()

    assert {"north", "south", "faculty"} == set(register.members)
    assert AGREEMENT == register.agreements["north-2026"].content
    assert MANDATE == register.places["north-2026"]
    with pytest.raises(TypeError):
        register.members["x"] = register.members["north"]  # type: ignore[index]


def test_a_missing_folder_is_a_setup_error(tmp_path: Path) -> None:
    """The operator is told which folder is not there."""
    with pytest.raises(SetupError, match="no register folder"):
        Register.load(tmp_path / "nowhere")


def test_the_digest_is_that_of_sha256sum(house: House) -> None:
    """An auditor computes the register's digest with sha256sum alone, whatever the files are called."""
    folder = write(house.folder / "r", {**house.files, "agreements/the north's own.pdf": b"%PDF-1.7"})
    (folder / "..data").mkdir()
    (folder / NORTH).rename(folder / "..data/north.toml")
    (folder / NORTH).symlink_to("../..data/north.toml")
    (folder / "README.md").write_text("notes")
    listing = subprocess.run(
        [
            "bash",
            "-c",
            "find -L . -type f -not -path '*/.*' -not -name README.md -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    ).stdout

    assert hashlib.sha256(listing).digest() == Register.load(folder).sha256


@pytest.mark.parametrize(("name", "target"), [(NORTH, "../../north.toml"), ("status", "members")])
def test_links_out_of_the_register(house: House, name: str, target: str) -> None:
    """A file outside the folder is no part of what was reviewed, and a folder behind a link is not looked into."""
    folder = write(house.folder / "r", house.files)
    if name == NORTH:
        (folder / NORTH).rename(house.folder / "north.toml")
    (folder / name).symlink_to(target)
    with pytest.raises(InvalidRegister) as caught:
        Register.load(folder)

    assert [(name, "link-within")] == [(one.file, one.rule) for one in caught.value.problems if one.file == name]


def test_what_is_no_file(house: House) -> None:
    """Links to nothing or to themselves, pipes and names that cannot be written are told, and nothing waits for them."""
    folder = write(house.folder / "r", house.files)
    (folder / "mandates/nothing.toml").symlink_to("gone.toml")
    (folder / "mandates/itself.toml").symlink_to("itself.toml")
    os.mkfifo(folder / "mandates/pipe.toml")
    (folder / "status").mkdir()
    (folder / "status/two\nlines.toml").write_text('mandate = "north-2026"\n')
    Path(os.fsdecode(os.fsencode(folder) + b"/status/\xff.toml")).write_text("")
    with pytest.raises(InvalidRegister) as caught:
        Register.load(folder)

    assert {
        ("mandates/nothing.toml", "unknown-file"),
        ("mandates/itself.toml", "unknown-file"),
        ("mandates/pipe.toml", "unknown-file"),
        ("status/two\\nlines.toml", "unknown-file"),
        ("status/\\udcff.toml", "unknown-file"),
    } == {(one.file, one.rule) for one in caught.value.problems}


def test_many_problems_of_one_file_are_told_soon(house: House) -> None:
    """Four hundred unknown keys, each with its line."""
    house.files["members/bad.toml"] = "\n".join(f"key{n} = 1" for n in range(400)).encode()
    told = [one for one in problems(house) if one.rule == "unknown-key"]

    assert [*range(1, 401)] == sorted(one.line for one in told)


def test_the_digest_changes_with_every_file(house: House) -> None:
    """A changed word in any file is another state of the register; notes for people are not part of it."""
    before = house.load().sha256
    house.files["README.md"] = b"notes"
    assert before == house.load().sha256
    house.files[NORTH]["legal_names"]["en"] = "Northern University"

    assert before != house.load().sha256


def _scope(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda files: files[MANDATE]["scope"].update({key: value})


def _set(file: str, key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda files: files[file].update({key: value})


def _identifier(**entry: str) -> Callable[[dict[str, Any]], None]:
    return lambda files: files[NORTH]["identifier"].append(entry)


def _accreditation(**limits: list[str]) -> Callable[[dict[str, Any]], None]:
    entry = {"id": ACCREDITATION, "date_issued": date(2026, 1, 1), **limits}
    return lambda files: files[NORTH].update(accreditation=[entry])


CASES: list[tuple[str, Callable[[dict[str, Any]], Any], str, str]] = [
    ("unknown-key", _set(MANDATE, "colour", "blue"), MANDATE, "colour"),
    ("unknown-key", _scope("eqf_levels", [6]), MANDATE, "eqf_levels"),
    ("missing-key", lambda files: files[NORTH].pop("country"), NORTH, "id"),
    ("missing-key", lambda files: files[MANDATE]["scope"].pop("eqf"), MANDATE, "[scope]"),
    ("wrong-value", _set(MANDATE, "valid_from", "2026-01-01"), MANDATE, "valid_from"),
    ("wrong-value", _scope("ects_maximum", "lots"), MANDATE, "ects_maximum"),
    ("wrong-value", _scope("joint_awards", 1), MANDATE, "joint_awards"),
    ("wrong-value", _scope("profiles", []), MANDATE, "profiles"),
    ("repeated-value", _scope("languages", ["en", "en"]), MANDATE, "languages"),
    ("language-known", _scope("languages", ["en", "xx"]), MANDATE, "languages"),
    ("language-known", _set(NORTH, "legal_names", {"eng": "North"}), NORTH, "eng"),
    ("country-known", _scope("countries", ["IE"]), MANDATE, "countries"),
    ("country-known", _set(NORTH, "country", "ZZZ"), NORTH, "country"),
    ("isced-f-known", _scope("isced_f", ["0613", "61"]), MANDATE, "isced_f"),
    ("isced-f-known", _scope("isced_f", ["0777"]), MANDATE, "isced_f"),
    ("isced-f-known", _accreditation(limit_isced_f=["0777"]), NORTH, "limit_isced_f"),
    ("opportunity-type-known", _scope("opportunity_types", [f"{SHORT_PROGRAMME[:-1]}9"]), MANDATE, "opportunity_types"),
    ("opportunity-type-known", _scope("opportunity_types", ["urn:type:1"]), MANDATE, "opportunity_types"),
    ("country-known", _accreditation(limit_jurisdictions=["XXX"]), NORTH, "limit_jurisdictions"),
    ("country-known", _accreditation(limit_jurisdictions=["XXX_CTH_DUB"]), NORTH, "limit_jurisdictions"),
    ("range-in-order", _scope("eqf", {"lowest": 7, "highest": 5}), MANDATE, "[scope.eqf]"),
    ("joint-awards-allowed", _scope("outside_bodies", True), MANDATE, "[scope]"),  # noqa: FBT003
    ("time-zone-known", _set("alliance.toml", "time_zone", "Europe/Atlantis"), "alliance.toml", "time_zone"),
    ("dates-in-order", _set(MANDATE, "valid_until", date(2025, 12, 31)), MANDATE, "valid_until"),
    ("dates-in-order", _set(NORTH, "member_until", date(2019, 12, 31)), NORTH, "member_until"),
    ("member-identified", lambda files: files[NORTH].pop("identifier"), NORTH, "id"),
    ("identifier-kind", _identifier(kind="passport", notation="x"), NORTH, "kind"),
    ("identifier-form", _identifier(kind="registration", notation="N-3"), NORTH, "notation"),
    ("identifier-form", _identifier(kind="eidas", notation="NTRIE 3"), NORTH, "notation"),
    (
        "duplicate-id",
        lambda files: files.update({"members/copy.toml": {**files["members/faculty.toml"], "caller": []}}),
        "members/faculty.toml",
        "id",
    ),
    ("duplicate-caller", lambda files: files[SOUTH]["caller"].append(files[NORTH]["caller"][0]), SOUTH, "uri"),
    (
        "duplicate-identifier",
        lambda files: files[SOUTH]["identifier"].append({"kind": "eidas", "notation": "NTRIE-N-1"}),
        SOUTH,
        "notation",
    ),
    ("member-known", _set(MANDATE, "awarding_body", "west"), MANDATE, "awarding_body"),
    ("member-known", _set("members/faculty.toml", "part_of", "west"), "members/faculty.toml", "part_of"),
    ("sealer-known", _set(MANDATE, "sealer", "NTRNL-00000000"), MANDATE, "sealer"),
    ("mandate-known", lambda files: files.update({"status/x.toml": {"mandate": "x"}}), "status/x.toml", "mandate"),
    ("agreement-required", lambda files: files[MANDATE].pop("agreement"), MANDATE, "signed_on"),
    ("agreement-missing", lambda files: files[MANDATE]["agreement"].update(file="other.pdf"), MANDATE, "file"),
    ("agreement-digest", lambda files: files[MANDATE]["agreement"].update(sha256="0" * 64), MANDATE, "sha256"),
    (
        "agreement-media-type",
        lambda files: files[MANDATE]["agreement"].update(media_type="image/png"),
        MANDATE,
        "media_type",
    ),
    ("certificate-missing", _set(NORTH, "signing_certificates", ["n.pem"]), NORTH, "signing_certificates"),
]


@pytest.mark.parametrize(("rule", "change", "file", "start"), CASES)
def test_problems_name_file_line_and_rule(
    house: House, rule: str, change: Callable[[dict[str, Any]], Any], file: str, start: str
) -> None:
    """Each thing that can be wrong is told by its rule, at the line where it stands."""
    change(house.files)
    found = problems(house)

    assert [(rule, file)] == [(one.rule, one.file) for one in found]
    lines = (house.folder / "1" / file).read_text().splitlines()
    assert lines[found[0].line - 1].startswith(start)


@pytest.mark.parametrize(
    ("change", "near"),
    [
        (_scope("isced_f", ["0777"]), 'Nearest known: 07 ("Engineering, manufacturing and construction")'),
        (_scope("isced_f", ["61"]), '061 ("Information and Communication Technologies (ICTs)")'),
        (_scope("opportunity_types", [f"{SHORT_PROGRAMME[:-1]}9"]), f'{SHORT_PROGRAMME} ("Short learning programme")'),
        (_scope("countries", ["IE"]), 'IRL ("Ireland")'),
    ],
)
def test_what_does_not_exist_is_told_with_the_nearest(
    house: House, change: Callable[[dict[str, Any]], Any], near: str
) -> None:
    """Whoever mistyped a code reads the ones that may be meant, written as a register writes them."""
    change(house.files)
    (found,) = problems(house)

    assert near in found.message


def test_a_mandate_may_name_a_field_of_any_breadth() -> None:
    """Broad ("06"), narrow ("061") and detailed ("0613") fields of ISCED-F 2013 are all known."""
    codes = vocabulary("isced-f").items

    assert {2, 3, 4} == {len(code) for code in codes}
    assert frozenset(codes) == Narrowing.model_validate({"isced_f": list(codes)}).isced_f


@pytest.mark.parametrize(
    ("name", "content", "rule", "at"),
    [
        ("members/bad.toml", b'id = "bad"\nname = \n', "toml-syntax", 2),
        ("members/bad.toml", b'id = "bad"\nid = "worse"\n', "toml-syntax", 2),
        ("members/bad.toml", b'id = "bad\n', "toml-syntax", 1),
        ("members/bad.toml", b'id = "bad"\nname = "\xff"\n', "toml-syntax", 2),
        pytest.param("members/bad.toml", b"id = " + b"1" * 5000, "toml-syntax", 1, id="a number without end"),
        ("members/bad.toml", b"id = 1e99999999999999999999", "toml-syntax", 1),
        pytest.param("members/bad.toml", b"id = " + b"[" * 100_000, "toml-syntax", 1, id="nested without end"),
        ("member/typo.toml", b"", "unknown-file", 1),
        ("mandates/old.toml.bak", b"", "unknown-file", 1),
        ("mandates/gone.toml.jws", b"x", "signature-mandate", 1),
        ("agreements/large.pdf", bytes(9 * 1024 * 1024), "file-size", 1),
        ("certificates/n.pem", b"no certificate", "certificate-form", 0),
    ],
)
def test_problems_of_files(house: House, name: str, content: bytes, rule: str, at: int) -> None:
    """Files that cannot be read, or have no place in a register, are told as well."""
    house.files[name] = content
    if rule == "certificate-form":
        house.files[NORTH]["signing_certificates"] = ["n.pem"]
        assert [(NORTH, rule)] == [(one.file, one.rule) for one in problems(house)]
    else:
        assert [(name, at, rule)] == [(one.file, one.line, one.rule) for one in problems(house)]


def test_members_that_are_parts_of_each_other(house: House) -> None:
    """A circle of parts is told in each of its files, with the way around it; a chain of parts is none."""
    house.files["members/chair.toml"] = {**house.files["members/faculty.toml"], "id": "chair", "part_of": "faculty"}
    house.files["members/chair.toml"]["caller"] = []
    house.load()

    house.files[NORTH]["part_of"] = "faculty"
    found = problems(house)

    faculty = "members/faculty.toml"
    assert [(faculty, "part-of-circle"), (NORTH, "part-of-circle")] == [(one.file, one.rule) for one in found]
    assert "faculty is part of north is part of faculty" == found[0].message


def test_without_an_alliance(house: House) -> None:
    """A folder without alliance.toml is told so once, without a shower of consequences."""
    del house.files["alliance.toml"]

    assert ["alliance-missing"] == [one.rule for one in problems(house)]


def test_all_problems_are_told_at_once(house: House) -> None:
    """Whoever reviews a register sees everything that is wrong, by file and line."""
    house.files[NORTH]["country"] = "ZZZ"
    house.files[MANDATE]["agreement"]["sha256"] = "0" * 64
    house.files[MANDATE]["scope"].update(languages=["xx"], colour=1)
    with pytest.raises(InvalidRegister) as caught:
        house.load()

    found = {(one.file, one.rule) for one in caught.value.problems}
    assert {(NORTH, "country-known"), (MANDATE, "language-known"), (MANDATE, "unknown-key")} == found
    assert f"{NORTH}:2: country-known: country: 'ZZZ' is not" in caught.value.message


class TestOverlap:
    """Two mandates of one body for one sealer must differ in days or scope."""

    @pytest.fixture(autouse=True)
    def _two(self, house: House) -> None:
        second = {**house.files[MANDATE], "id": "north-b", "scope": dict(house.scope)}
        house.files["mandates/north-b.toml"] = second

    def rules(self, house: House) -> list[str]:
        """What is wrong with the two."""
        try:
            house.load()
        except InvalidRegister as error:
            return [one.rule for one in error.problems]
        return []

    def test_same_days_and_scope(self, house: House) -> None:
        """The same twice overlaps, and the problem names both files."""
        (found,) = problems(house)

        assert "mandate-overlap" == found.rule
        assert "north-2026" in found.message
        assert line(house, "mandates/north-b.toml", "valid_from") == found.line

    @pytest.mark.parametrize(("begin", "rules"), [(date(2026, 12, 31), ["mandate-overlap"]), (date(2027, 1, 1), [])])
    def test_one_after_the_other(self, house: House, begin: date, rules: list[str]) -> None:
        """A mandate may begin on the day after the other's last, and not on that last day."""
        house.files["mandates/north-b.toml"].update(valid_from=begin, valid_until=date(2027, 12, 31))

        assert rules == self.rules(house)

    @pytest.mark.parametrize(
        ("first", "second", "rules"),
        [
            ({"isced_f": ["06"]}, {"isced_f": ["05", "0714"]}, []),
            ({"isced_f": ["06"]}, {"isced_f": ["0613"]}, ["mandate-overlap"]),
            ({"eqf": {"lowest": 1, "highest": 5}}, {"eqf": {"lowest": 6, "highest": 8}}, []),
            ({"eqf": {"lowest": 1, "highest": 6}}, {"eqf": {"lowest": 6, "highest": 8}}, ["mandate-overlap"]),
            ({"profiles": ["generic"]}, {"profiles": ["accredited"]}, []),
            ({"languages": ["en"]}, {"languages": ["en", "ga"]}, ["mandate-overlap"]),
            ({"ects_maximum": 5}, {"ects_maximum": 10}, ["mandate-overlap"]),
        ],
    )
    def test_scopes(self, house: House, first: dict[str, Any], second: dict[str, Any], rules: list[str]) -> None:
        """Scopes that share no credential may share their days."""
        house.scope.update(first)
        house.files["mandates/north-b.toml"]["scope"].update(second)

        assert rules == self.rules(house)

    def test_drafts_do_not_overlap(self, house: House) -> None:
        """A draft of the next mandate may lie beside the present one."""
        del house.files["mandates/north-b.toml"]["signed_on"]

        assert [] == self.rules(house)

    @pytest.mark.parametrize(
        ("withdrawn_on", "rules"),
        [
            (date(2026, 7, 1), []),
            (date(2026, 7, 2), ["mandate-overlap"]),
            (date.min, []),
            (date.max, ["mandate-overlap"]),
        ],
    )
    def test_withdrawn(self, house: House, withdrawn_on: date, rules: list[str]) -> None:
        """The day of withdrawal is free for the mandate that takes over."""
        house.files["mandates/north-b.toml"]["valid_from"] = date(2026, 7, 1)
        house.files["status/n.toml"] = {"mandate": "north-2026", "withdrawn_on": withdrawn_on, "reason": "replaced"}

        assert rules == self.rules(house)

    def test_other_sealer(self, house: House) -> None:
        """Mandates for two sealers do not compete."""
        house.files["alliance.toml"]["sealer"].append(
            {"legal_name": "Second", "organization_identifier": "NTRNL-22222222"}
        )
        house.files["mandates/north-b.toml"]["sealer"] = "NTRNL-22222222"

        assert [] == self.rules(house)


def test_true_numbers_are_asked_for_outside_practice(house: House) -> None:
    """Only a practice register may hold identifiers that fail their check digits."""
    house.files["alliance.toml"]["practice"] = False

    assert [("identifier-number", SOUTH)] == [(one.rule, one.file) for one in problems(house)]
