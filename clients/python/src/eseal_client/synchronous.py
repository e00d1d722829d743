"""The client for ordinary programs. Thread-safe; use it as a context manager."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Self

import grpc

from eseal_client import messages, results
from eseal_client.errors import EsealError, from_rpc
from eseal_client.rounds import Rounds
from eseal_client.wire import issuance_pb2, issuance_pb2_grpc, verification_pb2, verification_pb2_grpc
from eseal_client.wire.credential_pb2 import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from eseal_client.connection import Connection
    from eseal_client.results import Sealed
    from eseal_client.wire.credential_pb2 import Learner, MicroCredential


class Client:
    """Calls one server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        credentials = connection.credentials()
        self._channel = (
            grpc.insecure_channel(connection.target, connection.options())
            if credentials is None
            else grpc.secure_channel(connection.target, credentials, connection.options())
        )
        self._issuance = issuance_pb2_grpc.IssuanceServiceStub(self._channel)
        self._verification = verification_pb2_grpc.VerificationServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def issue(
        self,
        micro_credential: MicroCredential,
        learner: Learner,
        *,
        request_id: str = "",
        level: Level = Level.LEVEL_UNSPECIFIED,
    ) -> Sealed:
        """Have one credential built and sealed. EsealError where it is refused."""
        request = issuance_pb2.IssueRequest(
            request_id=request_id or str(uuid.uuid4()), micro_credential=micro_credential, learner=learner, level=level
        )
        response = self._call(self._issuance.Issue, request)
        return results.sealed(request.request_id, response, check=self._connection.check)

    def seal(self, credential: bytes, *, request_id: str = "", level: Level = Level.LEVEL_UNSPECIFIED) -> Sealed:
        """Have a credential sealed that you built (JSON bytes)."""
        request = issuance_pb2.SealRequest(
            request_id=request_id or str(uuid.uuid4()), credential=credential, level=level
        )
        response = self._call(self._issuance.Seal, request)
        return results.sealed(request.request_id, response, check=self._connection.check)

    def explain(self, credential: bytes) -> issuance_pb2.ExplainMandateResponse:
        """Ask whether ``seal`` would be granted, and by which rules; nothing is sealed."""
        return self._call(self._issuance.ExplainMandate, issuance_pb2.ExplainMandateRequest(credential=credential))

    def verify(self, document: bytes, *detached: bytes) -> verification_pb2.VerifyResponse:
        """Have a sealed document verified."""
        request = verification_pb2.VerifyRequest(document=document, detached=detached)
        return self._call(self._verification.Verify, request)

    def issue_many(
        self,
        micro_credential: MicroCredential,
        learners: Iterable[tuple[str, Learner]],
        *,
        level: Level = Level.LEVEL_UNSPECIFIED,
    ) -> Iterator[tuple[str, Sealed | EsealError]]:
        """Issue to (request id, learner) pairs; (request id, outcome) pairs come as they are done, in any order."""
        return self._run(
            self._issuance.IssueStream,
            learners,
            write=lambda items, first: messages.issue_batch(items, micro_credential if first else None, level),
            read=lambda result: results.item(result, check=self._connection.check),
        )

    def seal_many(
        self, credentials: Iterable[tuple[str, bytes]], *, level: Level = Level.LEVEL_UNSPECIFIED
    ) -> Iterator[tuple[str, Sealed | EsealError]]:
        """Seal (request id, credential) pairs; (request id, outcome) pairs come as they are done, in any order."""
        return self._run(
            self._issuance.SealStream,
            credentials,
            write=lambda items, _: messages.seal_batch(items, level),
            read=lambda result: results.item(result, check=self._connection.check),
        )

    def verify_many(
        self, documents: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, verification_pb2.VerifyResponse | EsealError]]:
        """Verify (name, document) pairs; (name, report) pairs come as they are done, in any order."""
        return self._run(
            self._verification.VerifyStream,
            documents,
            write=lambda items, _: messages.verify_batch(items),
            read=messages.report,
        )

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return method(request, timeout=self._connection.timeout)
        except grpc.RpcError as error:
            raise from_rpc(error) from None

    def _run(
        self,
        method: Callable[..., Any],
        items: Iterable[tuple[str, Any]],
        *,
        write: Callable[[list[tuple[str, Any]], bool], Any],
        read: Callable[[Any], Any],
    ) -> Iterator[tuple[str, Any]]:
        """Stream rounds until everything is answered."""
        rounds = Rounds(items, batch=self._connection.batch, attempts=self._connection.attempts)
        while True:
            try:
                for result in self._round(method, rounds, write):
                    outcome = read(result)
                    if rounds.answered(result.request_id, outcome):
                        yield result.request_id, outcome
            except grpc.RpcError as error:
                rounds.broken(from_rpc(error))
            pause = rounds.pause()
            if pause is None:
                return
            time.sleep(pause)

    def _round(
        self, method: Callable[..., Any], rounds: Rounds[Any], write: Callable[[list[tuple[str, Any]], bool], Any]
    ) -> Iterator[Any]:
        """One stream. ``room`` is what keeps the sender from running ahead of the answers."""
        room = threading.Semaphore(self._connection.window)
        over = threading.Event()

        def requests() -> Iterator[Any]:
            first = True
            for items in rounds.batches():
                room.acquire()
                if over.is_set():
                    return
                yield write(items, first)
                first = False

        call = method(requests())
        try:
            for response in call:
                yield from response.results
                for _ in range(rounds.room(len(response.results))):
                    room.release()
        finally:
            over.set()
            room.release()
            call.cancel()
