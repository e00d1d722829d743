"""The Rust core: strict JSON, RFC 8785, digests, JWS bytes and signatures, JSON Schema; the queue before a token.

Everything that takes a sequence works on the whole batch with the GIL released. Buffers are ``bytes`` or any object
with the buffer protocol. What can change is copied; a Document keeps the ``bytes`` that it was parsed from, uncopied.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar, final

from typing_extensions import Buffer

JsonValue: TypeAlias = dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None
_Reason = TypeVar("_Reason")
Digest: TypeAlias = Literal["sha256", "sha384", "sha512"]

class InvalidJson(ValueError):
    """Not JSON as `docs/canonical-json.md` decides.

    ``offset`` is the byte where that shows, None for Python values; for those ``pointer`` (RFC 6901) says which one.
    """

    offset: int | None
    pointer: str | None

class InvalidJws(ValueError):
    """The bytes are not a JWS (RFC 7515) in compact, flattened or general serialisation; ``pointer`` says where."""

    pointer: str

@final
class Document:
    """A JSON document, parsed once and immutable; edits yield another Document and share what did not change."""

    @staticmethod
    def parse(data: Buffer, *, max_bytes: int = ..., max_depth: int = 128) -> Document: ...
    @staticmethod
    def from_python(value: JsonValue) -> Document:
        """Raise InvalidJson for what JSON cannot say exactly: NaN, integers that no double is, keys that are no strings."""
    def to_python(self) -> JsonValue:
        """Numbers without fraction and exponent are int, others float; both equal the double that is meant."""
    def get(self, pointer: str, default: Any = None) -> Any:
        """The value at an RFC 6901 pointer, as Python; ``default`` where nothing is there."""
    def has(self, pointer: str) -> bool: ...
    def at(self, pointer: str) -> Document:
        """The sub-document at ``pointer``; KeyError where nothing is there."""
    def set(self, pointer: str, value: JsonValue | Document) -> Document:
        """Replace or add the member (or array element) at ``pointer``; its parent must exist (KeyError)."""
    def set_many(self, values: Mapping[str, Any]) -> Document:
        """``set`` for each pointer, in order, at the cost of little more than one."""
    def remove(self, pointer: str) -> Document: ...
    def append(self, pointer: str, value: JsonValue | Document) -> Document:
        """Append to the array at ``pointer``."""
    def canonical(self) -> bytes:
        """RFC 8785 bytes."""
    def mentions(self, text: str) -> bool:
        """Whether ``text`` stands anywhere in the canonical bytes."""
    def digest(self, algorithm: Digest = "sha256") -> bytes:
        """The digest of the canonical bytes."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class SchemaFault:
    """One violated JSON Schema keyword, or ``falseSchema`` where the schema is false; both pointers are RFC 6901."""

    pointer: str
    keyword: str
    schema_pointer: str
    message: str

@final
class Schema:
    """A compiled JSON Schema (2020-12). ``resources`` maps ``$id`` to further schemas; nothing is ever fetched."""

    def __new__(cls, schema: Buffer, resources: Mapping[str, Buffer] | None = None) -> Self: ...
    def is_valid(self, document: Document) -> bool: ...
    def faults(self, document: Document, *, limit: int = 100) -> list[SchemaFault]: ...
    def faults_many(self, documents: Sequence[Document], *, limit: int = 100) -> list[list[SchemaFault]]: ...

@final
class Template:
    """A Document with holes: the constant parts are canonicalised once, ``fill`` adds what differs."""

    def __new__(cls, document: Document, holes: Sequence[str]) -> Self:
        """``holes`` are JSON pointers into ``document``; what stands there is replaced by each fill."""
    def fill(self, values: Sequence[JsonValue | Document]) -> bytes:
        """Canonical bytes, equal to those of the document with each hole set to its value."""
    def fill_many(self, rows: Sequence[Sequence[JsonValue | Document]]) -> list[bytes]: ...

def canonicalize(data: Buffer) -> bytes:
    """JSON bytes to RFC 8785 bytes."""

def canonical_many(documents: Sequence[Document]) -> list[bytes]: ...
def nodes_agree_many(documents: Sequence[Document]) -> list[bool]:
    """Whether each JSON-LD document can be judged object by object although it is a graph: its ids are absolute IRIs, and
    of the objects that share an ``id`` each says no more than the fullest. False: read it as a graph."""

def digest(algorithm: Digest, data: Buffer) -> bytes: ...
def digest_many(algorithm: Digest, data: Sequence[Buffer]) -> list[bytes]: ...

