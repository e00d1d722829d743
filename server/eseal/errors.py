"""The one error family: what went wrong, what may leave the house, and which gRPC status says so.

::

    EsealError
    ├── InvalidInput        INVALID_ARGUMENT     the document or request breaks a rule; faults say where and which
    ├── Unauthenticated     UNAUTHENTICATED      no caller could be read from the client certificate
    ├── CallerRefused       PERMISSION_DENIED    the caller is not one that the register knows
    ├── MandateRefused      FAILED_PRECONDITION  no mandate lets this caller have this sealed; refusals name each rule
    ├── RequestIdReused     ALREADY_EXISTS       the request id was used before for other content
    ├── Overloaded          RESOURCE_EXHAUSTED   a queue or a quota is full; try again after ``retry_after``
    ├── Unavailable         UNAVAILABLE          the HSM, the ledger or a network service is away; try again
    ├── DeadlineExceeded    DEADLINE_EXCEEDED    the caller's time ran out before the key was touched
    ├── NotBuilt            UNIMPLEMENTED        asked for something this version does not do
    ├── Internal            INTERNAL             our own fault; the cause is in the log, not in the answer
    └── SetupError          (the server does not start; the message is for the operator)

``message`` and ``metadata`` go to the caller and into the log, so neither may hold a secret or learner data. A cause
(``raise ... from error``) goes to the log alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eseal.terms import Fault, Refusal


class EsealError(Exception):
    """An error that is meant for the person who must act on it.

    ``code`` is the canonical status name of ``google.rpc.Code``; ``reason`` is the stable UPPER_SNAKE_CASE word of
    ``google.rpc.ErrorInfo`` (AIP-193) that programs may branch on.
    """

    code: ClassVar[str] = "INTERNAL"
    reason: str

    def __init__(self, reason: str, message: str, *, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata: dict[str, str] = dict(metadata or {})


class InvalidInput(EsealError):
    """The caller's document or request breaks a rule; every fault found is listed, not only the first."""

    code = "INVALID_ARGUMENT"

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        faults: Sequence[Fault] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason, message, metadata=metadata)
        self.faults = tuple(faults)


class Unauthenticated(EsealError):
    """No caller could be read from the connection."""

    code = "UNAUTHENTICATED"


class CallerRefused(EsealError):
    """The caller is authenticated, but not one that may use this service; ``refusals`` holds all that the policy found."""

    code = "PERMISSION_DENIED"

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        refusals: Sequence[Refusal] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason, message, metadata=metadata)
        self.refusals = tuple(refusals)


class MandateRefused(EsealError):
    """The mandate policy refuses; ``refusals`` names every rule that does, with the fact it looked at."""

    code = "FAILED_PRECONDITION"

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        rules = ", ".join(dict.fromkeys(refusal.rule for refusal in refusals))
        super().__init__(
            "MANDATE_REFUSED", f"The mandate policy refuses this seal: {rules}.", metadata={"rules": rules}
        )
        self.refusals = tuple(refusals)


class RequestIdReused(EsealError):
    """The caller used this request id before, for other content."""

    code = "ALREADY_EXISTS"


class RetryLater(EsealError):
    """Shared by the errors that pass with time: ``retry_after`` is in seconds."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        retry_after: float = 1.0,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason, message, metadata=metadata)
        self.retry_after = retry_after


class Overloaded(RetryLater):
    """A queue or a quota is full."""

    code = "RESOURCE_EXHAUSTED"


class Unavailable(RetryLater):
    """A part the seal needs (HSM, ledger, time-stamp authority) is away for now."""

    code = "UNAVAILABLE"


class DeadlineExceeded(EsealError):
    """The caller's deadline passed; nothing was sealed in vain."""

    code = "DEADLINE_EXCEEDED"


class NotBuilt(EsealError):
    """This version does not do what was asked."""

    code = "UNIMPLEMENTED"


class Internal(EsealError):
    """Our own fault. The answer is coarse on purpose; the log has the cause."""

    code = "INTERNAL"


class SetupError(EsealError):
    """The house cannot open: the message says what the operator should do."""

    code = "FAILED_PRECONDITION"
