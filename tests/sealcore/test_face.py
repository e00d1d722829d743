"""The Python face: no panic comes through, buffers are read where they stand, threads and sub-processes may use it."""

from __future__ import annotations

import array
import concurrent.futures
import hashlib
import inspect
import json
import mmap
import multiprocessing
import random
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from eseal import sealcore

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENT = json.dumps({"b": ["é", 1.5, None], "a": {"y": "x" * 5000, "x": True}}).encode()
CANONICAL = sealcore.canonicalize(DOCUMENT)
# What a caller may hand over and be told no; anything else is a fault of ours.
REFUSALS = (ValueError, TypeError, KeyError, OverflowError, OSError)


def _spki() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class _Odd:
    """An object that says no to everything."""

    def __getattr__(self, name: str) -> None:
        raise AttributeError(name)

    def __index__(self) -> int:
        raise ZeroDivisionError


def _callables() -> list[Callable[..., Any]]:
    """What SHAPES names: the functions and classes of the module, and the methods of an instance of each."""
    document = sealcore.Document.parse(DOCUMENT)
    instances = [
        document,
        sealcore.Schema(b'{"type":"object","properties":{"a":{"minLength":3}}}'),
        sealcore.Template(document, ["/a", "/b/0"]),
        KEY,
    ]
    functions = [value for name, value in vars(sealcore).items() if callable(value) and not name.startswith("_")]
    methods = [getattr(each, name) for each in instances for name in dir(each) if not name.startswith("_")]
    called = [each for each in [*functions, *methods] if getattr(each, "__qualname__", "") in SHAPES]
    assert sorted(SHAPES) == sorted(each.__qualname__ for each in called)
    return called


def _value(source: random.Random, depth: int = 0) -> Any:  # noqa: C901, PLR0911, PLR0912 - a list of kinds
    """Anything that a caller might hand over, right or wrong."""
    match source.randrange(20 if depth < 3 else 14):
        case 0:
            return source.randbytes(source.randrange(80))
        case 1:
            text = bytearray(source.choice([DOCUMENT, CANONICAL, b'{"payload":"","signatures":[{}]}', b"e30.e30.AA"]))
            text[source.randrange(len(text))] = source.randrange(256)
            return bytes(text)
        case 2:
            return source.choice([DOCUMENT, bytearray(b"[1,2]"), memoryview(b"{}"), array.array("d", [1.0]), b""])
        case 3:
            return source.choice(
                ["", "/a", "/b/0", "/b/-", "/~2", "a", "sha256", "ES256", "PS512", "e30", "é", "\ud800"]
            )
        case 4:
            return source.choice([0, 1, -1, 2**31, 2**63, 2**64, -(2**70), 10**5000, 32, 48])
        case 5:
            return source.choice([0.0, -0.0, 1.5, float("nan"), float("inf"), 5e-324])
        case 6:
            return source.choice([None, True, False])
        case 7:
            return source.choice([_Odd(), object(), int, range(3), {1, 2}, iter([1]), lambda: None, ...])
        case 8:
            return source.choice([SPKI, KEY])
        case 9:
            return sealcore.Document.parse(source.choice([b"{}", b"[]", b"1", DOCUMENT]))
        case 10:
            return memoryview(bytearray(20))[:: source.choice([1, 2, -1])]
        case 11:
            return "".join(chr(source.randrange(1, 0xD7FF)) for _ in range(source.randrange(6)))
        case 12:
            return sealcore.base64url_encode(source.randbytes(source.randrange(90)))
        case 13:
            return source.getrandbits(source.randrange(1, 80))
        case 14 | 15 | 16:
            return [_value(source, depth + 1) for _ in range(source.randrange(4))]
        case 17:
            return tuple(_value(source, depth + 1) for _ in range(source.randrange(4)))
        case _:
            return {chr(source.randrange(97, 123)): _value(source, depth + 1) for _ in range(source.randrange(4))}


