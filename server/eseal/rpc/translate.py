"""From the wire to the house's own values and back. Field names are the same on both sides, so it is done by name.

A message of proto/eseal/v1/credential.proto becomes the dataclass of the same name: repeated fields become tuples, maps
dicts, an unset message None, google.type.Date a date, a Timestamp a datetime. How is worked out once a message type.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from eseal.credential import micro_credential
from eseal.errors import EsealError, InvalidInput
from eseal.issuance.stages import IssueRequest, Sealed, SealRequest
from eseal.rpc import status
from eseal.terms import Fault, LegalIdentifier, Level
from eseal.wire import credential_pb2, issuance_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

LEVELS: dict[int, Level] = {
    credential_pb2.LEVEL_B_B: Level.B_B,
    credential_pb2.LEVEL_B_T: Level.B_T,
    credential_pb2.LEVEL_B_LT: Level.B_LT,
    credential_pb2.LEVEL_B_LTA: Level.B_LTA,
}
WIRE_LEVELS = {said: number for number, said in LEVELS.items()}
KIND_PREFIX = "LEGAL_IDENTIFIER_KIND_"
COURSES_KEPT = 64
COURSE_BYTES_KEPT = 1024 * 1024
# Of a result, besides its request id and what is sealed: ids, digest, mandates.
BYTES_BESIDE = 1024

Results = TypeVar("Results", issuance_pb2.IssueStreamResponse, issuance_pb2.SealStreamResponse)


def issue_request(request: issuance_pb2.IssueRequest, courses: Courses, deadline: float | None) -> IssueRequest:
    """Read a unary Issue."""
    if not request.HasField("micro_credential"):
        raise _absent("micro_credential", "Issue needs a micro_credential: what is awarded.")
    return IssueRequest(
        request_id=request.request_id,
        micro_credential=courses.read(request.micro_credential),
        learner=domain(request.learner, "/learner"),
        level=level(request.level),
        deadline=deadline,
    )


def seal_request(request: issuance_pb2.SealRequest, deadline: float | None) -> SealRequest:
    """Read a Seal, or an item of a SealStream, which has the same fields."""
    return SealRequest(
        request_id=request.request_id, credential=request.credential, level=level(request.level), deadline=deadline
    )


def level(number: int) -> Level | None:
    """Read a level; None where the caller leaves it to the server."""
    if number == credential_pb2.LEVEL_UNSPECIFIED:
        return None
    if number not in LEVELS:
        raise _absent("level", f"Level {number} is not one of B-B, B-T, B-LT, B-LTA.")
    return LEVELS[number]


def write_sealed(response: Any, sealed: Sealed) -> Any:
    """Write a sealed credential into an IssueResponse or SealResponse, which have the same fields."""
    response.sealed = sealed.sealed
    response.credential_id = sealed.credential_id
    response.level = WIRE_LEVELS[sealed.level]
    response.payload_sha256 = sealed.payload_sha256
    response.mandate_ids.extend(sealed.mandate_ids)
    return response


def write_results(
    make: Callable[[], Results], request_ids: Sequence[str], outcomes: Sequence[Sealed | EsealError], *, most: int
) -> list[Results]:
    """Write what became of a batch into IssueStreamResponses or SealStreamResponses; nothing is copied twice.

    None has more than ``most`` bytes unless of one result alone. There is one at least.
    """
    responses, size = [make()], 0
    for request_id, outcome in zip(request_ids, outcomes, strict=True):
        said = status.status(outcome) if isinstance(outcome, EsealError) else outcome
        more = (len(said.sealed) if isinstance(said, Sealed) else said.ByteSize()) + len(request_id.encode())
        more += BYTES_BESIDE
        if size and size + more > most:
            responses.append(make())
            size = 0
        size += more
        result = responses[-1].results.add()
        result.request_id = request_id
        if isinstance(said, Sealed):
            write_sealed(result.sealed, said)
        else:
            result.status.CopyFrom(said)
    return responses


class Courses:
    """What callers award, read once: equal messages give the same object, so that what is made of it serves again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Any] = OrderedDict()
        self._lock = Lock()

    def read(self, message: Message) -> Any:
        """The MicroCredential of a message; InvalidInput as ``domain`` raises it."""
        content = message.SerializeToString(deterministic=True)
        with self._lock:
            known = self._kept.pop(content, None)
            if known is not None:
                self._kept[content] = known
                return known
        course = domain(message, "/micro_credential")
        if len(content) <= COURSE_BYTES_KEPT:
            with self._lock:
                self._kept[content] = course
                while len(self._kept) > COURSES_KEPT:
                    self._kept.popitem(last=False)
        return course