@final
class PublicKey:
    """A public key from SubjectPublicKeyInfo DER: P-256, P-384, P-521 or RSA of 2048 bits and more."""

    def __new__(cls, spki: Buffer) -> Self: ...
    kind: Literal["P-256", "P-384", "P-521", "RSA"]
    bits: int
    def verify(self, algorithm: str, signing_input: Buffer, signature: Buffer) -> bool:
        """Whether a JWS signature verifies; False also where algorithm and key do not belong together."""

def ecdsa_to_der(signature: Buffer) -> bytes:
    """r and s at full width (RFC 7518 section 3.4) to DER (RFC 3279 section 2.2.3)."""

def ecdsa_from_der(signature: Buffer, size: int) -> bytes:
    """DER to r and s, each ``size`` bytes wide (32, 48 or 66)."""

@final
class TokenSigner:
    """C_SignInit and C_Sign of a PKCS#11 module that is started already, a batch at a time.

    OSError where the module at that path cannot be loaded.
    """

    def __new__(cls, module: str) -> Self: ...
    def sign_many(
        self, key: TokenKey, data: Sequence[Buffer], within: float
    ) -> tuple[list[bytes], list[float], tuple[str, int] | None]:
        """Sign each of ``data`` in the key's session, until one fails or ``within`` seconds have passed; at least one.

        The answer is the signatures in order, the seconds that each took, and the call that failed with its CK_RV. A
        signature of another length is CKR_SIGNATURE_LEN_RANGE.
        """

@final
class TokenKey:
    """A key as it was found in one session; handles and mechanisms are PKCS#11's numbers, lengths are in bytes."""

    def __new__(
        cls,
        *,
        session: int,
        key: int,
        mechanism: int,
        pss: tuple[int, int, int] | None,
        signature_length: int,
        buffer_size: int,
    ) -> Self:
        """``pss`` is (hash, mgf, salt length) for CKM_RSA_PKCS_PSS."""

@final
class TokenSession:
    """A session for ``Lanes.serve``: its keys by label. More may be added while it is used."""

    def __new__(cls, signer: TokenSigner) -> Self: ...
    def add(self, label: str, key: TokenKey) -> None: ...

@final
class Seat:
    """Where a session's thread sits. That thread alone enters the module; whoever holds the seat keeps it out."""

    def __new__(cls) -> Self: ...
    def hold(self, within: float | None = None) -> bool:
        """Keep the thread out of the module, once it is out; False where it is not within so many seconds."""
    def release(self) -> None:
        """End what ``hold`` began."""
    def sit(self, session: TokenSession | None) -> None:
        """Give the thread a session, or take it away (and ``Lanes.ring``). Whoever does so holds the seat."""
    def want(self) -> None:
        """Ask the thread to come out of ``Lanes.serve`` and ``Lanes.wait``, from now on (and ``Lanes.ring``)."""
    def enter(self) -> None:
        """Go into the module for something else than ``Lanes.serve``; waits for who holds the seat."""
    def leave(self, good: bool = False) -> None:
        """Come out of it, with a signature or without."""
    @property
    def inside(self) -> float | None:
        """Seconds that the thread has been inside the module by now; None while it is outside."""
    @property
    def since_good(self) -> float | None:
        """Seconds since the last call began that brought a signature; None before the first."""

@final
class Turn:
    """Some digests for one signer, all for one key."""

    key: str
    data: list[bytes]

@final
class Interrupted:
    """A turn that stopped at the digest ``data``, with so many ``left``, that one counted.

    ``failure`` is the call and its CK_RV, None where the session has no such key.
    """

    key: str
    data: bytes
    left: int
    failure: tuple[str, int] | None

class LaneFull(Exception):
    """So many digests wait in the lane already that no more are taken; ``args[0]`` is how many."""

