"""The gRPC server of one process: services, health, reflection, and a stop that finishes what is in flight."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import structlog
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from eseal.errors import SetupError
from eseal.rpc.callers import Callers
from eseal.rpc.doors import Doors
from eseal.rpc.issuance_service import IssuanceService
from eseal.rpc.observation import Observation
from eseal.rpc.symbols import Symbols
from eseal.rpc.verification_service import VerificationService
from eseal.rpc.work import Work
from eseal.wire import issuance_pb2, issuance_pb2_grpc, verification_pb2, verification_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from eseal.rpc.issuance_service import Decision, Sealing
    from eseal.rpc.settings import ServerSettings, TlsSettings
    from eseal.rpc.verification_service import Verifying
    from eseal.terms import Caller

log = structlog.get_logger(__name__)

ISSUANCE = issuance_pb2.DESCRIPTOR.services_by_name["IssuanceService"].full_name
VERIFICATION = verification_pb2.DESCRIPTOR.services_by_name["VerificationService"].full_name
HEALTH_SECONDS = 0.5
# A worker that issues classes has a quarter of it.
LARGE_BYTES = 1024 * 1024 * 1024
# Of mallopt(3), which has no names for them outside C.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


class Server:
    """Serves until it is told to stop. ``ready`` is called with the port once calls are taken."""

    def __init__(
        self,
        settings: ServerSettings,
        *,
        sealing: Sealing,
        verifying: Verifying,
        explain: Callable[[Caller, bytes, Any], Decision],
        healthy: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._sealing = sealing
        self._verifying = verifying
        self._explain = explain
        self._healthy = healthy

    def run(self, ready: Callable[[int], None]) -> None:
        """Serve on this thread, until SIGTERM or SIGINT."""
        _keep_memory()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: Callable[[int], None]) -> None:
        work, doors = Work(self._settings), Doors()
        checks = health.aio.HealthServicer()
        server = self._built(work, doors, checks)
        port = self._listening(server)
        await server.start()
        watching = asyncio.create_task(self._watch(checks))
        stop = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, stop.set)
        ready(port)
        await stop.wait()
        log.info("stopping", grace=self._settings.grace)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await checks.enter_graceful_shutdown()
        await server.stop(await doors.close(self._settings.grace))
        work.close()

    def _built(self, work: Work, doors: Doors, checks: health.aio.HealthServicer) -> grpc.aio.Server:
        keepalive = int(self._settings.keepalive * 1000)
        server = grpc.aio.server(
            interceptors=[Observation(doors)],
            options=[
                ("grpc.max_receive_message_length", self._settings.max_message_bytes),
                ("grpc.max_send_message_length", self._settings.max_message_bytes),
                ("grpc.keepalive_time_ms", keepalive),
                ("grpc.keepalive_timeout_ms", keepalive),
                ("grpc.http2.ping_timeout_ms", keepalive),
                ("grpc.so_reuseport", 1 if self._settings.processes > 1 else 0),
            ],
        )
        callers = Callers(self._settings)
        issuance = IssuanceService(
            sealing=self._sealing, explain=self._explain, callers=callers, work=work, settings=self._settings
        )
        verification = VerificationService(
            verifying=self._verifying, callers=callers, work=work, settings=self._settings
        )
        issuance_pb2_grpc.add_IssuanceServiceServicer_to_server(issuance, server)
        verification_pb2_grpc.add_VerificationServiceServicer_to_server(verification, server)
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)
        reflection.enable_server_reflection(
            (ISSUANCE, VERIFICATION, health.SERVICE_NAME, reflection.SERVICE_NAME), server, pool=Symbols()
        )
        return server

    def _listening(self, server: grpc.aio.Server) -> int:
        """Bind the address; SetupError where it is taken."""
        try:
            if self._settings.tls is None:
                port = server.add_insecure_port(self._settings.listen)
            else:
                port = server.add_secure_port(self._settings.listen, _credentials(self._settings.tls))
        except RuntimeError as error:
            raise SetupError(
                "ADDRESS_NOT_BOUND", f"Could not listen on {self._settings.listen}: is another server there already?"
            ) from error
        return int(port)

    async def _watch(self, checks: health.aio.HealthServicer) -> None:
        """Keep the health of each service as it is: issuance goes with the HSM and the ledger, verification stays."""
        serving = health_pb2.HealthCheckResponse.SERVING
        not_serving = health_pb2.HealthCheckResponse.NOT_SERVING
        await checks.set(VERIFICATION, serving)
        while True:
            state = serving if await asyncio.to_thread(self._healthy) else not_serving
            await checks.set(ISSUANCE, state)
            await checks.set("", state)
            await asyncio.to_thread(_return_memory)
            await asyncio.sleep(HEALTH_SECONDS)


def _return_memory() -> None:
    """Give back what is free, where a flood of large messages took far more memory than batches need."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    if resident > LARGE_BYTES:
        ctypes.CDLL(None).malloc_trim(0)


def _keep_memory() -> None:
    """Tell collector and allocator how a worker lives: what it has now stays, and each batch takes and frees megabytes."""
    gc.freeze()
    # Looking for cycles after every 700 new objects would be in vain: they die with their batch.
    gc.set_threshold(50_000, 20, 20)
    # Freed memory stays with the process. To give it back and fetch it again costs the kernel a tenth of each seal.
    with contextlib.suppress(OSError, AttributeError):  # no glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 8 * 1024 * 1024)
        mallopt(_M_TRIM_THRESHOLD, 64 * 1024 * 1024)


def _credentials(tls: TlsSettings) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(_read(tls.private_key), _read(tls.certificate))],
        root_certificates=_read(tls.client_ca),
        require_client_auth=True,
    )


def _read(path: Any) -> bytes:
    try:
        return bytes(path.read_bytes())
    except OSError as error:
        raise SetupError("TLS_FILE_UNREADABLE", f"[server.tls] cannot read {path}: {error.strerror}.") from error
