"""Unary Seal under load from outside: ghz, by reflection and mutual TLS.

    .venv/bin/python benchmarks/ghz.py [--total 2000] [--concurrency 50] [--processes 2] [--postgresql]

ghz is taken from the PATH or built from the Go module proxy, as `make interop` does. Each call is a request of its own.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.harness.postgres import ledger_of
from tests.harness.server import ROOT, practice_set, running_server
from tests.interop.test_grpc_tools import tool

from eseal_client import Client, Connection, Identity, Learner, read_micro_credential

if TYPE_CHECKING:
    from eseal_client import MicroCredential

EXAMPLE = ROOT / "clients/examples/introduction-to-artificial-intelligence.json"
PERCENTILES = (50, 95, 99)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--total", type=int, default=2000, help="calls")
    parser.add_argument("--concurrency", type=int, default=50, help="calls under way")
    parser.add_argument("--processes", type=int, default=2, help="worker processes of the server")
    parser.add_argument("--postgresql", action="store_true", help="the ledger in PostgreSQL rather than SQLite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        practice = practice_set(Path(folder) / "set", processes=arguments.processes)
        with ledger_of(practice, postgresql=arguments.postgresql), running_server(practice) as server:
            identity = practice.folder / "callers/dcu"
            data = Path(folder) / "seal.json"
            course = read_micro_credential(EXAMPLE)
            course.display.personal = False
            with Client(Connection(target=server.target, identity=Identity.from_folder(identity))) as client:
                credential = unsealed(client, course)
            data.write_text(
                json.dumps({"request_id": "{{newUUID}}", "credential": base64.b64encode(credential).decode()})
            )
            command = [tool("ghz"), "--call", "eseal.v1.IssuanceService.Seal", "--total", str(arguments.total)]
            command += ["--concurrency", str(arguments.concurrency), "--connections", "8"]
            command += ["--cacert", identity / "ca.pem", "--cert", identity / "certificate.pem"]
            command += ["--key", identity / "key.pem", "--data-file", data, "--format", "json", server.target]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(done.stderr[-500:])
    answer = json.loads(done.stdout)
    found = {one["percentage"]: one["latency"] / 1e6 for one in answer["latencyDistribution"]}
    print(
        f"unary Seal of {len(credential) / 1000:.1f} KB, {arguments.concurrency} under way, {arguments.processes} process(es), "
        f"{'PostgreSQL' if arguments.postgresql else 'SQLite'}: "
        f"{answer['rps']:,.0f}/s, " + ", ".join(f"p{at} {found[at]:.0f} ms" for at in PERCENTILES)
    )
    print(f"  {answer['statusCodeDistribution']}")


def unsealed(client: Client, course: MicroCredential) -> bytes:
    """A credential of ``course`` as a caller would send it to Seal, without an id of its own."""
    sealed = client.issue(course, Learner(given_name="Ada", family_name="Lovelace"))
    credential = json.loads(json.loads(sealed.sealed)["payload"])
    for member in ("id", "issuer", "issued", "issuanceDate", "evidence"):
        credential.pop(member, None)
    return json.dumps(credential).encode()


if __name__ == "__main__":
    main()
