"""What canonicalising costs through the Python API, as ratios within one run.

    .venv/bin/python benchmarks/sealcore.py [--rounds 15]

    canonicalise   bytes to bytes, against PyPI rfc8785 (json.loads and dumps) and against hashlib's SHA-256 of the same
    Document       parse, canonical bytes and digest, as a seal needs them
    verify_many    a batch of 512 signatures on one thread and on two, against a loop over `cryptography`

The documents: a credential that eseal builds (14 KB), the same with its members at random, 256 different ones in the
order of their builder and with members at random, numbers and escapes (200 KB), and the Commission's samples, read
from ESEAL_VECTORS and left out where they are not there. Rounds are interleaved and the best counts, as a disturbance
only ever adds. `cargo bench` has the same without Python.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.credential import courses
from tests.harness.vectors import VECTORS

from eseal import sealcore
from eseal.credential.building import build
from eseal.credential.micro_credential import Attachment

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 512
SAMPLES = ["2023-Sample-MC-Annex1-unsigned.jsonld", "2023-Sample-CertOfPart-unsigned.jsonld"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each contestant")
    rounds = parser.parse_args().rounds
    print(
        f"{'document':40}{'bytes':>8}{'MB/s':>8}{'rfc8785':>9}{'ratio':>8}{'SHA-256':>9}{'with':>7}{'of it':>7}{'Document':>10}"
    )
    for name, texts in documents().items():
        canonicalise(name, texts, rounds)
    for missing in (sample for sample in SAMPLES if not (VECTORS / "edc" / sample).exists()):
        print(f"{missing} is not there: set ESEAL_VECTORS to the folder of the vectors")
    print(
        f"\n{'algorithm':12}{'cryptography/s':>16}{'1 thread/s':>12}{'2 threads/s':>13}{'of it':>8}{'2 against 1':>13}"
    )
    verify(rounds)


def documents() -> dict[str, list[bytes]]:
    """JSON texts by name; the same in each run."""
    source = random.Random(1)  # noqa: S311 - the same in each run
    badge = Attachment("image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, {"en": "Badge"})
    course = courses.eciu_course(display=courses.PAGES, attachments=(badge,), description={"en": "Completed. " * 60})
    built = [build(course, courses.learner(given_name=f"Learner {n}")).to_python() for n in range(256)]
    made = {
        "credential, 14 KB": [_text(built[0])],
        "the same, members at random": [_text(_shuffled(built[0], source))],
        "256 credentials": [_text(each) for each in built],
        "256 credentials, members at random": [_text(_shuffled(each, source)) for each in built],
        "numbers and escapes, 200 KB": [_numbers_and_escapes(source, 200_000)],
    }
    for sample in SAMPLES:
        if (VECTORS / "edc" / sample).exists():
            made[sample] = [(VECTORS / "edc" / sample).read_bytes()]
    return made


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _shuffled(value: Any, source: random.Random) -> Any:
    if isinstance(value, dict):
        members = list(value.items())
        source.shuffle(members)
        return {name: _shuffled(member, source) for name, member in members}
    return [_shuffled(element, source) for element in value] if isinstance(value, list) else value


def _numbers_and_escapes(source: random.Random, size: int) -> bytes:
    values: list[Any] = []
    while size > 0:
        number = source.choice(
            [source.random(), source.uniform(-1e300, 1e300), source.randrange(2**53), source.random() * 1e-9]
        )
        values += [number, f'"\\\n\t\x01é😀{source.random()}']
        size -= 75
    return json.dumps(values).encode()


def best(contestants: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The seconds of each contestant's best round, rounds interleaved."""
    seconds = dict.fromkeys(contestants, float("inf"))
    for turn in contestants.values():
        turn()
    for _ in range(rounds):
        for name, turn in contestants.items():
            started = time.perf_counter()
            turn()
            seconds[name] = min(seconds[name], time.perf_counter() - started)
    return seconds


