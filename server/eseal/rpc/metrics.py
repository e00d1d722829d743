"""Prometheus metrics on a port of their own; with several workers they are added up from a shared folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from eseal.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eseal.rpc.settings import ServerSettings


@contextlib.contextmanager
def metrics_server(settings: ServerSettings, *, shared: bool) -> Iterator[None]:
    """Serve /metrics while the context lasts. ``shared``: collect from workers spawned inside it."""
    with contextlib.ExitStack() as opened:
        registry = REGISTRY
        if shared:
            folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="eseal-metrics-"))
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            opened.callback(os.environ.pop, "PROMETHEUS_MULTIPROC_DIR", None)
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=folder)
        if settings.metrics:
            host, _, port = settings.metrics.rpartition(":")
            try:
                server, thread = start_http_server(int(port), host.strip("[]"), registry)
            except OSError as error:
                raise SetupError(
                    "METRICS_NOT_BOUND", f"Could not listen on {settings.metrics} for metrics: {error.strerror}."
                ) from error
            opened.callback(thread.join)
            opened.callback(server.server_close)
            opened.callback(server.shutdown)
        yield
