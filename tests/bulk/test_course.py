"""Course files: all that the protocol can say, and every wrong key by its place."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from eseal.bulk.course import read_course
from eseal.bulk.faults import BadInput
from eseal_client import MicroCredential, read_micro_credential
from tests.harness.server import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
START = 'languages = ["en"]\ntitle = "T"\n'


def read(tmp_path: Path, text: str) -> MicroCredential:
    """Read a course file of this text."""
    path = tmp_path / "course.toml"
    path.write_text(text, encoding="utf-8")
    return read_course(path)


def mistakes(tmp_path: Path, text: str) -> list[tuple[str, str]]:
    """Place and rule of each mistake."""
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text)
    return [(mistake.column, mistake.rule) for mistake in caught.value.mistakes]


def test_example_is_the_eciu_webinar(course: MicroCredential) -> None:
    """The course that `eseal bulk example` writes is that of the other examples, but for the personal page."""
    other = read_micro_credential(ROOT / "clients/examples/introduction-to-artificial-intelligence.json")
    other.display.personal = False
    other.opportunity_type = ""

    assert other == course


def filled(message: Any, depth: int = 0) -> dict[str, Any]:
    """A value for every field of a message type, as TOML says it."""
    said: dict[str, Any] = {}
    for field in message.fields:
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            one: Any = {"en": f"{field.name} in English", "ga": "as Gaeilge"}
        elif kind is not None and kind.full_name == "google.type.Date":
            one = "D2026-06-30"
        elif kind is not None and kind.full_name == "google.protobuf.Timestamp":
            one = "D2026-06-30T12:00:00Z"
        elif kind is not None:
            if kind.name in {"MicroCredential", "Organisation"} and depth > 2:
                continue
            one = filled(kind, depth + 1)
        elif field.enum_type is not None:
            one = "vat"
        elif field.name == "content":
            said["file"] = "page.png"
            continue
        else:
            one = {field.TYPE_BOOL: True, field.TYPE_UINT32: 6}.get(field.type, f"{field.name}")
        is_map = kind is not None and kind.GetOptions().map_entry
        said[field.name] = [one] if field.is_repeated and not is_map else one
    return said


def toml(value: Any) -> str:
    """A value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str) and value.startswith("D2026"):
        return value[1:]
    return (
        {True: "true", False: "false"}[value]
        if isinstance(value, bool)
        else str(value)
        if isinstance(value, int)
        else f'"{value}"'
    )


def wire(value: Any) -> Any:
    """The same value as ProtoJSON says it."""
    if isinstance(value, dict):
        said = {key: wire(one) for key, one in value.items() if key != "file"}
        if "kind" in said:
            said["kind"] = "LEGAL_IDENTIFIER_KIND_VAT"
        return said | ({"content": base64.b64encode(PNG).decode()} if "file" in value else {})
    if isinstance(value, list):
        return [wire(one) for one in value]
    if value == "D2026-06-30":
        return {"year": 2026, "month": 6, "day": 30}
    return value[1:] if value == "D2026-06-30T12:00:00Z" else value


def test_every_field_of_the_protocol(tmp_path: Path) -> None:
    """Whatever a MicroCredential can say, a course file can say, in the protocol's own names."""
    (tmp_path / "page.png").write_bytes(PNG)
    said = filled(MicroCredential.DESCRIPTOR)
    course = read(tmp_path, "".join(f"{key} = {toml(value)}\n" for key, value in said.items()))

    assert ParseDict(wire(said), MicroCredential()) == course
    assert len(MicroCredential.DESCRIPTOR.fields) == len(MessageToDict(course))


def test_texts(tmp_path: Path) -> None:
    """A plain text is in the course's first language, wherever it stands; a table says its languages."""
    course = read(
        tmp_path, 'languages = ["ga", "en"]\ntitle = "Teideal"\ndescription = { ga = "Cur síos", en = "Description" }\n'
    )

    assert {"ga": "Teideal"} == dict(course.title)
    assert {"ga": "Cur síos", "en": "Description"} == dict(course.description)


def test_decimals_keep_their_digits(tmp_path: Path) -> None:
    """Numbers of credits may be written as numbers."""
    course = read(
        tmp_path, START + "[notional_workload]\nects_credits = 7.50\n[[notional_workload.other_credits]]\npoint = 3\n"
    )

    assert ("7.50", "3") == (course.notional_workload.ects_credits, course.notional_workload.other_credits[0].point)


