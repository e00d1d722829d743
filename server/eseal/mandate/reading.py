"""The bytes of a register, read once: what is digested is what is parsed."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import ValidationError

from eseal.mandate.fields import BRANCHES, Table
from eseal.mandate.problems import Location, Problem, line_of, line_of_syntax_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

MAX_FILE_BYTES = 8 * 1024 * 1024

_KNOWN = re.compile(
    r"alliance\.toml|members/[^/]+\.toml|mandates/[^/]+\.toml(\.jws)?|status/[^/]+\.toml"
    r"|agreements/[^/]+\.(pdf|png|jpe?g)|certificates/[^/]+\.pem"
)
# Notes for people, and what version control and editors keep beside the files: no part of the register.
_IGNORED = re.compile(r"(.*/)?(\..*|README\.md)")

# Pydantic's words for the faults that have a rule of their own here; the others are "wrong-value".
_RULES = {"extra_forbidden": "unknown-key", "missing": "missing-key"}
# Errors raised by the house's own validators carry their rule as type; pydantic's own types have underscores.
_OWN_RULE = re.compile(r"[a-z]+(-[a-z]+)+")

Model = TypeVar("Model", bound=Table)


@dataclass(frozen=True, slots=True)
class Read(Generic[Model]):
    """A file of the register as it was read: its text stays, for finding lines."""

    file: str
    text: str
    value: Model

    def problem(self, rule: str, message: str, *location: str | int) -> Problem:
        """Make a problem in this file, at the line of ``location``."""
        return Problem(self.file, line_of(self.text, location), rule, message)


def read_folder(folder: Path, problems: list[Problem]) -> dict[str, bytes]:
    """Every file that belongs to the register, by its path from ``folder``; what does not belong is a problem."""
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if any(_IGNORED.fullmatch(part) for part in (name, *name.split("/"))):
            continue
        if not name.isprintable():
            # Neither the register's digest nor a problem could say it.
            problems.append(Problem(ascii(name)[1:-1], 1, "unknown-file", "has a name that cannot be written"))
        elif path.is_symlink() and (path.is_dir() or not _lies_in(path, folder)):
            message = "is a link to a folder, or out of the register; put the files themselves here"
            problems.append(Problem(name, 1, "link-within", message))
        elif path.is_dir():
            continue
        elif not _KNOWN.fullmatch(name):
            message = "no file of a register has this name; keep notes in README.md or outside the folder"
            problems.append(Problem(name, 1, "unknown-file", message))
        elif not path.is_file():
            problems.append(Problem(name, 1, "unknown-file", "is no file: a link to nothing, or a pipe"))
        elif path.stat().st_size > MAX_FILE_BYTES:
            message = (
                f"is larger than {MAX_FILE_BYTES} bytes; agreements are embedded in every credential, keep them small"
            )
            problems.append(Problem(name, 1, "file-size", message))
        else:
            files[name] = path.read_bytes()
    return files


def _lies_in(path: Path, folder: Path) -> bool:
    # Unlike Path.resolve, this follows a link that leads to itself without an error.
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def digest(files: Mapping[str, bytes]) -> bytes:
    """SHA-256 over the ``sha256sum`` listing of the files, so that an auditor can compute it with that tool alone."""
    listing = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return hashlib.sha256(listing.encode()).digest()


def read_tables(
    files: Mapping[str, bytes], pattern: str, model: type[Model], problems: list[Problem]
) -> list[Read[Model]]:
    """Parse the files whose path matches ``pattern`` into ``model``; those that cannot be add to ``problems``."""
    found = []
    for name, data in files.items():
        if re.fullmatch(pattern, name) and (read := _read_table(name, data, model, problems)):
            found.append(read)
    return found


def _read_table(name: str, data: bytes, model: type[Model], problems: list[Problem]) -> Read[Model] | None:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(Problem(name, line, "toml-syntax", "is not UTF-8"))
        return None
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(name, line_of_syntax_error(error, text), "toml-syntax", str(error)))
        return None
    except (ValueError, ArithmeticError, RecursionError):
        # TOML, but for a number without measure or tables without end.
        message = "has a number that is too long, or is nested too deeply"
        problems.append(Problem(name, 1, "toml-syntax", message))
        return None
    try:
        return Read(name, text, model.model_validate(table))
    except ValidationError as error:
        problems.extend(_problems(name, text, error))
        return None


def _problems(name: str, text: str, error: ValidationError) -> Iterator[Problem]:
    for location, rule, sentence in faults_of(error):
        yield Problem(name, line_of(text, location), rule, sentence)


def faults_of(error: ValidationError) -> Iterator[tuple[Location, str, str]]:
    """Where each fault stands, the rule it breaks, and a sentence that begins with its place."""
    for fault in error.errors(include_url=False):
        location = tuple(step for step in fault["loc"] if step not in BRANCHES)
        if _OWN_RULE.fullmatch(fault["type"]) and (key := fault["ctx"]["key"]):
            location += (key,)
        yield location, _rule(fault), f"{_path(location)}: {_sentence(fault)}"


def _rule(fault: ErrorDetails) -> str:
    kind = fault["type"]
    return kind if _OWN_RULE.fullmatch(kind) else _RULES.get(kind, "wrong-value")


def _sentence(fault: ErrorDetails) -> str:
    match _rule(fault):
        case "unknown-key":
            return "no key of a register file has this name here"
        case "missing-key":
            return "must be there"
    message: str = fault["msg"]
    return message[0].lower() + message[1:]


def _path(location: Location) -> str:
    """``scope.eqf.lowest``, ``caller[2].uri``; tables in an array count from 1, as people do."""
    path = ""
    for step in location:
        path += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return path.lstrip(".") or "the file"
