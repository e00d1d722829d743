"""The read side of issuance: what the ledger knows of a request."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from eseal.ledger.records import Claim, Entry, Intent, State
from eseal.ledger.schema import intent, outcome
from eseal.ledger.shelf import Basis, read_bases, read_materials
from eseal.terms import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

# SQLite takes 32,766 variables a statement, PostgreSQL 65,535.
LOOK_UP_AT_ONCE = 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

ATTEMPTS = select(
    intent,
    outcome.c.recorded.label("concluded"),
    outcome.c.state,
    outcome.c.signature,
    outcome.c.etsi_u,
    outcome.c.failure,
).select_from(intent.outerjoin(outcome, outcome.c.intent == intent.c.serial))

# Built once: a statement takes SQLAlchemy longer to build than SQLite to run.
_ATTEMPTS_OF = ATTEMPTS.where(intent.c.request.in_(bindparam("requests", expanding=True))).order_by(intent.c.attempt)


def to_microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970; exact, as a float's seconds would not be."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(moment: int) -> datetime:
    """The UTC time of whole microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=moment)


def read_entries(connection: Connection, requests: Sequence[bytes]) -> dict[bytes, Entry]:
    """The latest attempt of each request (by its digest) that there is one of."""
    latest: dict[bytes, Row[tuple[object, ...]]] = {}
    for start in range(0, len(requests), LOOK_UP_AT_ONCE):
        some = requests[start : start + LOOK_UP_AT_ONCE]
        rows = connection.execute(_ATTEMPTS_OF, {"requests": some})
        latest.update((row.request, row) for row in rows)
    return _entries(connection, latest) if latest else {}


def _entries(connection: Connection, rows: dict[bytes, Row[tuple[object, ...]]]) -> dict[bytes, Entry]:
    bases = read_bases(connection, {row.basis for row in rows.values()})
    etsi_u = {key: [bytes.fromhex(text) for text in json.loads(row.etsi_u or "[]")] for key, row in rows.items()}
    wanted = {row.protected for row in rows.values()} | {basis.completion for basis in bases.values()}
    materials = read_materials(connection, wanted.union(*etsi_u.values()))
    return {
        key: _entry(row, bases[row.basis], materials, etsi_u=tuple(materials[text].decode() for text in etsi_u[key]))
        for key, row in rows.items()
    }


def _entry(
    row: Row[tuple[object, ...]], basis: Basis, materials: dict[bytes, bytes], *, etsi_u: tuple[str, ...]
) -> Entry:
    intended = Intent(
        caller=basis.caller,
        request_id=row.request_id,
        content_sha256=row.content_sha256,
        level=Level(basis.level),
        sealer=basis.sealer,
        key_label=basis.key_label,
        certificate_sha256=basis.certificate_sha256,
        member=basis.member,
        awarding_bodies=basis.awarding_bodies,
        mandate_ids=basis.mandate_ids,
        self_issue=basis.self_issue,
        register_sha256=basis.register_sha256,
        credential_id=row.credential_id,
        issued=from_microseconds(row.issued),
        completion=materials[basis.completion],
        protected=materials[row.protected].decode(),
        payload_sha256=row.payload_sha256,
        signing_digest=row.signing_digest,
    )
    return Entry(
        intent=intended,
        state=State(row.state or State.INTENDED),
        attempt=row.attempt,
        claim=Claim(row.serial, basis.mandate_ids),
        recorded=from_microseconds(row.recorded),
        claimed_until=from_microseconds(row.claimed_until),
        concluded=from_microseconds(row.concluded) if row.state else None,
        signature=row.signature or b"",
        etsi_u=etsi_u,
        failure=row.failure or "",
    )
