"""Write both wire/ folders from eseal/v1/*.proto, and lint the protos.

Each side carries its own copy, so that the client installs from its folder alone. protoc writes absolute imports from
the proto path (``from eseal.v1 import ...``), which would resolve into the server's package: they are made relative.
The proto file names stay the same on both sides, so the two copies can live in one process.

    .venv/bin/python proto/generate.py            write
    .venv/bin/python proto/generate.py --check    write nothing, fail on a difference
"""

from __future__ import annotations

import argparse
import filecmp
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import grpc_tools
from google.rpc import status_pb2

ROOT = Path(__file__).resolve().parent
WIRES = [
    ROOT.parent / "server/eseal/wire",
    ROOT.parent / "clients/python/src/eseal_client/wire",
]
SCRIPTS = Path(sysconfig.get_path("scripts"))
ABSOLUTE_IMPORT = re.compile(r"^from eseal\.v1 import", re.MULTILINE)
ABSOLUTE_NAME = re.compile(r"^import eseal\.v1\.(\w+)$", re.MULTILINE)


def main() -> int:
    """Lint, generate, and write or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with what is committed; write nothing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        generated = Path(folder) / "wire"
        lint(Path(folder))
        generate(generated)
        stale = [wire for wire in WIRES if not same(generated, wire)]
        if check:
            for wire in stale:
                print(f"{wire.relative_to(ROOT.parent)} is not what proto/ says: run proto/generate.py")
            return 1 if stale else 0
        for wire in stale:
            shutil.rmtree(wire, ignore_errors=True)
            shutil.copytree(generated, wire)
    return 0


def protoc(*arguments: str) -> None:
    """Run the protoc inside grpcio-tools with the well-known and the google.rpc protos on its path."""
    common = Path(status_pb2.__file__).parents[2]
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    protos = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("eseal/v1/*.proto"))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", f"-I{common}", f"-I{well_known}"]
    subprocess.run([*command, *arguments, *protos], check=True)


def lint(folder: Path) -> None:
    """Hold the protos to buf's STANDARD rules and to comments on everything."""
    image = folder / "image.binpb"
    protoc("--include_imports", "--include_source_info", f"--descriptor_set_out={image}")
    subprocess.run(
        [SCRIPTS / "buf", "lint", image, "--path", "eseal/v1", "--config", ROOT / "buf.yaml"], check=True, cwd=ROOT
    )


def generate(wire: Path) -> None:
    """Fill ``wire`` with messages, stubs and type stubs, all imports relative."""
    raw = wire.with_name("raw")
    raw.mkdir()
    protoc(f"--python_out={raw}", f"--pyi_out={raw}", f"--grpc_python_out={raw}")
    wire.mkdir()
    (wire / "__init__.py").write_text('"""Generated from proto/eseal/v1 by proto/generate.py."""\n')
    for source in sorted((raw / "eseal/v1").iterdir()):
        text = ABSOLUTE_IMPORT.sub("from . import", source.read_text())
        (wire / source.name).write_text(ABSOLUTE_NAME.sub(r"from . import \1", text))


def same(one: Path, other: Path) -> bool:
    """Whether two flat folders hold the same files, byte for byte (caches aside)."""
    names = {path.name for folder in (one, other) if folder.is_dir() for path in folder.iterdir() if path.is_file()}
    equal, _, _ = filecmp.cmpfiles(one, other, names, shallow=False)
    return len(equal) == len(names)


if __name__ == "__main__":
    sys.exit(main())