# What each takes, a letter an argument: see _argument.
SHAPES = {
    "digest": "ab", "digest_many": "aB", "canonicalize": "b", "canonical_many": "D", "nodes_agree_many": "D",
    "assemble_compact": "btb", "assemble_flattened": "btbT", "assemble_general": "bs", "assemble_general_many": "BTBe",
    "base64url_decode": "t", "base64url_encode": "b", "parse_jws": "b", "signing_digests": "aTB", "signing_inputs": "TB",
    "ecdsa_from_der": "bn", "ecdsa_to_der": "b", "verify_many": "KGTBB", "Schema": "br", "Template": "dP", "PublicKey": "k",
    "Document.append": "pv", "Document.at": "p", "Document.digest": "a", "Document.from_python": "v", "Document.get": "pv",
    "Document.canonical": "", "Document.to_python": "",
    "Document.has": "p", "Document.parse": "b", "Document.remove": "p", "Document.set": "pv", "Document.set_many": "m",
    "Document.mentions": "p", "Schema.faults": "d",
    "Schema.faults_many": "D", "Schema.is_valid": "d", "Template.fill": "V", "Template.fill_many": "W",
    "PublicKey.verify": "gbb",
}  # fmt: skip
JWS = sealcore.assemble_flattened(
    DOCUMENT, sealcore.base64url_encode(b'{"b64":false,"crit":["b64"]}'), b"\x01" * 64, ["AA"]
)
DER = sealcore.ecdsa_to_der(b"\x01" * 64)
SPKI = _spki()
KEY = sealcore.PublicKey(SPKI)


def _argument(kind: str, source: random.Random, length: int) -> Any:  # noqa: C901, PLR0911, PLR0912 - a list of kinds
    """An argument of a kind, for the most part: capitals are lists of it; one in fifteen is anything."""
    if not source.randrange(15):
        return _value(source)
    if kind.isupper():
        return [_argument(kind.lower(), source, length) for _ in range(length)]
    match kind:
        case "a":
            return source.choice(["sha256", "sha384", "sha512"])
        case "b":
            data = bytearray(
                source.choice([DOCUMENT, CANONICAL, JWS, SPKI, b"{}", b'{"type":"array"}', DER, source.randbytes(64)])
            )
            if source.randrange(2):
                data[source.randrange(len(data))] = source.randrange(256)
            return data if source.randrange(3) else bytes(data)
        case "t":
            return sealcore.base64url_encode(
                source.choice([b"{}", b'{"b64":false,"crit":["b64"]}', source.randbytes(9)])
            )
        case "p":
            return source.choice(["", "/a", "/a/y", "/b", "/b/0", "/b/-", "/b/9", "/~0", "/é"])
        case "d":
            return sealcore.Document.parse(source.choice([DOCUMENT, b"{}", b"[[1],2]", b'"x"', b"1e300"]))
        case "m":
            return {source.choice(["/a", "/b/-", "/é", 5]): _argument("v", source, length) for _ in range(length)}
        case "v":
            return _argument("d", source, length) if source.randrange(2) else {"x": [source.random(), "é", None, 2**53]}
        case "w":
            return [_argument("v", source, length) for _ in range(2)]
        case "n":
            return source.choice([0, 32, 48, 66, 10**6, 2**62])
        case "k":
            return KEY
        case "g":
            return source.choice(["ES256", "ES384", "RS256", "PS512", "none", ""])
        case "e":
            return [["AA"] * source.randrange(3) for _ in range(length)]
        case "s":
            return [(_argument("t", source, 1), source.randbytes(64), ["AA"]) for _ in range(source.randrange(3))]
        case _:
            return {"urn:x": b"{}"}


@pytest.mark.parametrize("length", [2**62, 10**13])
@pytest.mark.parametrize(
    "call",
    [
        sealcore.canonical_many,
        lambda items: sealcore.digest_many("sha256", items),
        lambda items: sealcore.signing_inputs(items, items),
        lambda items: sealcore.Template(sealcore.Document.parse(b"{}"), items),
    ],
)
def test_the_length_that_a_sequence_claims_is_not_believed(call: Callable[[range], object], length: int) -> None:
    """No memory is asked for before there are items."""
    with pytest.raises(TypeError):
        call(range(length))


