"""The main job, from nothing: a practice set, a server, a hundred learners, and what an alliance would want to see.

    .venv/bin/python clients/demo/demo.py [FOLDER]

Everything is real but trust: a SoftHSM token, mutual TLS, mandates with agreement documents, JAdES seals. What it made
stays in FOLDER (default demo), to be looked at.
"""

from __future__ import annotations

import base64
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from eseal.bulk.course import read_course
from eseal_client import Client, Connection, EsealError, Identity, Learner, Verdict

if TYPE_CHECKING:
    from eseal_client import MicroCredential

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "server/eseal/bulk/example/course.toml"
SAMPLE = "edc/2023-Sample-MC-Annex1-unsigned.jsonld"
LEARNERS = 100
SERVER_SECONDS = 30
GIVEN = ("Aoife", "Bram", "Chiara", "Diogo", "Elif", "Freja", "Gintarė", "Hanna", "Ivana", "Jürgen")
FAMILY = (
    "Ní Bhriain",
    "de Vries",
    "Rossi",
    "Gonçalves",
    "Yılmaz",
    "Sørensen",
    "Kazlauskienė",
    "Virtanen",
    "Novák",
    "Groß",
)

console = Console(highlight=False)


def main() -> int:
    """Tell the story; return the exit status."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo").resolve()
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    step(1, "A practice set: CA, SoftHSM token with the seal key, three members and their mandates")
    eseal("dev", "init", folder / "practice", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
    step(2, "The server starts")
    server, port = start_server(folder / "practice")
    try:
        sealed = run(folder, port)
    finally:
        server.send_signal(signal.SIGTERM)
        status = server.wait(60)
    console.print(f"The server has stopped (exit status {status}).")
    console.print(f"\n[bold]{sealed} credentials sealed and verified in {time.monotonic() - started:.1f} s.[/]")
    console.print(f"Look into {folder / 'sealed'} and at {folder / 'page.png'}.", soft_wrap=True)
    return status


def run(folder: Path, port: int) -> int:
    """Issue, seal, verify, refuse; return how many were sealed."""
    out = folder / "sealed"
    course = read_course(COURSE)
    with client(folder, port, "dcu") as dcu:
        step(
            3,
            f"Dublin City University issues “{course.title['en']}” to {LEARNERS} learners, sealed by ECIU under mandate",
        )
        files = issue_all(folder, port, out)
        step(4, "The University of Zed has the Commission's own sample sealed")
        files += seal_sample(folder, port, out)
        step(5, "Everything is verified")
        verify_all(dcu, files)
        step(6, "One report, as a person reads it")
        eseal("verify", "--anchor", folder / "practice/trust/root.pem", files[0])
        step(7, "What the mandates do not cover is refused, and each rule says why")
        refuse(folder, port, course)
    write_page(files[0], folder / "page.png")
    return len(files)


def step(number: int, title: str) -> None:
    """Announce a step."""
    console.print(f"\n[bold cyan]{number}[/] [bold]{title}[/]", soft_wrap=True)


def eseal(*arguments: object) -> None:
    """Run the command line as a person does."""
    subprocess.run([sys.executable, "-m", "eseal", *map(str, arguments)], check=True)


def start_server(practice: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start ``eseal serve`` and wait for its port."""
    port_file = practice / "port"
    with (practice / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "eseal", "serve", "--config", practice / "eseal.toml", "--port-file", port_file],
            stderr=log,
        )
    deadline = time.monotonic() + SERVER_SECONDS
    while not port_file.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The server did not start:\n{(practice / 'server.log').read_text()}")
        time.sleep(0.05)
    port = int(port_file.read_text())
    console.print(f"It listens on port {port}, mutual TLS; its log is {practice / 'server.log'}.", soft_wrap=True)
    return server, port


def client(folder: Path, port: int, member: str) -> Client:
    """Connect as a member's back end."""
    identity = Identity.from_folder(folder / "practice/callers" / member)
    return Client(Connection(target=f"localhost:{port}", identity=identity, batch=20))


def class_list(path: Path) -> Path:
    """A class list, as a registrar's spreadsheet writes it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file, delimiter=";")
        lines.writerow(["given_name", "family_name", "identifier:Student number"])
        lines.writerows(
            (GIVEN[number % 10], FAMILY[number // 10 % 10], f"dcu-{number:05}") for number in range(LEARNERS)
        )
    return path


def issue_all(folder: Path, port: int, out: Path) -> list[Path]:
    """Issue to the class, as a registrar does."""
    learners = class_list(folder / "learners.csv")
    caller = ("--identity", folder / "practice/callers/dcu", "--server", f"localhost:{port}")
    for step_of_it in (("--check",), ("--out", out)):
        eseal("bulk", "issue", "--course", COURSE, "--learners", learners, *caller, *step_of_it)
    return sorted(out.glob("*.jsonld"))


def seal_sample(folder: Path, port: int, out: Path) -> list[Path]:
    """Seal the Commission's unsigned sample, where the vectors are at hand."""
    sample = Path(os.environ.get("ESEAL_VECTORS", ROOT.parent / "shared/vectors")) / SAMPLE
    if not sample.exists():
        console.print(f"(left out: {sample} is not there)")
        return []
    with client(folder, port, "uniz") as uniz:
        sealed = uniz.seal(sample.read_bytes(), request_id="sample-mc-annex1")
    path = out / "commission-sample.jsonld"
    path.write_bytes(sealed.sealed)
    console.print(f"{sealed.credential_id}, under {', '.join(sealed.mandate_ids)}")
    return [path]


def verify_all(dcu: Client, files: list[Path]) -> None:
    """Verify through the server and count the verdicts."""
    table = Table("verdict", "seal", "count", box=None)
    counts: dict[tuple[str, str], int] = {}
    for name, report in dcu.verify_many((path.name, path.read_bytes()) for path in files):
        if isinstance(report, EsealError):
            raise SystemExit(f"{name}: {report}")
        seal = report.seals[0]
        verdict = Verdict.Name(report.verdict).removeprefix("VERDICT_")
        key = (verdict, f"{seal.level} {seal.indication} {seal.sub_indication}".strip())
        counts[key] = counts.get(key, 0) + 1
    for (verdict, seal_word), count in counts.items():
        table.add_row(verdict, seal_word, str(count))
    console.print(table)


def refuse(folder: Path, port: int, course: MicroCredential) -> None:
    """Another member's back end asks for the same award: no rule, no grant."""
    with client(folder, port, "utwente") as utwente:
        try:
            utwente.issue(course, Learner(given_name="Mallory", family_name="Mandateless"), request_id="refused-1")
        except EsealError as error:
            console.print(f"[red]{error.code} {error.reason}[/]: {error.message}", soft_wrap=True)
            for refusal in error.refusals:
                console.print(f"  [bold]{refusal.rule}[/]: {refusal.message}", soft_wrap=True)
        else:
            raise SystemExit("This should have been refused.")


def write_page(sealed: Path, image: Path) -> None:
    """Take the display page out of a sealed credential."""
    display = json.loads(json.loads(sealed.read_bytes())["payload"])["displayParameter"]["individualDisplay"]
    first = display[0] if isinstance(display, list) else display
    image.write_bytes(base64.b64decode(first["displayDetail"]["image"]["content"]))


if __name__ == "__main__":
    sys.exit(main())
