"""The house's own values as the wire has them: how a test that speaks gRPC asks for what another builds in memory."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from eseal_client.wire import credential_pb2

if TYPE_CHECKING:
    from google.protobuf.message import Message

    Said = TypeVar("Said", bound=Message)


def message(value: Any, into: Said) -> Said:
    """Fill the message of proto/eseal/v1/credential.proto that ``value``, a dataclass of the same name, stands for."""
    for one in fields(value):
        _fill(into, one.name, getattr(value, one.name))
    return into


def _fill(into: Any, name: str, value: Any) -> None:
    if value is None:
        return
    field = into.DESCRIPTOR.fields_by_name[name]
    if isinstance(value, tuple):
        for one in value:
            if is_dataclass(one):
                message(one, getattr(into, name).add())
            else:
                getattr(into, name).append(one)
    elif isinstance(value, datetime):
        getattr(into, name).FromDatetime(value)
    elif isinstance(value, date):
        day = getattr(into, name)
        day.year, day.month, day.day = value.year, value.month, value.day
    elif is_dataclass(value):
        getattr(into, name).SetInParent()
        message(value, getattr(into, name))
    elif field.enum_type is not None:
        setattr(into, name, credential_pb2.LegalIdentifierKind.Value(f"LEGAL_IDENTIFIER_KIND_{value.upper()}"))
    elif hasattr(value, "items"):
        getattr(into, name).update(value)
    else:
        setattr(into, name, value)
