"""IssuanceService: translation between the wire and ``issuance``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import structlog
from prometheus_client import Counter as Counted

from eseal.batch import kept
from eseal.errors import EsealError, InvalidInput
from eseal.issuance.stages import IssueRequest, Sealed
from eseal.rpc import translate
from eseal.rpc.observation import ITEMS, REFUSED, deadline_of
from eseal.rpc.work import PART_BYTES, overlapped, parts
from eseal.terms import Fault, Lane
from eseal.wire import issuance_pb2, issuance_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    import grpc

    from eseal.issuance.stages import SealRequest
    from eseal.rpc.callers import Callers
    from eseal.rpc.settings import ServerSettings
    from eseal.rpc.work import Work
    from eseal.terms import Caller, Grant, Refusal

    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

Stream = TypeVar("Stream", issuance_pb2.IssueStreamResponse, issuance_pb2.SealStreamResponse)

log = structlog.get_logger(__name__)

# A sealed credential without what the caller brings along, roughly: the sealer's part, and a page for each language.
CREDENTIAL_BYTES = 16 * 1024
PAGE_BYTES = 8 * 1024

SEALED = Counted("seals_total", "Seals made or replayed.", ["level", "replayed"])


class Sealing(Protocol):
    """What the service asks of the house: see eseal.issuance.Issuance."""

    def run(
        self,
        requests: Sequence[IssueRequest | SealRequest],
        *,
        caller: Caller,
        lane: Lane,
    ) -> list[Sealed | EsealError]:
        """Seal a batch and answer each item in its place."""


class QuotaUse(Protocol):
    """How far a quota of a mandate is used."""

    @property
    def mandate(self) -> str:
        """The mandate's id."""

    @property
    def rule(self) -> str:
        """The rule that refuses when it is used up."""

    @property
    def quota(self) -> int:
        """How many seals it is good for."""

    @property
    def recorded(self) -> int | None:
        """How many were given; None where nobody counted."""


class Decision(Protocol):
    """The mandate policy's answer."""

    @property
    def grant(self) -> Grant | None:
        """The yes, or None."""

    @property
    def refusals(self) -> Sequence[Refusal]:
        """Every rule that refuses."""

    @property
    def facts_used(self) -> Sequence[tuple[str, str]]:
        """The facts that were compared, as name and value in words."""

    @property
    def quotas(self) -> Sequence[QuotaUse]:
        """How far the quotas of the mandates that were looked at are used."""

    @property
    def register_sha256(self) -> bytes:
        """Which state of the register answered."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A unary call: whose, and how to read what is asked for."""

    caller: Caller
    read: Callable[[], IssueRequest | SealRequest]


