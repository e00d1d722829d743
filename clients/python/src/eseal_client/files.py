"""Courses and learners as files: the messages of proto/eseal/v1/credential.proto in their JSON form (ProtoJSON)."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import Message

from eseal_client.wire.credential_pb2 import Learner, MicroCredential

_DATE_HINT = ' A date is written {"year": 2026, "month": 6, "day": 30}.'
Read = TypeVar("Read", bound=Message)


def read_micro_credential(path: Path | str) -> MicroCredential:
    """Read what is awarded; ValueError says what in the file is not understood."""
    return _read(Path(path), MicroCredential())


def read_learner(path: Path | str) -> Learner:
    """Read to whom; ValueError says what in the file is not understood."""
    return _read(Path(path), Learner())


def _read(path: Path, message: Read) -> Read:
    try:
        return Parse(path.read_text(encoding="utf-8"), message)
    except (ParseError, UnicodeDecodeError) as error:
        hint = _DATE_HINT if "google.type.Date" in str(error) else ""
        raise ValueError(f"{path}: {error}{hint}") from error
