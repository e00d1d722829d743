"""Reading the ledger as an auditor does: who had what sealed, in whose name, by what right, and where that stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from eseal.ledger.cells import snapshot_as_it_is
from eseal.ledger.database import translated
from eseal.ledger.recall import from_microseconds, to_microseconds
from eseal.ledger.records import State
from eseal.ledger.schema import POSITIONS, intent, outcome
from eseal.ledger.written import (
    NO_STATE,
    STATES,
    changed,
    require_columns,
    require_references,
    require_row,
    require_states,
    unknown_basis,
    written_bases,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row, Select

    from eseal.ledger.shelf import Basis

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
    """Yield what answers ``question``: oldest first, or the ``newest`` so many, newest first. One snapshot.

    Raise SetupError where somebody changed what is listed, or what it is chosen by.
    """
    with translated("be read"), snapshot_as_it_is(engine) as connection:
        every = written_bases(connection)
        bases = {digest: basis for digest, basis in every.items() if question.about(basis)}
        query = _query(question)
        if len(bases) < len(every):
            require_references(connection)
            query = query.where(intent.c.basis.in_(bases))
        _require_what_is_asked_for(connection, question)
        if newest is None:
            query = query.order_by(intent.c.recorded, intent.c.serial)
        else:
            query = query.order_by(intent.c.recorded.desc(), intent.c.serial.desc()).limit(newest)
        for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query):
            yield _attempt(row, every)


@dataclass(frozen=True, slots=True)
class Names:
    """Whom and what a question can be about: what stands in the ledger."""

    members: tuple[str, ...]
    awarding_bodies: tuple[str, ...]
    callers: tuple[str, ...]
    mandate_ids: tuple[str, ...]


def names(engine: Engine) -> Names:
    """Tell whom and what the ledger knows."""
    with translated("be read"), snapshot_as_it_is(engine) as connection:
        bases = written_bases(connection).values()
    bodies = {body for basis in bases for body in basis.awarding_bodies}
    return Names(
        members=tuple(sorted({basis.member for basis in bases} | bodies)),
        awarding_bodies=tuple(sorted(bodies)),
        callers=tuple(sorted({basis.caller for basis in bases})),
        mandate_ids=tuple(sorted({mandate_id for basis in bases for mandate_id in basis.mandate_ids})),
    )


def _require_what_is_asked_for(connection: Connection, question: Question) -> None:
    """Refuse what the question would leave out because it is not what was written."""
    if question.since is not None or question.until is not None:
        require_columns(connection, intent, intent.c.recorded)
    if question.state is not None:
        require_states(connection)


_OUTCOME = [column.label(f"outcome_{column.name}") for column in outcome.columns]


def _query(question: Question) -> Select[Any]:
    state = func.coalesce(outcome.c.state, State.INTENDED.value)
    query = select(intent, *_OUTCOME).select_from(intent.outerjoin(outcome, outcome.c.intent == intent.c.serial))
    if question.state is not None:
        query = query.where(state == question.state.value)
    if question.since is not None:
        query = query.where(intent.c.recorded >= to_microseconds(question.since))
    if question.until is not None:
        query = query.where(intent.c.recorded < to_microseconds(question.until))
    return query


def _attempt(row: Row[Any], bases: Mapping[bytes, Basis]) -> Attempt:
    require_row(intent, row[: len(intent.columns)])
    basis = bases.get(row.basis)
    if basis is None:
        raise unknown_basis(row.serial)
    concluded = row.outcome_intent is not None
    if concluded:
        require_row(outcome, row[len(intent.columns) :])
        if row.outcome_state not in STATES:
            raise changed(outcome, row.outcome_intent, "state", NO_STATE)
    return Attempt(
        recorded=from_microseconds(row.recorded),
        state=State(row.outcome_state) if concluded else State.INTENDED,
        failure=row.outcome_failure or "",
        concluded=from_microseconds(row.outcome_recorded) if concluded else None,
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
        signature=row.outcome_signature or b"",
        intent_row=_place(row.serial),
        intent_digest=row.digest,
        outcome_row=_place(row.outcome_serial) if concluded else "",
        outcome_digest=row.outcome_digest or b"",
    )


def _place(serial: int) -> str:
    return "-".join(map(str, divmod(serial, POSITIONS)))
