"""Reading the ledger as an auditor does: who had what sealed, in whose name, by what right, and where that stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from eseal.ledger.database import snapshot, translated
from eseal.ledger.recall import from_microseconds, to_microseconds
from eseal.ledger.records import State
from eseal.ledger.schema import POSITIONS, intent, outcome
from eseal.ledger.shelf import Basis, read_bases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Engine, Row, Select

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which attempts to list; what is None does not matter.

    ``party`` is a member that was the caller's or an awarding body: all that it may see. ``since`` (included) and
    ``until`` (excluded) are about when the intent was recorded.
    """

    party: str | None = None
    awarding_body: str | None = None
    caller: str | None = None
    mandate_id: str | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None

    def about(self, basis: Basis) -> bool:
        """Whether a basis fits, as far as the question is about that."""
        return (
            self.party in (None, basis.member, *basis.awarding_bodies)
            and self.awarding_body in (None, *basis.awarding_bodies)
            and self.caller in (None, basis.caller)
            and self.mandate_id in (None, *basis.mandate_ids)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to seal, as it is listed. The two rows are named as writer-position, with their digests."""

    recorded: datetime
    state: State
    failure: str
    concluded: datetime | None
    caller: str
    member: str
    request_id: str
    attempt: int
    awarding_bodies: tuple[str, ...]
    mandate_ids: tuple[str, ...]
    self_issue: bool
    register_sha256: bytes
    sealer: str
    key_label: str
    certificate_sha256: bytes
    level: str
    credential_id: str
    issued: datetime
    content_sha256: bytes
    payload_sha256: bytes
    signature: bytes
    intent_row: str
    intent_digest: bytes
    outcome_row: str
    outcome_digest: bytes


def attempts(engine: Engine, question: Question, *, newest: int | None = None) -> Iterator[Attempt]:
    """Yield what answers ``question``: oldest first, or the ``newest`` so many, newest first. One snapshot."""
    with translated("be read"), snapshot(engine) as connection:
        every = read_bases(connection)
        bases = {digest: basis for digest, basis in every.items() if question.about(basis)}
        query = _query(question)
        if len(bases) < len(every):
            query = query.where(intent.c.basis.in_(bases))
        if newest is None:
            query = query.order_by(intent.c.recorded, intent.c.serial)
        else:
            query = query.order_by(intent.c.recorded.desc(), intent.c.serial.desc()).limit(newest)
        for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query):
            yield _attempt(row, bases[row.basis])


@dataclass(frozen=True, slots=True)
class Names:
    """Whom and what a question can be about: what stands in the ledger."""

    members: tuple[str, ...]
    awarding_bodies: tuple[str, ...]
    callers: tuple[str, ...]
    mandate_ids: tuple[str, ...]


def names(engine: Engine) -> Names:
    """Tell whom and what the ledger knows."""
    with translated("be read"), snapshot(engine) as connection:
        bases = read_bases(connection).values()
    bodies = {body for basis in bases for body in basis.awarding_bodies}
    return Names(
        members=tuple(sorted({basis.member for basis in bases} | bodies)),
        awarding_bodies=tuple(sorted(bodies)),
        callers=tuple(sorted({basis.caller for basis in bases})),
        mandate_ids=tuple(sorted({mandate_id for basis in bases for mandate_id in basis.mandate_ids})),
    )


def _query(question: Question) -> Select[Any]:
    state = func.coalesce(outcome.c.state, State.INTENDED.value)
    query = select(
        intent,
        state.label("state"),
        outcome.c.serial.label("outcome_serial"),
        outcome.c.recorded.label("concluded"),
        outcome.c.signature,
        outcome.c.failure,
        outcome.c.digest.label("outcome_digest"),
    ).select_from(intent.outerjoin(outcome, outcome.c.intent == intent.c.serial))
    if question.state is not None:
        query = query.where(state == question.state.value)
    if question.since is not None:
        query = query.where(intent.c.recorded >= to_microseconds(question.since))
    if question.until is not None:
        query = query.where(intent.c.recorded < to_microseconds(question.until))
    return query


def _attempt(row: Row[Any], basis: Basis) -> Attempt:
    concluded = row.outcome_serial is not None
    return Attempt(
        recorded=from_microseconds(row.recorded),
        state=State(row.state),
        failure=row.failure or "",
        concluded=from_microseconds(row.concluded) if concluded else None,
        caller=basis.caller,
        member=basis.member,
        request_id=row.request_id,
        attempt=row.attempt,
        awarding_bodies=basis.awarding_bodies,
        mandate_ids=basis.mandate_ids,
        self_issue=basis.self_issue,
        register_sha256=basis.register_sha256,
        sealer=basis.sealer,
        key_label=basis.key_label,
        certificate_sha256=basis.certificate_sha256,
        level=basis.level,
        credential_id=row.credential_id,
        issued=from_microseconds(row.issued),
        content_sha256=row.content_sha256,
        payload_sha256=row.payload_sha256,
        signature=row.signature or b"",
        intent_row=_place(row.serial),
        intent_digest=row.digest,
        outcome_row=_place(row.outcome_serial) if concluded else "",
        outcome_digest=row.outcome_digest or b"",
    )


def _place(serial: int) -> str:
    return "-".join(map(str, divmod(serial, POSITIONS)))
