"""Course files: a MicroCredential in TOML, key by key as proto/eseal/v1/credential.proto names and explains its fields.

The models are made from the message types themselves, so a course file can say all that the protocol can. Where TOML or
a registrar's hand asks for it, it is shorter:

    a text          a plain string is in the course's first language (``languages``)
    a skill         a string: its IRI, its UUID, or its label in ESCO's own list (``esco_file``)
    a file          ``file = "page.png"``, beside the course file; its media_type is told by its name
    a decimal       a number
"""

from __future__ import annotations

import base64
import csv
import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import ParseDict
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from eseal.bulk.faults import BadInput, Mistake, nearest
from eseal_client import MicroCredential

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.descriptor import Descriptor

KIND_PREFIX: Final = "LEGAL_IDENTIFIER_KIND_"
MEDIA_TYPES: Final = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
DECIMALS: Final = {"ects_credits", "point"}
ESCO_FILE: Final = "esco_file"
_ESCO: Final = "http://data.europa.eu/esco/skill/"
_LIST_LANGUAGE: Final = re.compile(r"_([a-z]{2})\.csv$")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SCALARS: Final[Mapping[int, Any]] = {
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_UINT32: Annotated[int, Field(ge=0)],
}


def read_course(path: Path) -> MicroCredential:
    """Read a course file. BadInput names every key that is wrong, with the rule."""
    try:
        # Decimals keep their own digits: 7.5 must not become 7.4999.
        keys = tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=str)
    except OSError as error:
        raise BadInput([Mistake(path.name, "file", f"It cannot be read: {error.strerror}.")]) from error
    except UnicodeDecodeError as error:
        raise BadInput([Mistake(path.name, "encoding", "The file is not UTF-8.")]) from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput([Mistake(path.name, "toml", f"This is not TOML: {error}.")]) from error
    esco = _esco(path, keys.pop(ESCO_FILE, None))
    languages = keys.get("languages")
    first = languages[0] if isinstance(languages, list) and languages and isinstance(languages[0], str) else None
    context = {"language": first, "folder": path.parent, "esco": esco}
    try:
        course = _models()["MicroCredential"].model_validate(keys, context=context)
    except ValidationError as error:
        raise BadInput([_mistake(path.name, one) for one in error.errors()]) from None
    return ParseDict(course.model_dump(mode="json", exclude_defaults=True), MicroCredential())


def _text(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    language = (info.context or {}).get("language")
    if language is None:
        rule = "a text without a language is in the course's first language: set `languages` at the top of the file"
        raise PydanticCustomError("language-absent", rule)
    return {language: value}


Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Words = Annotated[str, StringConstraints(min_length=1)]
Text = Annotated[dict[Language, Words], BeforeValidator(_text)]
Decimal = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
Day = Annotated[
    date, PlainSerializer(lambda day: {"year": day.year, "month": day.month, "day": day.day}, return_type=dict)
]


class EscoSkill(NamedTuple):
    """A skill of ESCO's list: its label as ESCO spells it; ``language`` is the list's, empty where its name does not tell."""

    iri: str
    label: str
    language: str


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class _File(_Keys):
    """A message with a file's bytes: the course file names the file."""

    media_type: str = ""
    content: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, keys: Any, info: ValidationInfo) -> Any:
        if not isinstance(keys, dict) or "file" not in keys:
            raise PydanticCustomError("file", "a file is named by the key `file`, from the course file's folder on")
        keys = dict(keys)
        name = str(keys.pop("file"))
        if "content" in keys:
            raise PydanticCustomError("file", "the content is that of `file`: take the key `content` out")
        try:
            content = ((info.context or {}).get("folder", Path()) / name).read_bytes()
        except (OSError, ValueError) as error:
            rule = "the file {name} cannot be read: {why}"
            why = error.strerror if isinstance(error, OSError) else "no file can have this name"
            raise PydanticCustomError("file", rule, {"name": name, "why": why}) from error
        keys["content"] = base64.b64encode(content).decode("ascii")
        return {"media_type": MEDIA_TYPES.get(Path(name).suffix.lower(), ""), **keys}