def test_skills(tmp_path: Path) -> None:
    """By IRI, by UUID, or by their label in ESCO's own list."""
    iri = "http://data.europa.eu/esco/skill/3a2d5b45-56e4-4f5a-a55a-4a4a65afdc43"
    (tmp_path / "skills_en.csv").write_text(
        f"conceptType,conceptUri,preferredLabel\nKnowledgeSkillCompetence,{iri},machine learning\n"
    )
    skills = f'["{iri}", "{iri[-36:]}", "Machine learning"]'
    outcome = f'esco_file = "skills_en.csv"\n[[learning_outcomes]]\ntitle = "T"\nesco_skills = {skills}\n'
    (found,) = read(tmp_path, START + outcome).learning_outcomes

    assert [iri, iri[-36:], iri] == [skill.id for skill in found.esco_skills]
    assert {"en": "machine learning"} == dict(found.esco_skills[2].label)
    assert [("learning_outcomes[1].esco_skills[3]", "esco-label")] == mistakes(
        tmp_path, START + outcome.replace("Machine learning", "machine leaning")
    )
    assert [(f"learning_outcomes[1].esco_skills[{n}]", "esco-label") for n in (3,)] == mistakes(
        tmp_path, START + outcome.replace('esco_file = "skills_en.csv"', "")
    )


@pytest.mark.parametrize(("name", "language"), [("skills_en.csv", "en"), ("skills_mt.csv", "mt"), ("esco.csv", "ga")])
def test_a_skill_is_said_as_esco_says_it(tmp_path: Path, name: str, language: str) -> None:
    """In ESCO's own spelling and in the language of its list; in the course's where the list's name does not tell."""
    iri = "http://data.europa.eu/esco/skill/3a2d5b45-56e4-4f5a-a55a-4a4a65afdc43"
    (tmp_path / name).write_text(f"conceptUri,preferredLabel\n{iri},SQL and XQuery\n{iri}\n")
    text = f'languages = ["ga"]\nesco_file = "{name}"\n[[learning_outcomes]]\ntitle = "T"\nesco_skills = ["sql AND xquery"]\n'
    (found,) = read(tmp_path, text).learning_outcomes

    assert [(iri, {language: "SQL and XQuery"})] == [(skill.id, dict(skill.label)) for skill in found.esco_skills]


def test_a_mark_at_the_beginning(tmp_path: Path) -> None:
    """Some editors begin a file with a byte order mark; it is no part of it."""
    assert read(tmp_path, START) == read(tmp_path, "\ufeff" + START)


def test_files(tmp_path: Path) -> None:
    """A file is named from the course file's folder on, and its name tells its type."""
    (tmp_path / "page.png").write_bytes(PNG)
    course = read(tmp_path, START + '[display]\npages = [{ language = "en", file = "page.png" }]\n')
    (page,) = course.display.pages

    assert ("image/png", PNG) == (page.media_type, page.content)


@pytest.mark.parametrize(
    ("text", "place", "rule"),
    [
        ('titel = "T"', "titel", "key-known"),
        ('title = "T"', "title", "language-absent"),
        (START + "[[learning_outcomes]]\ntitel = 'x'", "learning_outcomes[1].titel", "key-known"),
        (START + 'form_of_participation = "Online"', "form_of_participation", "list-type"),
        (START + "[level]\neqf = '6'", "level.eqf", "int-type"),
        (START + 'description = { english = "x" }', "description.english", "string-pattern-mismatch"),
        (START + 'date_of_issuing = "2026-06-30"', "date_of_issuing", "date-type"),
        (START + "valid_until = 2026-06-30T12:00:00", "valid_until", "timezone-aware"),
        (
            START + "[[awarding_bodies]]\nidentifiers = [{ kind = 'tax number' }]",
            "awarding_bodies[1].identifiers[1].kind",
            "literal-error",
        ),
        (START + "attachments = [{ file = 'absent.pdf' }]", "attachments[1]", "file"),
        (START + "attachments = [{ media_type = 'application/pdf' }]", "attachments[1]", "file"),
        (
            START + "[[integration_stackability.parts]]\ntitle = 3",
            "integration_stackability.parts[1].title",
            "dict-type",
        ),
        ("title = ", "", "toml"),
        ('esco_file = "absent.csv"', "esco_file", "file"),
        ('esco_file = "\\u0000"', "esco_file", "file"),
        ('languages = [{}]\ntitle = { en = "T" }', "languages[1]", "string-type"),
        (START + 'display.pages = [{ language = "en", file = "\\u0000" }]', "display.pages[1]", "file"),
    ],
)
def test_wrong_keys(tmp_path: Path, text: str, place: str, rule: str) -> None:
    """Each by its place and rule."""
    assert [(place, rule)] == mistakes(tmp_path, text)


def test_nearest_keys_are_named(tmp_path: Path) -> None:
    """A key that is not known is answered with those that come close."""
    with pytest.raises(BadInput, match="awarding_bodies"):
        read(tmp_path, START + "[[awarding_body]]\nlegal_name = 'x'")