def _each(work: Callable[[bytes], Any], items: list[bytes]) -> None:
    """Do it to each and keep nothing: memory asked for anew would be what is measured."""
    for item in items:
        work(item)


def canonicalise(name: str, texts: list[bytes], rounds: int) -> None:
    """Print a line: rates in MB/s, ratios, and how many documents a second are parsed and digested."""
    outputs = [sealcore.canonicalize(text) for text in texts]
    assert outputs == [rfc8785.dumps(json.loads(text)) for text in texts]
    size = sum(map(len, texts))
    repeat = max(1, 1_000_000 // size)
    own = texts * repeat
    hashed = outputs * repeat
    seconds = best(
        {
            "own": lambda: _each(sealcore.canonicalize, own),
            "peer": lambda: _each(lambda text: rfc8785.dumps(json.loads(text)), texts),
            "hash": lambda: _each(hashlib.sha256, hashed),
            "both": lambda: _each(lambda text: hashlib.sha256(sealcore.canonicalize(text)), own),
            "document": lambda: _each(lambda text: sealcore.Document.parse(text).digest(), own),
        },
        rounds,
    )
    megabytes = size * repeat / 1e6
    ratio = seconds["peer"] / (seconds["own"] / repeat)
    print(
        f"{name:40}{size // len(texts):8}{megabytes / seconds['own']:8.0f}{size / 1e6 / seconds['peer']:9.1f}{ratio:7.0f}x"
        f"{megabytes / seconds['hash']:9.0f}{megabytes / seconds['both']:7.0f}{seconds['hash'] / seconds['both']:7.2f}"
        f"{len(own) / seconds['document']:8.0f}/s"
    )


def verify(rounds: int) -> None:
    """Print a line for each algorithm: verifications a second."""
    curves = {"ES256": (ec.SECP256R1(), hashes.SHA256(), 32), "ES384": (ec.SECP384R1(), hashes.SHA384(), 48)}
    inputs = [b"e30." + str(n).encode() * 200 for n in range(BATCH)]
    for algorithm in ("ES256", "ES384", "RS256", "PS256"):
        if algorithm in curves:
            curve, digest, width = curves[algorithm]
            key: Any = ec.generate_private_key(curve)
            how: tuple[Any, ...] = (ec.ECDSA(digest),)
            theirs = [key.sign(data, *how) for data in inputs]
            signatures = [sealcore.ecdsa_from_der(signature, width) for signature in theirs]
        else:
            key = rsa.generate_private_key(65537, 2048)
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            how = (padding.PKCS1v15() if algorithm == "RS256" else pss, hashes.SHA256())
            theirs = signatures = [key.sign(data, *how) for data in inputs]
        _race_verifications(algorithm, key.public_key(), how, inputs, theirs, signatures, rounds)


def _race_verifications(  # noqa: PLR0917
    algorithm: str,
    key: Any,
    how: tuple[Any, ...],
    inputs: list[bytes],
    theirs: list[bytes],
    own: list[bytes],
    rounds: int,
) -> None:
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    batch = (
        [sealcore.PublicKey(spki)] * BATCH,
        [algorithm] * BATCH,
        ["e30"] * BATCH,
        [each[4:] for each in inputs],
        own,
    )
    assert all(sealcore.verify_many(*batch, threads=2))
    seconds = best(
        {
            "theirs": lambda: [
                key.verify(signature, data, *how) for signature, data in zip(theirs, inputs, strict=True)
            ],
            "one": lambda: sealcore.verify_many(*batch, threads=1),
            "two": lambda: sealcore.verify_many(*batch, threads=2),
        },
        rounds,
    )
    print(
        f"{algorithm:12}{BATCH / seconds['theirs']:16.0f}{BATCH / seconds['one']:12.0f}{BATCH / seconds['two']:13.0f}"
        f"{seconds['theirs'] / seconds['one']:8.2f}{seconds['one'] / seconds['two']:12.2f}x"
    )


if __name__ == "__main__":
    main()