class IssuanceService(issuance_pb2_grpc.IssuanceServiceServicer):
    """Issue, Seal, their streams, and ExplainMandate."""

    def __init__(
        self,
        *,
        sealing: Sealing,
        explain: Callable[[Caller, bytes, datetime | None], Decision],
        callers: Callers,
        work: Work,
        settings: ServerSettings,
    ) -> None:
        self._sealing = sealing
        self._explain = explain
        self._callers = callers
        self._work = work
        self._unary = work.singles(self._seal_together)
        self._settings = settings
        self._courses = translate.Courses()

    async def Issue(self, request: issuance_pb2.IssueRequest, context: Context) -> issuance_pb2.IssueResponse:
        """Build one credential and seal it."""
        read = partial(translate.issue_request, courses=self._courses)
        sealed = await self._one(request, read, context, "Issue")
        response: issuance_pb2.IssueResponse = translate.write_sealed(issuance_pb2.IssueResponse(), sealed)
        return response

    async def Seal(self, request: issuance_pb2.SealRequest, context: Context) -> issuance_pb2.SealResponse:
        """Seal one credential."""
        sealed = await self._one(request, translate.seal_request, context, "Seal")
        response: issuance_pb2.SealResponse = translate.write_sealed(issuance_pb2.SealResponse(), sealed)
        return response

    async def IssueStream(
        self, requests: AsyncIterator[issuance_pb2.IssueStreamRequest], context: Context
    ) -> AsyncIterator[issuance_pb2.IssueStreamResponse]:
        """Issue to the learners of a course, batch by batch."""
        caller = self._callers.of(context)
        answers = overlapped(
            self._with_course(requests),
            partial(self._issue_batch, caller, context),
            window=self._settings.stream_window,
            room=self._work.room(caller.uri),
            size=lambda batch: batch[2].ByteSize(),
        )
        with self._work.stream(caller.uri):
            async for response in answers:
                yield response

    async def SealStream(
        self, requests: AsyncIterator[issuance_pb2.SealStreamRequest], context: Context
    ) -> AsyncIterator[issuance_pb2.SealStreamResponse]:
        """Seal credentials, batch by batch."""
        caller = self._callers.of(context)
        answers = overlapped(
            aiter(requests),
            partial(self._seal_batch, caller, context),
            window=self._settings.stream_window,
            room=self._work.room(caller.uri),
            size=issuance_pb2.SealStreamRequest.ByteSize,
        )
        with self._work.stream(caller.uri):
            async for response in answers:
                yield response

    async def ExplainMandate(
        self, request: issuance_pb2.ExplainMandateRequest, context: Context
    ) -> issuance_pb2.ExplainMandateResponse:
        """Ask the mandate policy, and seal nothing."""
        caller = self._callers.of(context)
        at = translate.moment(request.at, "at") if request.HasField("at") else None
        with self._work.room(caller.uri).call(request.ByteSize()):
            decision = await self._work.run(
                Lane.INTERACTIVE, caller.uri, lambda: self._explain(caller, request.credential, at)
            )
        return issuance_pb2.ExplainMandateResponse(
            granted=decision.grant is not None,
            mandate_ids=decision.grant.mandate_ids if decision.grant else (),
            refusals=[
                issuance_pb2.Refusal(rule=refusal.rule, message=refusal.message, subject=refusal.subject)
                for refusal in decision.refusals
            ],
            register_sha256=decision.register_sha256,
            facts=[issuance_pb2.Fact(name=name, value=value) for name, value in decision.facts_used],
            quotas=[
                issuance_pb2.QuotaUse(mandate_id=use.mandate, rule=use.rule, limit=use.quota, used=use.recorded or 0)
                for use in decision.quotas
            ],
        )

    async def _one(
        self, request: Any, read: Callable[..., IssueRequest | SealRequest], context: Context, method: str
    ) -> Sealed:
        """Seal one, with what its caller has waiting besides; raise what became of it where that is an error."""
        caller = self._callers.of(context)
        call = _Call(caller, partial(read, request, deadline=deadline_of(context)))
        size = request.ByteSize()
        with self._work.room(caller.uri).call(size):
            outcome = await self._unary.run(caller.uri, call, key=request.request_id, size=size)
        if isinstance(outcome, EsealError):
            _refused(outcome, request.request_id, caller, method)
            raise outcome
        _record(outcome, caller, method)
        return outcome

    def _seal_together(self, calls: Sequence[_Call]) -> list[Sealed | EsealError]:
        """Seal what single calls of one caller ask for."""
        return self._sealed([call.read for call in calls], calls[0].caller, Lane.INTERACTIVE)

    def _sealed(
        self, reads: Sequence[Callable[[], IssueRequest | SealRequest]], caller: Caller, lane: Lane
    ) -> list[Sealed | EsealError]:
        """Seal what can be read; one outcome for each, in order."""
        outcomes: list[Sealed | EsealError | None] = []
        requests: list[IssueRequest | SealRequest] = []
        for read in reads:
            try:
                requests.append(read())
            except EsealError as error:
                outcomes.append(kept(error))
            else:
                outcomes.append(None)
        answers = iter(self._sealing.run(requests, caller=caller, lane=lane))
        return [next(answers) if outcome is None else outcome for outcome in outcomes]

    async def _with_course(
        self, requests: AsyncIterator[issuance_pb2.IssueStreamRequest]
    ) -> AsyncIterator[tuple[Any, int, issuance_pb2.IssueStreamRequest]]:
        """Join each message with the course that is in force for it, and about how large its credentials will be."""
        course, size = None, 0
        async for request in requests:
            if request.HasField("micro_credential"):
                course = self._courses.read(request.micro_credential)
                size = _credential_bytes(request.micro_credential)
            if course is None:
                rule = "The first message of an IssueStream must carry the micro_credential: what is awarded."
                raise InvalidInput("COURSE_ABSENT", rule, faults=[Fault("/micro_credential", "request", rule)])
            yield course, size, request

    def _issue_batch(
        self, caller: Caller, context: Context, batch: tuple[Any, int, issuance_pb2.IssueStreamRequest]
    ) -> AsyncIterator[issuance_pb2.IssueStreamResponse]:
        course, size, request = batch
        deadline = deadline_of(context)

        def read(item: issuance_pb2.IssueItem) -> IssueRequest:
            return IssueRequest(
                request_id=item.request_id,
                micro_credential=course,
                learner=translate.domain(item.learner, "/learner"),
                level=translate.level(request.level),
                deadline=deadline,
            )

        sizes = [size] * len(request.items)
        return self._batch(request.items, sizes, read, caller, issuance_pb2.IssueStreamResponse)

    def _seal_batch(
        self, caller: Caller, context: Context, request: issuance_pb2.SealStreamRequest
    ) -> AsyncIterator[issuance_pb2.SealStreamResponse]:
        read = partial(translate.seal_request, deadline=deadline_of(context))
        sizes = [len(item.credential) + CREDENTIAL_BYTES for item in request.items]
        return self._batch(request.items, sizes, read, caller, issuance_pb2.SealStreamResponse)

    async def _batch(
        self,
        items: Sequence[Any],
        sizes: Sequence[int],
        read: Callable[[Any], Any],
        caller: Caller,
        response: type[Stream],
    ) -> AsyncIterator[Stream]:
        """Seal what could be read of a batch; answer every item under its own request id.

        ``sizes`` are about how large the credentials will be: a large batch is sealed, and answered, in parts.
        """
        if len(items) > self._settings.max_batch_items:
            rule = f"A message carries at most {self._settings.max_batch_items} items; this one has {len(items)}."
            raise InvalidInput("BATCH_TOO_LARGE", rule, faults=[Fault("/items", "request", rule)])

        method = response.DESCRIPTOR.name.removesuffix("Response")
        most = min(PART_BYTES, self._settings.max_message_bytes // 2)

        def seal(part: Sequence[Any]) -> list[Stream]:
            outcomes = self._sealed([partial(read, item) for item in part], caller, Lane.BULK)
            request_ids = [item.request_id for item in part]
            _record_batch(request_ids, outcomes, caller, method)
            return translate.write_results(response, request_ids, outcomes, most=most)

        for part in parts(items, sizes, most=most):
            for answer in await self._work.run(Lane.BULK, caller.uri, partial(seal, part)):
                yield answer


def _credential_bytes(course: Any) -> int:
    """About how large a credential of ``course`` is. Files go into it in Base64; pages are in its languages."""
    pages = max(len(course.languages), len(course.title), 1)
    return int(course.ByteSize()) * 4 // 3 + CREDENTIAL_BYTES + pages * PAGE_BYTES


def _record_batch(
    request_ids: Sequence[str], outcomes: Sequence[Sealed | EsealError], caller: Caller, method: str
) -> None:
    """One line for the seals of a batch, and one for each refusal. The ledger has a row for each seal."""
    sealed = [outcome for outcome in outcomes if isinstance(outcome, Sealed)]
    for request_id, outcome in zip(request_ids, outcomes, strict=True):
        if isinstance(outcome, EsealError):
            _refused(outcome, request_id, caller, method)
    if not sealed:
        return
    ITEMS.labels(method, "OK").inc(len(sealed))
    for (level, replayed), count in Counter((one.level, one.replayed) for one in sealed).items():
        SEALED.labels(level, str(replayed).lower()).inc(count)
    log.info(
        "sealed_batch",
        caller=caller.uri,
        count=len(sealed),
        replayed=sum(one.replayed for one in sealed),
        first_request_id=sealed[0].request_id,
        last_request_id=sealed[-1].request_id,
        mandates=sorted({mandate_id for one in sealed for mandate_id in one.mandate_ids}),
        key_labels=sorted({one.key_label for one in sealed}),
    )


def _record(sealed: Sealed, caller: Caller, method: str) -> None:
    """One line for each seal: who, for which request, what id, by which mandates and key; nothing of its content."""
    ITEMS.labels(method, "OK").inc()
    SEALED.labels(sealed.level, str(sealed.replayed).lower()).inc()
    log.info(
        "sealed",
        caller=caller.uri,
        request_id=sealed.request_id,
        credential_id=sealed.credential_id,
        mandates=sealed.mandate_ids,
        key_label=sealed.key_label,
        level=sealed.level,
        replayed=sealed.replayed,
    )


def _refused(error: EsealError, request_id: str, caller: Caller, method: str) -> None:
    """One line for each refusal: who, for which request, and the reason; of the mandate policy, its rules."""
    ITEMS.labels(method, error.code).inc()
    rules = sorted({refusal.rule for refusal in getattr(error, "refusals", ())})
    for rule in rules:
        REFUSED.labels(rule).inc()
    log.info(
        "not_sealed", caller=caller.uri, request_id=request_id[:128], code=error.code, reason=error.reason, rules=rules
    )