def moment(timestamp: Timestamp, pointer: str) -> datetime:
    """Read a Timestamp as an aware datetime; InvalidInput at ``pointer`` where it is out of a Timestamp's range."""
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except ValueError as error:
        raise _absent(pointer, "A timestamp lies between the years 1 and 9999, its nanos within a second.") from error


def domain(message: Message, pointer: str = "") -> Any:
    """Read a message as the dataclass of its name; InvalidInput with a pointer where a value cannot be one."""
    make, required, readers = _plan(message.DESCRIPTOR)
    values = {name: readers[name](message, f"{pointer}/{name}") for name in required}
    # A field that is not set has its dataclass's default, which is the same.
    for field, _ in message.ListFields():
        name = field.name
        if name not in values:
            values[name] = readers[name](message, f"{pointer}/{name}")
    return make(**values)


@cache
def _plan(descriptor: Descriptor) -> tuple[type, tuple[str, ...], dict[str, Callable[[Any, str], Any]]]:
    """The dataclass of a message, those of its fields that have no default, and how to read each."""
    make = LegalIdentifier if descriptor.name == "LegalIdentifier" else getattr(micro_credential, descriptor.name)
    required = tuple(
        field.name for field in fields(make) if field.default is MISSING and field.default_factory is MISSING
    )
    return make, required, {field.name: _reader(field) for field in descriptor.fields}


def _reader(field: FieldDescriptor) -> Callable[[Any, str], Any]:
    """How to read ``field`` of a message."""
    name = field.name
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return lambda message, _: dict(getattr(message, name))
    if field.enum_type is not None:
        return lambda message, _: _kind(field, getattr(message, name))
    if field.message_type is None:
        if field.is_repeated:
            return lambda message, _: tuple(getattr(message, name))
        return lambda message, _: getattr(message, name)
    read = _MESSAGES.get(field.message_type.full_name, domain)
    if field.is_repeated:
        return lambda message, pointer: _all(getattr(message, name), pointer, read)
    return lambda message, pointer: read(getattr(message, name), pointer) if message.HasField(name) else None


def _all(messages: Iterable[Any], pointer: str, read: Callable[[Any, str], Any]) -> tuple[Any, ...]:
    return tuple(read(message, f"{pointer}/{place}") for place, message in enumerate(messages))


def _kind(field: FieldDescriptor, number: int) -> str:
    """Read a LegalIdentifierKind: its name without the prefix, in lower case; unspecified is ``other``."""
    value = field.enum_type.values_by_number.get(number) if field.enum_type else None
    kind = value.name.removeprefix(KIND_PREFIX).lower() if value else "unspecified"
    return "other" if kind == "unspecified" else kind


def _date(message: Any, pointer: str) -> date:
    try:
        return date(message.year, message.month, message.day)
    except ValueError as error:
        raise _absent(pointer, "A date needs a year, a month and a day that exist.") from error


def _absent(pointer: str, message: str) -> InvalidInput:
    return InvalidInput("REQUEST_INVALID", message, faults=[Fault(pointer, "request", message)])


_MESSAGES: dict[str, Callable[[Any, str], Any]] = {
    "google.type.Date": _date,
    "google.protobuf.Timestamp": moment,
}