def test_a_dict_that_changes_while_it_is_read() -> None:
    """What a value does when it is asked for its number changes nothing of what is read."""

    class Changes(int):
        def __index__(self) -> int:
            value["more"] = 1
            return 1 << 70

    value: dict[str, object] = {"a": Changes(1 << 70), "b": 2}

    assert b'{"a":1.1805916207174113e+21,"b":2}' == sealcore.Document.from_python(value).canonical()


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (float("nan"), ""),
        ({"a": {"b/c": [1, float("inf")]}}, "/a/b~1c/1"),
        ({"a": [2**53 + 1]}, "/a/0"),
        ({"a": {1: 2}}, "/a"),
        ([{"x": {1, 2}}], "/0/x"),
    ],
)
def test_a_refused_value_has_a_pointer(value: object, pointer: str) -> None:
    """Values from Python have no bytes, so a refusal says where in the value."""
    with pytest.raises(sealcore.InvalidJson) as refusal:
        sealcore.Document.from_python(value)

    assert (None, pointer) == (refusal.value.offset, refusal.value.pointer)
    assert "byte" not in str(refusal.value)


def _check_refusal(refusal: BaseException) -> None:
    """A refusal of JSON or of a JWS says where."""
    if isinstance(refusal, sealcore.InvalidJson):
        place = refusal.pointer if refusal.offset is None else refusal.offset
        assert isinstance(place, str) or place >= 0
    if isinstance(refusal, sealcore.InvalidJws):
        assert isinstance(refusal.pointer, str)


def _throw(seed: int, calls: int) -> dict[str, int]:
    """Call everything with what it takes and with what it does not; how many calls of each were answered."""
    source = random.Random(seed)  # noqa: S311 - a seed is the point
    answered = dict.fromkeys(SHAPES, 0)
    for each in _callables():
        name = each.__qualname__
        try:
            keywords = [
                name for name, par in inspect.signature(each).parameters.items() if par.kind is par.KEYWORD_ONLY
            ]
        except (ValueError, TypeError):
            keywords = []
        for _ in range(calls):
            length = source.randrange(1, 4)
            arguments = [_argument(kind, source, length) for kind in SHAPES.get(name, "")]
            arguments += [_value(source)] * (not source.randrange(20))
            named = {keyword: _value(source) for keyword in keywords if not source.randrange(8)}
            try:
                each(*arguments, **named)
            except REFUSALS as refusal:
                _check_refusal(refusal)
            except ZeroDivisionError:
                pass  # the object's own
            except BaseException as fault:  # noqa: BLE001 - a PanicException is no Exception
                pytest.fail(f"{name} with {arguments!r}, {named!r}: {fault!r}")
            else:
                answered[name] += 1
    return answered


def test_nothing_thrown_at_it_comes_back_as_a_panic() -> None:
    """Every function and method, called with anything, answers or raises ValueError, TypeError, KeyError or OverflowError."""
    answered = _throw(seed=1, calls=1000)

    assert [] == [name for name, count in answered.items() if count == 0]


@pytest.mark.soak
def test_nothing_thrown_at_it_for_long_comes_back_as_a_panic() -> None:
    """The same, a hundred times as much."""
    assert min(_throw(seed=2, calls=100_000).values()) > 0


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: memoryview(bytearray(data))])
def test_any_buffer_is_read(kind: Callable[[bytes], Any]) -> None:
    """bytes, bytearray and memoryview, over bytes or not, give the same; part of a view is that part."""
    assert CANONICAL == sealcore.canonicalize(kind(DOCUMENT)) == sealcore.Document.parse(kind(DOCUMENT)).canonical()
    assert CANONICAL == sealcore.canonicalize(memoryview(kind(b"xx" + DOCUMENT + b"yy"))[2:-2])
    assert hashlib.sha384(DOCUMENT).digest() == sealcore.digest("sha384", kind(DOCUMENT))
    assert [hashlib.sha512(DOCUMENT).digest()] * 2 == sealcore.digest_many("sha512", [kind(DOCUMENT)] * 2)


def test_a_mapped_file_is_read() -> None:
    """A memory-mapped file is a buffer like any other."""
    with tempfile.TemporaryFile() as file:
        file.write(DOCUMENT)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert CANONICAL == sealcore.canonicalize(mapped)


def test_a_buffer_that_changes_later_changes_no_document() -> None:
    """A Document keeps what was parsed, whatever becomes of the buffer that it was parsed from."""
    buffer = bytearray(DOCUMENT)
    document = sealcore.Document.parse(buffer)
    buffer[:] = b"x" * len(buffer)
    buffer.extend(b"more")

    assert CANONICAL == document.canonical()


