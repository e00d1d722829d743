"""What every call has in common: its log line, its metrics, its deadline, and errors said as rich status.

One interceptor wraps every handler, so a service is pure translation: it raises the error family and returns messages.
A log line names the call, the caller and the outcome, never content.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from grpc_status import rpc_status
from prometheus_client import Counter, Gauge, Histogram

from eseal.errors import EsealError, Internal
from eseal.rpc import status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from eseal.rpc.doors import Doors

log = structlog.get_logger(__name__)

HANDLED = Counter(
    "grpc_server_handled_total", "RPCs completed, by outcome.", ["grpc_service", "grpc_method", "grpc_code"]
)
HANDLING = Histogram(
    "grpc_server_handling_seconds",
    "Seconds from the first byte of an RPC to its end.",
    ["grpc_service", "grpc_method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)
IN_FLIGHT = Gauge(
    "grpc_server_in_flight", "RPCs under way.", ["grpc_service", "grpc_method"], multiprocess_mode="livesum"
)
ITEMS = Counter("batch_items_total", "Items answered, by outcome.", ["grpc_method", "grpc_code"])
REFUSED = Counter("policy_denied_total", "Refusals of the mandate policy, by rule.", ["rule"])

# The answer needs time to travel: a call is given up this many seconds before its caller gives up on it.
WAY_BACK = 0.02


def deadline_of(context: grpc.aio.ServicerContext[Any, Any]) -> float | None:
    """The monotonic time by which the work must be done; None where the caller set no deadline."""
    remaining = context.time_remaining()
    return None if remaining is None else time.monotonic() + remaining - WAY_BACK


class Observation(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Wraps every handler of our own services; health and reflection pass as they are."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the handler of this call, observed."""
        handler = await continuation(handler_call_details)
        service, _, method = handler_call_details.method.lstrip("/").partition("/")
        if handler is None or not service.startswith("eseal."):
            return handler
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(
                _observed_stream(handler.stream_stream, service, method, self._doors),
                request_deserializer=handler.request_deserializer,
                response_serializer=handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            _observed_unary(handler.unary_unary, service, method, self._doors),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _observed_unary(behaviour: Any, service: str, method: str, doors: Doors) -> Any:
    async def unary(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        async with _observed(context, service, method):
            doors.enter()
            return await behaviour(request, context)

    return unary


def _observed_stream(behaviour: Any, service: str, method: str, doors: Doors) -> Any:
    async def stream(requests: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        async with _observed(context, service, method):
            doors.enter()
            async for response in behaviour(requests, context):
                yield response

    return stream


@contextlib.asynccontextmanager
async def _observed(context: grpc.aio.ServicerContext[Any, Any], service: str, method: str) -> AsyncIterator[None]:
    """Time the call, log it, and turn what it raises into a status."""
    started = time.perf_counter()
    peer = context.peer()  # Asked now: once a call is cancelled, gRPC has freed what this would look at.
    in_flight = IN_FLIGHT.labels(service, method)
    in_flight.inc()
    code = "CANCELLED"  # what is neither answered nor failed was given up by the client
    try:
        yield
        code = "OK"
    except EsealError as error:
        code = error.code
        _end(context, error)
    except Exception as error:
        code = "INTERNAL"
        log.exception("rpc_failed", rpc=method, error_type=type(error).__name__)
        _end(context, Internal("INTERNAL", "The service failed; the operator's log has the cause."))
    finally:
        in_flight.dec()
        HANDLED.labels(service, method, code).inc()
        seconds = time.perf_counter() - started
        HANDLING.labels(service, method).observe(seconds)
        log.info("rpc", rpc=method, peer=peer, code=code, seconds=round(seconds, 6))


def _end(context: grpc.aio.ServicerContext[Any, Any], error: EsealError) -> None:
    """End the call with ``error`` as its status.

    Not by ``context.abort``: gRPC keeps the exception that it raises beside the call, and with its traceback all that the
    call held, until the garbage collector comes by.
    """
    if error.__cause__ is not None:
        log.warning("rpc_cause", reason=error.reason, error_type=type(error.__cause__).__name__)
    said = rpc_status.to_status(status.status(error))
    context.set_code(said.code)
    context.set_details(said.details)
    context.set_trailing_metadata(said.trailing_metadata)
