"""``eseal serve``: the gRPC server."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation at run time
from typing import Annotated

import typer

from eseal import assembly


def serve(
    config: Annotated[Path, typer.Option("--config", exists=True, dir_okay=False, help="eseal.toml")],
    port_file: Annotated[
        Path | None, typer.Option(help="Write the port here once calls are taken (for listen = host:0).")
    ] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; what is in flight is finished first."""

    def ready(port: int) -> None:
        typer.echo(f"eseal is serving on port {port}", err=True)
        if port_file is not None:
            part = port_file.with_suffix(".part")
            part.write_text(f"{port}\n")
            part.replace(port_file)

    raise typer.Exit(assembly.serve(config, ready))
