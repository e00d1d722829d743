"""Numbers are written as ECMAScript writes them: node is asked the same of the same doubles."""

from __future__ import annotations

import itertools
import math
import random
import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from eseal import sealcore

if TYPE_CHECKING:
    from collections.abc import Iterator

# One line a chunk of doubles as they lie in memory, base64; one line back: JSON.stringify of the whole array.
SCRIPT = """
require('readline').createInterface({input: process.stdin}).on('line', line => {
  const bytes = Buffer.from(line, 'base64');
  const doubles = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  process.stdout.write(JSON.stringify(Array.from(doubles)) + '\\n');
});
"""
CHUNK = 50_000


def _neighbours(value: float) -> list[float]:
    around = [math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)]
    return [signed for double in around if math.isfinite(double) for signed in (double, -double)]


def _notable() -> list[float]:
    """Powers of ten and two with their neighbours, limits, subnormals, and what lies where the layout changes."""
    tens = [float(f"1e{exponent}") for exponent in range(-324, 309)]
    twos = [math.ldexp(1, exponent) for exponent in range(-1074, 1024)]
    limits = [0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 2.0**53, 1e21, 1e-6, 1e-7, 1e22, 1e23]
    return [double for value in tens + twos + limits for double in _neighbours(value)]


def _doubles(count: int, seed: int) -> Iterator[float]:
    """``count`` doubles: the notable ones, then bit patterns, subnormals, short decimals and integers at random."""
    yield from (notable := _notable())
    source = random.Random(seed)  # noqa: S311 - a seed is the point
    for number in range(count - len(notable)):
        match number % 8:
            case 0:
                bits = source.getrandbits(52) >> source.randrange(52)
            case 1:
                yield round(source.uniform(-1e6, 1e6), source.randrange(8))
                continue
            case 2:
                yield float(source.randrange(-(2**53), 2**53) * 10 ** source.randrange(8))
                continue
            case 3:
                yield source.randrange(10**17) / 10 ** source.randrange(25)
                continue
            case _:
                bits = source.getrandbits(64)
        (value,) = struct.unpack("<d", struct.pack("<Q", bits))
        yield value if math.isfinite(value) else 0.5


def _compare_with_node(count: int, seed: int) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: it is whom this test asks.")
    doubles = _doubles(count, seed)
    with subprocess.Popen([node, "-e", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        compared = 0
        while chunk := list(itertools.islice(doubles, CHUNK)):
            line = sealcore.base64url_encode(struct.pack(f"<{len(chunk)}d", *chunk))
            asked.stdin.write(line.encode() + b"\n")
            asked.stdin.flush()
            expected = asked.stdout.readline().rstrip(b"\n")
            # Python's own shortest digits, so that reading is put to the test as well as writing.
            text = f"[{','.join(map(repr, chunk))}]".encode()

            assert expected == sealcore.canonicalize(text), f"chunk at {compared}, seed {seed}"
            assert expected == sealcore.Document.from_python(chunk).canonical()
            assert chunk == [float(value) for value in sealcore.Document.parse(expected).to_python()]
            compared += len(chunk)
        asked.stdin.close()
    assert count == compared


def test_a_hundred_thousand_numbers_are_nodes() -> None:
    """JSON.stringify says the same of 100,000 doubles of every kind, and the text reads back as the same double."""
    _compare_with_node(100_000, seed=1)


@pytest.mark.soak
def test_ten_million_numbers_are_nodes() -> None:
    """JSON.stringify says the same of ten million doubles."""
    _compare_with_node(10_000_000, seed=2)