class _Skill(_Keys):
    """A skill may be a string: its IRI, its UUID, or its label."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        if value.startswith(_ESCO) or _UUID.fullmatch(value):
            return {"id": value}
        esco: Mapping[str, EscoSkill] | None = (info.context or {}).get("esco")
        if esco is None:
            rule = f"a skill is named by its IRI ({_ESCO}…); by its label only where `{ESCO_FILE}` names ESCO's list of skills"
            raise PydanticCustomError("esco-label", rule)
        if value.casefold() not in esco:
            rule = "ESCO's list has no skill with this label.{near}"
            raise PydanticCustomError("esco-label", rule, {"near": nearest(value.casefold(), esco)})
        skill = esco[value.casefold()]
        language = skill.language or (info.context or {}).get("language") or "en"
        return {"id": skill.iri, "label": {language: skill.label}}


@cache
def _models() -> dict[str, type[BaseModel]]:
    """A model for each message type that a course is made of."""
    messages: dict[str, Any] = {}
    waiting: list[Any] = [MicroCredential.DESCRIPTOR]
    while waiting:
        message = waiting.pop()
        if message.name not in messages:
            messages[message.name] = message
            waiting += [field.message_type for field in message.fields if _is_message(field)]
    models = {name: _model(message) for name, message in messages.items()}
    named = {model.__name__: model for model in models.values()}
    for model in models.values():
        model.model_rebuild(_types_namespace=named)
    return models


def _model(message: Descriptor) -> type[BaseModel]:
    base: type[_Keys] = _Keys
    if "content" in message.fields_by_name:
        base = _File
    elif message.name == "Skill":
        base = _Skill
    fields: dict[str, Any] = {
        field.name: (_type(field), _default(field)) for field in message.fields if field.name not in base.model_fields
    }
    return create_model(f"{message.name}Keys", __base__=base, **fields)


def _is_message(field: FieldDescriptor) -> bool:
    message = field.message_type
    return message is not None and not message.GetOptions().map_entry and not message.full_name.startswith("google.")


def _type(field: FieldDescriptor) -> Any:
    one: Any
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return Text
    if field.message_type is not None:
        google = {"google.type.Date": Day, "google.protobuf.Timestamp": AwareDatetime}
        one = google.get(field.message_type.full_name, f"{field.message_type.name}Keys")
    elif field.enum_type is not None:
        one = _kinds(field)
    else:
        one = Decimal if field.name in DECIMALS else _SCALARS[field.type]
    if field.is_repeated:
        return f"list[{one}]" if isinstance(one, str) else list[one]
    if field.message_type is None:
        return one
    return f"{one} | None" if isinstance(one, str) else one | None


def _kinds(field: FieldDescriptor) -> Any:
    """An enum as words, without its prefix, in lower case; the number goes into the message."""
    values = field.enum_type.values if field.enum_type else ()
    numbers = {value.name.removeprefix(KIND_PREFIX).lower(): value.number for value in values if value.number}
    words: Any = Literal[tuple(numbers)]
    return Annotated[words, PlainSerializer(lambda word: numbers.get(word, 0), return_type=int)]


def _default(field: FieldDescriptor) -> Any:
    if field.is_repeated:
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        return Field(default_factory=dict if is_map else list)
    if field.message_type is not None:
        return None
    return "" if field.enum_type is not None else field.default_value


def _esco(path: Path, name: Any) -> dict[str, EscoSkill] | None:
    """Skills by label, whatever its case, from the list that ESCO publishes (``skills_en.csv`` of its CSV download)."""
    if name is None:
        return None
    skills: dict[str, EscoSkill] = {}
    language = _LIST_LANGUAGE.search(str(name))
    try:
        with (path.parent / str(name)).open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                label, iri = row["preferredLabel"], row["conceptUri"]
                if label and iri:
                    skills[label.casefold()] = EscoSkill(iri, label, language[1] if language else "")
    except (OSError, ValueError, KeyError, csv.Error) as error:
        rule = "It cannot be read as ESCO's list of skills (CSV with the columns conceptUri and preferredLabel)."
        raise BadInput([Mistake(path.name, "file", rule, column=ESCO_FILE)]) from error
    return skills


def _mistake(file: str, error: Any) -> Mistake:
    place = _place(error["loc"])
    if error["type"] == "extra_forbidden":
        known = _known(error["loc"][:-1])
        return Mistake(
            file, "key-known", f"This key is not known.{nearest(str(error['loc'][-1]), known)}", column=place
        )
    if error["type"] == "missing":
        return Mistake(file, "key-absent", "This key must be there.", column=place)
    message = error["msg"][:1].upper() + error["msg"][1:].removesuffix(".") + "."
    return Mistake(file, error["type"].replace("_", "-"), message, column=place)


def _place(parts: Sequence[str | int]) -> str:
    """A key as ``learning_outcomes[2].title``; items count from 1."""
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.lstrip(".").removesuffix(".[key]")


def _known(parts: Sequence[str | int]) -> list[str]:
    """The keys that may stand at a place."""
    message = MicroCredential.DESCRIPTOR
    for part in parts:
        field = message.fields_by_name.get(str(part))
        if field is not None and field.message_type is not None:
            message = field.message_type
    names = ["file" if name == "content" else name for name in message.fields_by_name]
    return names if parts else [*names, ESCO_FILE]


def place_of(pointer: str) -> str:
    """The key of a course file that a pointer of the service names (``/micro_credential/level/eqf``); or empty."""
    first, *parts = pointer.lstrip("/").split("/")
    return _place([int(part) if part.isdigit() else part for part in parts]) if first == "micro_credential" else ""
