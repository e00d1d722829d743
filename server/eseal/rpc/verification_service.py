"""VerificationService: translation between the wire and ``verification``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from eseal.batch import Batch
from eseal.errors import EsealError, InvalidInput
from eseal.rpc import translate
from eseal.rpc.observation import ITEMS
from eseal.rpc.status import status
from eseal.rpc.work import overlapped
from eseal.terms import Fault, Lane
from eseal.verification import VerifyInput
from eseal.verification.report import signer_name
from eseal.wire import verification_pb2, verification_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    import grpc
    from google.protobuf.message import Message

    from eseal.rpc.callers import Callers
    from eseal.rpc.settings import ServerSettings
    from eseal.rpc.work import Work
    from eseal.trust.verdict import SealVerdict, TimestampVerdict
    from eseal.verification.report import Report

    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]


class Verifying(Protocol):
    """What the service asks of the house: ``verification.verify`` with the house's anchors and register."""

    def __call__(self, documents: Sequence[VerifyInput]) -> list[Report]:
        """Verify a batch; one report a document, in order."""


class VerificationService(verification_pb2_grpc.VerificationServiceServicer):
    """Verify and its stream."""

    def __init__(self, *, verifying: Verifying, callers: Callers, work: Work, settings: ServerSettings) -> None:
        self._verifying = verifying
        self._callers = callers
        self._work = work
        self._settings = settings

    async def Verify(
        self, request: verification_pb2.VerifyRequest, context: Context
    ) -> verification_pb2.VerifyResponse:
        """Verify one document."""
        share = self._callers.share(context)
        with self._work.room(share).call(request.ByteSize()):
            (report,) = await self._work.run(Lane.INTERACTIVE, share, lambda: self._verifying([_input(request)]))
        ITEMS.labels("Verify", report.verdict).inc()
        return _response(report)

    async def VerifyStream(
        self, requests: AsyncIterator[verification_pb2.VerifyStreamRequest], context: Context
    ) -> AsyncIterator[verification_pb2.VerifyStreamResponse]:
        """Verify documents, batch by batch."""
        share = self._callers.share(context)
        answers = overlapped(
            aiter(requests),
            partial(self._batch, share),
            window=self._settings.stream_window,
            room=self._work.room(share),
            size=verification_pb2.VerifyStreamRequest.ByteSize,
        )
        with self._work.stream(share):
            async for results in answers:
                yield verification_pb2.VerifyStreamResponse(results=results)

    async def _batch(
        self, share: str, request: verification_pb2.VerifyStreamRequest
    ) -> AsyncIterator[list[verification_pb2.VerifyResult]]:
        if len(request.items) > self._settings.max_batch_items:
            rule = (
                f"A message carries at most {self._settings.max_batch_items} items; this one has {len(request.items)}."
            )
            raise InvalidInput("BATCH_TOO_LARGE", rule, faults=[Fault("/items", "request", rule)])

        def verify() -> list[verification_pb2.VerifyResult]:
            batch: Batch[Report] = Batch(len(request.items))
            inputs = batch.each(dict(enumerate(request.items)), lambda item: _input(item.document))
            for place, report in batch.together(inputs, self._verifying).items():
                batch.settle(place, report)
            return [
                _result(item.request_id, outcome) for item, outcome in zip(request.items, batch.outcomes(), strict=True)
            ]

        yield await self._work.run(Lane.BULK, share, verify)


def _result(request_id: str, outcome: Report | EsealError) -> verification_pb2.VerifyResult:
    if isinstance(outcome, EsealError):
        return verification_pb2.VerifyResult(request_id=request_id, status=status(outcome))
    ITEMS.labels("VerifyStream", outcome.verdict).inc()
    return verification_pb2.VerifyResult(request_id=request_id, report=_response(outcome))


def _input(request: verification_pb2.VerifyRequest) -> VerifyInput:
    at = translate.moment(request.at, "at") if request.HasField("at") else None
    return VerifyInput(request.document, tuple(request.detached), at=at)


def _response(report: Report) -> verification_pb2.VerifyResponse:
    return verification_pb2.VerifyResponse(
        verdict=f"VERDICT_{report.verdict}",
        checks=[
            verification_pb2.Check(name=name, status=f"CHECK_STATUS_{check.status}", reasons=check.reasons)
            for name, check in report.checks.items()
        ],
        seals=[_seal(verdict) for verdict in report.seals],
    )


def _seal(verdict: SealVerdict) -> verification_pb2.Seal:
    seal = verification_pb2.Seal(
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        level=verdict.level,
        signer=signer_name(verdict.certificate.subject) if verdict.certificate else "",
        timestamps=[_timestamp(stamp) for stamp in verdict.timestamps],
        reasons=verdict.reasons,
    )
    _set(seal, "signing_time", verdict.signing_time)
    _set(seal, "best_signature_time", verdict.best_signature_time)
    return seal


def _timestamp(stamp: TimestampVerdict) -> verification_pb2.TimeStamp:
    written = verification_pb2.TimeStamp(kind=stamp.kind, intact=bool(stamp.intact))
    _set(written, "time", stamp.time)
    return written


def _set(message: Message, name: str, moment: datetime | None) -> None:
    if moment is not None:
        getattr(message, name).FromDatetime(moment)
