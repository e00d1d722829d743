"""What the server said no with, and why, as one exception.

::

    EsealError          code, reason, message, field violations, refused rules, when to try again
    └── PayloadMismatch the server's answer does not hold what it says; nothing of it should be used
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

if TYPE_CHECKING:
    from google.protobuf.any_pb2 import Any


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: where (a JSON pointer) or about whom, which rule, and a sentence."""

    subject: str
    rule: str
    message: str


class EsealError(Exception):
    """A refused request. ``code`` is a gRPC status name, ``reason`` the stable word of google.rpc.ErrorInfo.

    ``faults`` are the faults of the input, ``refusals`` the rules of the mandate policy that refuse, ``retry_after``
    the seconds after which the server suggests to try again (None where it suggests nothing).
    """

    def __init__(self, status: status_pb2.Status) -> None:
        self.code = code_pb2.Code.Name(status.code)
        self.message = status.message
        self.reason = ""
        self.metadata: dict[str, str] = {}
        self.faults: list[Violation] = []
        self.refusals: list[Violation] = []
        self.retry_after: float | None = None
        for detail in status.details:
            self._read(detail)
        super().__init__(
            f"{self.code} {self.reason}: {self.message}" if self.reason else f"{self.code}: {self.message}"
        )

    @property
    def passes(self) -> bool:
        """Whether sending the same request again can help (AIP-194: UNAVAILABLE alone)."""
        return self.code == "UNAVAILABLE"

    def _read(self, detail: Any) -> None:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        failure, retry = error_details_pb2.PreconditionFailure(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            self.reason, self.metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            self.faults += [Violation(v.field, v.reason, v.description) for v in bad.field_violations]
        elif detail.Unpack(failure):
            self.refusals += [Violation(v.subject, v.type, v.description) for v in failure.violations]
        elif detail.Unpack(retry):
            self.retry_after = retry.retry_delay.ToTimedelta().total_seconds()


class PayloadMismatch(EsealError):
    """The sealed document does not hold the payload that the server named."""

    def __init__(self, message: str) -> None:
        super().__init__(status_pb2.Status(code=code_pb2.DATA_LOSS, message=message))


def from_rpc(error: grpc.RpcError) -> EsealError:
    """Say a gRPC error as ours, with its rich details where it has any."""
    status = rpc_status.from_call(error)
    if status is None:
        code = error.code()
        status = status_pb2.Status(code=code.value[0], message=f"{error.details()}{_hint(code)}")
    return EsealError(status)


def _hint(code: grpc.StatusCode) -> str:
    """What a refused TLS handshake looks like from here is only 'unavailable': name what to look at."""
    if code is not grpc.StatusCode.UNAVAILABLE:
        return ""
    return " (is the server there, is its certificate from your CA, and is your client certificate still valid?)"