def test_bytes_are_not_copied() -> None:
    """A Document over bytes, or a view of bytes, holds on to them instead of copying 16 MB."""
    data = b'["' + b"x" * (16 << 20) + b'"]'
    for given in (data, memoryview(data)):
        before = sys.getrefcount(data)
        document = sealcore.Document.parse(given)
        assert sys.getrefcount(data) == before + 1
        del document
        assert sys.getrefcount(data) == before


@pytest.mark.parametrize("data", [memoryview(bytes(8)).cast("d"), memoryview(bytes(8))[::2], "text", None, 5, [1]])
def test_what_is_no_buffer_of_bytes_is_a_type_error(data: object) -> None:
    """Other element types, text and numbers are refused as such; a view with gaps is read without them or refused."""
    if isinstance(data, memoryview) and data.format == "B":
        assert sealcore.digest("sha256", data) == hashlib.sha256(data.tobytes()).digest()
    else:
        with pytest.raises(TypeError):
            sealcore.digest("sha256", data)


def _work(number: int) -> tuple[bytes, bytes, list[bool]]:
    """A little of everything, so that whatever a thread or a process keeps is used."""
    document = sealcore.Document.parse(DOCUMENT).set("/n", number)
    refused = b'{"a":1,"a":2}'
    try:
        sealcore.canonicalize(refused)
    except sealcore.InvalidJson as refusal:
        assert 7 == refusal.offset  # noqa: PT017 - this runs in other processes
    verified = sealcore.verify_many([KEY] * 4, ["ES256"] * 4, ["e30"] * 4, [b""] * 4, [b""] * 4)
    return document.canonical(), sealcore.digest_many("sha256", [DOCUMENT] * 50)[-1], verified


def _expected(number: int) -> tuple[bytes, bytes, list[bool]]:
    return CANONICAL[:-1] + b',"n":%d}' % number, hashlib.sha256(DOCUMENT).digest(), [False] * 4


def test_many_threads_at_once() -> None:
    """Sixteen threads with documents of their own, and one that all of them share, do not disturb each other."""
    shared = sealcore.Document.parse(DOCUMENT)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        alone = list(pool.map(_work, range(200)))
        together = list(pool.map(lambda _: shared.canonical(), range(200)))

    assert [_expected(number) for number in range(200)] == alone
    assert {CANONICAL} == set(together)


def test_sub_processes() -> None:
    """A process that was spawned works like the first; nothing here forks, because gRPC has threads."""
    sealcore.digest_many("sha256", [DOCUMENT * 100] * 50)
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        assert [_expected(number) for number in range(8)] == pool.map_async(_work, range(8)).get(timeout=60)
    assert _expected(0) == _work(0)


def test_refusals_carry_their_place_and_never_the_document() -> None:
    """`offset` and `pointer` are attributes; what was in the document is in no message."""
    with pytest.raises(sealcore.InvalidJson) as json_refused:
        sealcore.canonicalize(b'{"secret":"Andromeda","secret":1}')
    with pytest.raises(sealcore.InvalidJws) as jws_refused:
        sealcore.parse_jws(b'{"payload":"Andromeda","signatures":[{"protected":"e30","signature":"AB"}]}')

    assert 22 == json_refused.value.offset
    assert "/signatures/0/signature" == jws_refused.value.pointer
    for message in (str(json_refused.value), str(jws_refused.value), repr(sealcore.Document.parse(DOCUMENT))):
        assert "secret" not in message
        assert "Andromeda" not in message


def test_no_python_value_is_guessed_at() -> None:
    """What JSON cannot say exactly is refused: NaN, long integers, names that are not strings, lists within themselves."""
    itself: list[Any] = []
    itself.append(itself)
    for value in (float("nan"), float("-inf"), 2**53 + 1, 10**400, {1: 2}, {"a": object()}, itself, "\ud800", b"x"):
        with pytest.raises(sealcore.InvalidJson):
            sealcore.Document.from_python(value)
    assert b'{"a":[1,2.5,"x",null,true,9007199254740992]}' == (
        sealcore.Document.from_python({"a": (1, 2.5, "x", None, True, 2**53)}).canonical()
    )
