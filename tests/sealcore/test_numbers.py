"""Numbers are written as ECMAScript writes them: node is asked the same of the same doubles."""

from __future__ import annotations

import hashlib
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
            assert chunk == sealcore.Document.parse(expected).to_python()
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


# The prefixes of es6testfile100m.txt, the number test file of RFC 8785 appendix B, by lines: SHA-256 as published with it.
ES6_TEST_FILE = {
    1_000: "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687",
    10_000: "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892",
    100_000: "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7",
    1_000_000: "49415fee2c56c77864931bd3624faad425c3c577d6d74e89a83bc725506dad16",
    10_000_000: "b9f8a44a91d46813b21b9602e72f112613c91408db0b8341fb94603d9db135e0",
}
# The doubles that the file begins with: a third of the powers of ten, negative and positive, then borders.
ES6_THIRDS = """
446696695dbd1cc3 443211ede4974a35 43fce97ca0f21056 43c7213080c1a6ac 439280f39a348556 435d9b1f5d20d557 4327af4c4a80aaac
42f2f2a36ecd5556 42be51057e155558 428840d131aaaaac 4253670dc1555557 421f0b4935555557 41e8d5d42aaaaaac 41b3de4355555556
417fca0555555556 41496e6aaaaaaaab 4114585555555555 40e046aaaaaaaaab 40aa0aaaaaaaaaaa 4074d55555555555 4040aaaaaaaaaaab
400aaaaaaaaaaaab 3fd5555555555555 3fa1111111111111 3f6b4e81b4e81b4f 3f35d867c3ece2a5 3f0179ec9cbd821e 3ecbf647612f3696
3e965e9f80f29212 3e61e54c672874db 3e2ca213d840baf8 3df6e80fe033c8c6 3dc2533fe68fd3d2 3d8d51ffd74c861c 3d5774ccac3d3817
3d22c3d6f030f9ac 3cee0624b3818f79 3cb804ea293472c7 3c833721ba905bd3 3c4ebe9c5db3c61e 3c18987d17c304e5 3be3ad30dfcf371d
3baf7b816618582f 3b792f9ab81379bf 3b442615600f9499 3b101e77800c76e1 3ad9ca58cce0be35 3aa4a1e0a3e6fe90 3a708180831f320d
3a3a68cd9e985016
"""
ES6_EDGES = """
4024000000000000 4014000000000000 3fe0000000000000 3fa999999999999a 3f747ae147ae147b 3f40624dd2f1a9fc 3f0a36e2eb1c432d
3ed4f8b588e368f1 3ea0c6f7a0b5ed8d 3e6ad7f29abcaf48 3e35798ee2308c3a 3ed539223589fa95 3ed4ff26cd5a7781 3ed4f95a762283ff
3ed4f8c60703520c 3ed4f8b72f19cd0d 3ed4f8b5b31c0c8d 3ed4f8b58d1c461a 3ed4f8b5894f7f0e 3ed4f8b588ee37f3 3ed4f8b588e47da4
3ed4f8b588e3849c 3ed4f8b588e36bb5 3ed4f8b588e36937 3ed4f8b588e368f8 3ed4f8b588e368f1 3ff0000000000000 bff0000000000000
bfeffffffffffffa bfeffffffffffffb 3feffffffffffffa 3feffffffffffffb 3feffffffffffffc 3feffffffffffffe bfefffffffffffff
bfefffffffffffff 3fefffffffffffff 3fefffffffffffff 3fd3333333333332 3fd3333333333333 3fd3333333333334 0010000000000000
000ffffffffffffd 000fffffffffffff 7fefffffffffffff ffefffffffffffff 4340000000000000 c340000000000000 4430000000000000
44b52d02c7e14af5 44b52d02c7e14af6 44b52d02c7e14af7 444b1ae4d6e2ef4e 444b1ae4d6e2ef4f 444b1ae4d6e2ef50 3eb0c6f7a0b5ed8c
3eb0c6f7a0b5ed8d 41b3de4355555553 41b3de4355555554 41b3de4355555555 41b3de4355555556 41b3de4355555557 becbf647612f3696
43143ff3c1cb0959
"""


def _es6_bits() -> Iterator[int]:
    """The doubles of the file, as their bits: edges, the first normal numbers, then whatever SHA-256 of itself says."""
    yield from (0, 1 << 63, 1, 1 << 63 | 1)
    yield from (int(each, 16) | 1 << 63 for each in ES6_THIRDS.split())
    yield from (int(each, 16) for each in ES6_THIRDS.split())
    yield from (int(each, 16) for each in ES6_EDGES.split())
    yield from range(1 << 52, (1 << 52) + 2000)
    block = bytes(32)
    while True:
        block = hashlib.sha256(block).digest()
        yield from (each for each in struct.unpack("<4Q", block) if each << 1 & (1 << 64) - 1 and ~each & 0x7FF << 52)


def _compare_with_the_es6_test_file(lines: int) -> None:
    bits, digest = _es6_bits(), hashlib.sha256()
    for number in range(1, lines // 1000 + 1):
        chunk = list(itertools.islice(bits, 1000))
        doubles = struct.unpack("<1000d", struct.pack("<1000Q", *chunk))
        written = sealcore.canonicalize(f"[{','.join(map(repr, doubles))}]".encode()).decode()[1:-1].split(",")
        digest.update("".join(f"{each:x},{text}\n" for each, text in zip(chunk, written, strict=True)).encode())
        if number * 1000 in ES6_TEST_FILE:
            assert ES6_TEST_FILE[number * 1000] == digest.hexdigest(), f"{number * 1000} lines"


def test_the_number_test_file_of_rfc_8785() -> None:
    """The first 100,000 lines of the file that appendix B names, made anew, have the digests that were published."""
    _compare_with_the_es6_test_file(100_000)


@pytest.mark.soak
def test_ten_million_lines_of_the_number_test_file_of_rfc_8785() -> None:
    """The same of the first ten million."""
    _compare_with_the_es6_test_file(10_000_000)


@pytest.mark.parametrize(
    "token", ["1152921504606846976", "1152921504606847000", "9223372036854775808", "1e18", "-36028797018963968"]
)
def test_a_number_is_the_double_however_it_is_written(token: str) -> None:
    """Documents of the same canonical bytes have the same values, in Python and for a JSON Schema."""
    given = sealcore.Document.parse(b'{"n":%s}' % token.encode())
    canonical = sealcore.Document.parse(given.canonical())
    value = int(float(token))

    assert value == given.get("/n") == canonical.get("/n")
    for rule in (
        f'"const":{value}',
        f'"maximum":{value}',
        f'"minimum":{value}',
        '"multipleOf":1024',
        '"type":"integer"',
    ):
        schema = sealcore.Schema(f'{{"properties":{{"n":{{{rule}}}}}}}'.encode())
        assert [True, True] == [schema.is_valid(given), schema.is_valid(canonical)], rule
