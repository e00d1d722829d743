"""Register files written by program: every key with its meaning beside it, so that a reviewer needs no manual."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.items import AoT, Item
from tomlkit.items import Table as TomlTable

from eseal.mandate.fields import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from tomlkit import TOMLDocument


def render(table: Table, *, title: str) -> str:
    """Return the file's text: ``title`` as its first line, then each key that has a value, tables last."""
    document = tomlkit.document()
    document.add(tomlkit.comment(title))
    document.add(tomlkit.nl())
    _fill(document, table)
    return tomlkit.dumps(document)


def write_withdrawal(path: Path, mandate_id: str, *, on: date, reason: str) -> None:
    """Write into the status file at ``path`` that the mandate is withdrawn; what else stands there stays as it is."""
    document = _status(path, mandate_id)
    # Top-level keys must stand before the first table, or they would fall into it.
    tables = [
        (name, document.pop(name)) for name, value in list(document.items()) if isinstance(value, AoT | TomlTable)
    ]
    document.update({"withdrawn_on": on, "reason": reason})
    for name, value in tables:
        if not tomlkit.dumps(document).endswith("\n\n"):
            document.add(tomlkit.nl())
        document.add(name, value)
    _write_status(path, document)


def write_suspension(path: Path, mandate_id: str, *, first: date, last: date | None, reason: str) -> None:
    """Add a suspension to the status file at ``path``; what else stands there stays as it is."""
    document = _status(path, mandate_id)
    if "suspension" not in document:
        document.add(tomlkit.nl())
        document.add("suspension", tomlkit.aot())
    # A list in one line takes inline tables, an array of tables takes tables: tomlkit makes of a dict what fits.
    suspensions: Any = document["suspension"]
    if isinstance(suspensions, AoT) and suspensions:
        suspensions[-1].add(tomlkit.nl())
    suspensions.append({"valid_from": first, **({"valid_until": last} if last else {}), "reason": reason})
    _write_status(path, document)


def end_suspensions(path: Path, places: Sequence[int], *, last: date) -> None:
    """Let the suspensions at ``places`` of the status file end on ``last``; one that begins later is taken out."""
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    suspensions: Any = document["suspension"]
    for place in sorted(places, reverse=True):
        if suspensions[place]["valid_from"] > last:
            del suspensions[place]
        else:
            suspensions[place]["valid_until"] = last
    if not suspensions:
        del document["suspension"]
    _write_status(path, document)


def _status(path: Path, mandate_id: str) -> TOMLDocument:
    """Return the status file as it is, or the beginning of one."""
    if path.exists():
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    document = tomlkit.document()
    document.add(tomlkit.comment(f"What happened to mandate {mandate_id} since it was signed."))
    document.add("mandate", tomlkit.item(mandate_id))
    return document


def _write_status(path: Path, document: TOMLDocument) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Encoded before the file is opened: what cannot be written must not cost what stands there.
    path.write_bytes(tomlkit.dumps(document).encode())


def _fill(into: TOMLDocument | TomlTable, table: Table) -> None:
    """Add the values of ``table``; plain ones before tables, as TOML demands."""
    entries = list(_entries(table))
    for key, value, description in entries:
        if not _is_table(value):
            item = tomlkit.item(_plain(value))
            if description:
                item.comment(description)
            into.add(key, item)
    for key, value, _ in entries:
        if isinstance(value, Table):
            inner = tomlkit.table()
            _fill(inner, value)
            into.add(key, inner)
        elif isinstance(value, dict):
            into.add(key, _text_table(value))
        elif _is_table(value):
            array = tomlkit.aot()
            for one in value:
                inner = tomlkit.table()
                _fill(inner, one)
                array.append(inner)
            into.add(key, array)


def _entries(table: Table) -> Iterator[tuple[str, Any, str]]:
    fields = type(table).model_fields
    # Inherited fields come first in a model; a reader looks for the name first.
    for name in sorted(fields, key=lambda name: name not in {"id", "uri"}):
        field = fields[name]
        value = getattr(table, name)
        default = field.get_default(call_default_factory=True, validated_data={})
        if field.is_required() or value != default:
            yield field.alias or name, value, field.description or ""


def _is_table(value: Any) -> bool:
    return isinstance(value, Table | dict) or (isinstance(value, tuple) and bool(value) and isinstance(value[0], Table))


def _text_table(texts: dict[str, str]) -> Item:
    inner = tomlkit.table()
    inner.update(texts)
    return inner


def _plain(value: Any) -> Any:
    """Return the value as TOML has it: sets sorted, so that a file always comes out the same."""
    if isinstance(value, frozenset | tuple):
        return sorted(_plain(one) for one in value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.value if isinstance(value, Enum) else value
