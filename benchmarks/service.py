"""The whole service against its limits, as ratios within one run.

    .venv/bin/python benchmarks/service.py [--items 2000] [--processes 1]

Three questions, each asked of the same server, token and machine, interleaved, medians of five rounds:

    seal     SealStream, client included, against a bare loop of the same token's signatures
    verify   VerifyStream, client included, against a bare loop of `cryptography` verifications of the same seals
    unary    unary Seal at 16 calls under way, against SealStream
"""

from __future__ import annotations

import argparse
import base64
import concurrent.futures
import contextlib
import hashlib
import json
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from eseal_client import Client, Connection, EsealError, Identity, Learner, read_micro_credential

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.harness.server import ROOT, practice_set, running_server

from eseal import sealcore
from eseal.config import load
from eseal.hsm import Pkcs11KeyRoom
from eseal.terms import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 5
UNARY_UNDER_WAY = 16


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1000, help="credentials a round")
    parser.add_argument("--processes", type=int, default=1, help="worker processes of the server")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        practice = practice_set(Path(folder) / "set", processes=arguments.processes)
        with running_server(practice) as server, contextlib.ExitStack() as opened:
            identity = Identity.from_folder(practice.folder / "callers/dcu")
            connection = Connection(target=server.target, identity=identity, batch=100, check=False)
            client = opened.enter_context(Client(connection))
            credential = unsealed(client)
            config = load(practice.config)
            key = config.keys[0].load()
            room = Pkcs11KeyRoom.open(config.hsm, [key])
            opened.callback(room.close)
            sealed = [outcome.sealed for _, outcome in client.seal_many(fresh(credential, arguments.items))]
            bare = prepared(sealed)
            digests = [hashlib.sha256(str(n).encode()).digest() for n in range(arguments.items)]
            rates = interleaved(
                arguments.items,
                {
                    "bare signatures": lambda: sign_bare(room, key, digests),
                    "SealStream": lambda: count(client.seal_many(fresh(credential, arguments.items))),
                    "unary Seal": lambda: seal_unary(client, credential, arguments.items),
                    "bare verifications": lambda: verify_bare(bare),
                    "VerifyStream": lambda: count(client.verify_many((str(n), s) for n, s in enumerate(sealed))),
                },
            )
    report(rates, len(credential), arguments)


def report(rates: dict[str, float], size: int, arguments: argparse.Namespace) -> None:
    """Print rates and ratios."""
    print(
        f"{arguments.items} credentials of {size / 1000:.1f} KB a round, {arguments.processes} server process(es), ES256"
    )
    for name, rate in rates.items():
        print(f"  {name:20} {rate:10.0f} /s")
    pairs = [("SealStream", "bare signatures"), ("VerifyStream", "bare verifications"), ("unary Seal", "SealStream")]
    for one, other in pairs:
        print(f"  {one} / {other} = {rates[one] / rates[other]:.3f}")


def interleaved(items: int, runs: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Run each once to warm up, then round by round; the median rate of each."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(ROUNDS + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return {name: items / statistics.median(taken) for name, taken in seconds.items()}


def unsealed(client: Client) -> bytes:
    """A credential as a caller would send it to Seal: what Issue built, without what the sealer adds."""
    course = read_micro_credential(ROOT / "clients/examples/introduction-to-artificial-intelligence.json")
    sealed = client.issue(course, Learner(given_name="Ada", family_name="Lovelace"))
    credential = json.loads(json.loads(sealed.sealed)["payload"])
    for member in ("issuer", "issued", "issuanceDate", "evidence"):
        credential.pop(member, None)
    return json.dumps(credential).encode()


def fresh(credential: bytes, items: int) -> Iterator[tuple[str, bytes]]:
    """The credential under fresh ids and request ids, so that nothing is a replay."""
    document = json.loads(credential)
    for _ in range(items):
        document["id"] = f"urn:credential:{uuid.uuid4()}"
        yield str(uuid.uuid4()), json.dumps(document).encode()


def count(outcomes: Iterator[tuple[str, object]]) -> None:
    """Take every outcome; an error ends the benchmark."""
    for request_id, outcome in outcomes:
        if isinstance(outcome, EsealError):
            raise SystemExit(f"{request_id}: {outcome}")


def seal_unary(client: Client, credential: bytes, items: int) -> None:
    """Unary calls, a fixed number of them under way."""
    with concurrent.futures.ThreadPoolExecutor(UNARY_UNDER_WAY) as threads:
        for _ in threads.map(lambda item: client.seal(item[1], request_id=item[0]), fresh(credential, items)):
            pass


def sign_bare(room: Pkcs11KeyRoom, key: object, digests: list[bytes]) -> None:
    """The token's signatures and nothing else, over the same number of sessions."""
    for start in range(0, len(digests), 100):
        room.sign(key, digests[start : start + 100], lane=Lane.BULK, deadline=None)


def prepared(sealed: list[bytes]) -> list[tuple[ec.EllipticCurvePublicKey, bytes, bytes]]:
    """Public key, DER signature and signed bytes of each document: what a bare verification starts from."""
    taken = []
    for document in sealed:
        parsed = json.loads(document)
        (signature,) = parsed["signatures"]
        header = json.loads(sealcore.base64url_decode(signature["protected"]))
        certificate = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
        der = sealcore.ecdsa_to_der(sealcore.base64url_decode(signature["signature"]))
        taken.append((certificate.public_key(), der, f"{signature['protected']}.{parsed['payload']}".encode()))
    return taken


def verify_bare(taken: list[tuple[ec.EllipticCurvePublicKey, bytes, bytes]]) -> None:
    """`cryptography`, one thread, hash included, nothing else."""
    for public_key, signature, signed in taken:
        public_key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))


if __name__ == "__main__":
    main()