@final
class Lanes(Generic[_Reason]):
    """What waits for a session: two lanes of callers' batches, handed out turn by turn (``sealcore/cryptoki``).

    A reason is why there is no signature; anything but bytes. Nothing here raises one. A lane is ``eseal.terms.Lane``.
    Methods that wait do so without the GIL.
    """

    def __new__(
        cls, *, limit: int, bulk_share: int, sessions: int, fill: Mapping[str, int] | None = None
    ) -> Lanes[_Reason]:
        """``sessions`` take turns. ``fill`` is for a signer that takes many digests in one request: how many for each key."""
    def sign(
        self, key: str, data: Sequence[bytes], lane: str, within: float
    ) -> tuple[list[bytes | _Reason | None], list[int] | None]:
        """Queue a batch and wait until all of it is answered, for so many seconds. LaneFull where it is not taken.

        Where the time is over first, the places without an answer are None, and the second list has those of them that
        no session had begun; it is None where all are answered.
        """
    def serve(self, seat: Seat) -> Interrupted | None:
        """Serve turns on the session in ``seat``, whose thread this is, until one is interrupted.

        None where the seat has no session any more, is wanted, or was given up.
        """
    def resume(self, seat: Seat, answers: Sequence[bytes | _Reason]) -> None:
        """Answer what the turn stopped at, and as many after it as there are answers; other sessions have the rest."""
    def give_up(self, seat: Seat, reason: _Reason) -> None:
        """Answer the turn in ``seat`` with ``reason``: its thread will not come back in time."""
    def take(self) -> Turn | None:
        """A turn for a signer that is not a session; None where nothing waits."""
    def wait(self, seat: Seat) -> None:
        """Wait until there may be a turn to take, or ``seat`` is wanted."""
    def settle(self, turn: Turn, answers: Sequence[bytes | _Reason]) -> None:
        """Answer the first places of a turn that was taken; others have those that are left over."""
    def ring(self) -> None:
        """Let every thread that waits look whether it is wanted."""
    def close(self, reason: _Reason) -> None:
        """Take nothing in any more, and answer all that waits with ``reason``."""
    def open(self) -> None:
        """Take batches in again."""
    @property
    def closed(self) -> _Reason | None:
        """Why nothing is taken in now, or None."""
    def depth(self, lane: str) -> int:
        """How many digests wait in ``lane``."""
    def drain_seconds(self, lane: str) -> float:
        """How long what waits in ``lane`` will take, by the signatures of late; between 0.1 and 60 seconds."""
    def observed(self) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
        """What was observed since the last time, in seconds.

        How long each signature took, by key; and how long each batch waited for its first session, by lane.
        """

def signing_inputs(protected: Sequence[str], payloads: Sequence[Buffer], *, b64: bool = False) -> list[bytes]:
    """RFC 7515 section 5.1 / RFC 7797 section 3 signing inputs."""

def signing_digests(
    digest: Digest, protected: Sequence[str], payloads: Sequence[Buffer], *, b64: bool = False
) -> list[bytes]:
    """The digests that a key signs, without building the signing inputs."""

def verify_many(
    keys: Sequence[PublicKey],
    algorithms: Sequence[str],
    protected: Sequence[str],
    payloads: Sequence[Buffer],
    signatures: Sequence[Buffer],
    *,
    b64: Sequence[bool] | bool = ...,
    threads: int | None = None,
) -> list[bool]: ...
def assemble_general(
    payload: Buffer, signatures: Sequence[tuple[str, bytes, Sequence[str]]], *, b64: bool = False
) -> bytes:
    """A general JWS JSON document, ``payload`` first. Each signature is (protected, raw signature, etsiU strings);
    ``header`` is left out where etsiU is empty (minItems 1)."""

def assemble_general_many(
    payloads: Sequence[Buffer],
    protected: Sequence[str],
    signatures: Sequence[bytes],
    etsi_u: Sequence[Sequence[str]] | None = None,
    *,
    b64: bool = False,
) -> list[bytes]:
    """One signature each, for a batch."""

def assemble_flattened(
    payload: Buffer, protected: str, signature: Buffer, etsi_u: Sequence[str] = ..., *, b64: bool = False
) -> bytes:
    """A flattened JWS JSON document, ``payload`` first."""

def assemble_compact(payload: Buffer, protected: str, signature: Buffer, *, b64: bool = True) -> bytes:
    """A compact JWS. Unencoded payloads are printable ASCII without a full stop (RFC 7797 section 5.2)."""

@final
class JwsSignature:
    """One signature of a JWS: ``protected`` verbatim, ``header`` its parsed protected header, ``unprotected`` the
    unprotected one (or None), ``signature`` raw bytes, ``signature_text`` the base64url text (time-stamps cover it),
    ``extra`` names members that RFC 7515 does not define."""

    protected: str
    header: Document
    unprotected: Document | None
    signature: bytes
    signature_text: str
    extra: list[str]

@final
class Jws:
    """A JWS as received. ``payload`` is the member's own bytes: for ``b64: false`` the UTF-8 of the JSON string, else
    the base64url text; None where it is detached. ``b64`` is the RFC 7797 header, the same in all signatures. ``extra``
    names top-level members that RFC 7515 does not define.

    To verify a payload member as it was received, base64url or not, hand ``payload`` to `verify_many` with
    ``b64=False``: its own bytes are what the signature covers."""

    serialization: Literal["general", "flattened", "compact"]
    payload: bytes | None
    b64: bool
    signatures: list[JwsSignature]
    extra: list[str]

def parse_jws(data: Buffer) -> Jws: ...
def base64url_encode(data: Buffer) -> str: ...
def base64url_decode(text: str | Buffer) -> bytes:
    """Strict RFC 4648 section 5 without padding; ValueError for anything else."""
