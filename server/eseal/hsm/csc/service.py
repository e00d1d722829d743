"""The requests of the CSC API that sealing needs, in version 1.0.4.0 and 2.

They are ``info``, ``credentials/info``, ``credentials/authorize`` and ``signatures/signHash``. The versions differ in
names: ``hash`` became ``hashes``, ``hashAlgo`` became ``hashAlgorithmOID``, a PIN became one of ``authData``. ECDSA
signatures come as DER (RFC 3279), as most services send them, or as r and s.
"""

from __future__ import annotations

import base64
import binascii
import re
import ssl
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
from asn1crypto.algos import RSASSAPSSParams
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from eseal import sealcore
from eseal.errors import SetupError
from eseal.hsm.algorithms import DIGEST_LENGTHS
from eseal.terms import Algorithm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eseal.hsm.csc.settings import CscSettings

_SHA256, _SHA384 = "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2"
HASH_OIDS = {
    Algorithm.ES256: _SHA256,
    Algorithm.ES384: _SHA384,
    Algorithm.PS256: _SHA256,
    Algorithm.RS256: _SHA256,
}
# RFC 5758 section 3.2; RFC 8017 appendix C.
SIGNATURE_OIDS = {
    Algorithm.ES256: "1.2.840.10045.4.3.2",
    Algorithm.ES384: "1.2.840.10045.4.3.3",
    Algorithm.PS256: "1.2.840.113549.1.1.10",
    Algorithm.RS256: "1.2.840.113549.1.1.11",
}
# A service may list the key's algorithm alone: rsaEncryption, id-ecPublicKey.
_KEY_OIDS = {"1.2.840.113549.1.1.1", "1.2.840.10045.2.1"}
_PSS = base64.b64encode(
    RSASSAPSSParams(
        {
            "hash_algorithm": {"algorithm": "sha256"},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
            "salt_length": 32,
        }
    ).dump()
).decode()
PIN_REFUSED = "invalid_pin"
"""Our code for a PIN with which authorization was refused: it is not sent again until another one stands in its place."""
_AUTHORIZE = "credentials/authorize"
_TOO_MANY = 429
_UNAUTHORIZED = 401
_SERVER_ERRORS = 500


class CscError(Exception):
    """A request failed. ``code`` is the service's error code, or ours; ``passing`` says that it may work again later.

    ``of_pin`` says that the service named the PIN as the cause. What else it says beside its code is left out: it may quote
    what it was sent.
    """

    def __init__(self, code: str, *, passing: bool, retry_after: float | None = None, of_pin: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.passing = passing
        self.retry_after = retry_after
        self.of_pin = of_pin


@dataclass(frozen=True, slots=True)
class Credential:
    """What ``credentials/info`` says of a key. ``chain`` is DER, the signer's certificate first.

    ``multisign`` is how many signatures one authorization allows; ``mode`` how it is authorized.
    """

    enabled: bool
    chain: tuple[bytes, ...]
    algorithms: frozenset[str]
    scal: str
    multisign: int
    mode: str

    def signs(self, algorithm: Algorithm) -> bool:
        """Whether the service lists the algorithm for this key."""
        return SIGNATURE_OIDS[algorithm] in self.algorithms or bool(_KEY_OIDS & self.algorithms)


class CscService:
    """The service, as an authenticated client. Safe to call from many threads."""

    def __init__(self, settings: CscSettings) -> None:
        """SetupError where the TLS files or the client secret cannot be read."""
        self._settings = settings
        self._base = f"{settings.url.rstrip('/')}/csc/{settings.api}"
        options: dict[str, Any] = {
            "verify": _tls(settings),
            "timeout": settings.request_seconds,
            "limits": httpx2.Limits(max_connections=settings.connections + 2),
        }
        self._http: httpx2.Client = httpx2.Client(**options)
        self._oauth: OAuth2Client | None = None
        if settings.client_id is not None:
            self._oauth = OAuth2Client(
                settings.client_id,
                settings.client_secret(),
                scope="service",
                token_endpoint_auth_method=settings.client_auth,
                grant_type="client_credentials",
                **options,
            )
        self._token_lock = threading.Lock()
        self._refused_secret: str | None = None
        # By credential. Held while a PIN is sent that the service has not taken yet, so that a wrong one is sent once.
        self._pin_lock = threading.Lock()
        self._refused_pins: dict[str, str] = {}
        self._taken_pins: dict[str, str] = {}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        if self._oauth is not None:
            self._oauth.close()

    def credential(self, credential_id: str) -> Credential:
        """``credentials/info``. CscError where it fails or cannot be read."""
        body = {"credentialID": credential_id, "certificates": "chain", "authInfo": True}
        answer = self._post("credentials/info", body)
        try:
            chain = answer.get("cert", {}).get("certificates", ())
            return Credential(
                enabled=answer["key"].get("status", "enabled") == "enabled",
                chain=tuple(base64.b64decode(link, validate=True) for link in chain),
                algorithms=frozenset(answer["key"]["algo"]),
                scal=str(answer.get("SCAL", "1")),
                multisign=max(1, int(answer.get("multisign", 1))),
                mode=str(answer.get("authMode") or answer.get("auth", {}).get("mode", "implicit")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CscError("unreadable_answer", passing=False) from error

    def authorize(self, credential_id: str, algorithm: Algorithm, digests: Sequence[bytes]) -> str:
        """``credentials/authorize``: signature activation data for ``digests``, which pins them at SCAL2. CscError."""
        hashes = [base64.b64encode(digest).decode() for digest in digests]
        body: dict[str, Any] = {"credentialID": credential_id, "numSignatures": len(hashes)}
        pin = self._settings.pin()
        if self._settings.api == "v1":
            body |= {"hash": hashes} | ({"PIN": pin} if pin is not None else {})
        else:
            body |= {"hashes": hashes, "hashAlgorithmOID": HASH_OIDS[algorithm]}
            body |= {"authData": [{"id": "PIN", "value": pin}]} if pin is not None else {}
        sad = (self._post(_AUTHORIZE, body) if pin is None else self._post_with_pin(credential_id, pin, body)).get(
            "SAD"
        )
        if not isinstance(sad, str):
            raise CscError("unreadable_answer", passing=False)
        return sad

    def _post_with_pin(self, credential_id: str, pin: str, body: dict[str, Any]) -> dict[str, Any]:
        """Authorize by ``pin``, which stands in ``body``: one thread at a time until it was taken once, never once refused."""
        with ExitStack() as alone:
            if self._taken_pins.get(credential_id) != pin:
                alone.enter_context(self._pin_lock)
            if self._taken_pins.get(credential_id) == pin:
                alone.close()
            if self._refused_pins.get(credential_id) == pin:
                raise CscError(PIN_REFUSED, passing=False)
            try:
                answer = self._post(_AUTHORIZE, body)
            except CscError as error:
                # A few wrong ones lock the credential; what else the service refuses says nothing about the PIN.
                if error.of_pin:
                    self._refused_pins[credential_id] = pin
                    self._taken_pins.pop(credential_id, None)
                    raise CscError(PIN_REFUSED, passing=False) from error
                raise
            self._taken_pins[credential_id] = pin
            return answer

    def probe(self, credential_id: str) -> None:
        """See whether the service is there for us, and sign nothing. CscError or SetupError where it is not.

        A PIN that was refused is not sent: only another one in its place can help.
        """
        self.credential(credential_id)
        refused = self._refused_pins.get(credential_id)
        if refused is not None and refused == self._settings.pin():
            raise CscError(PIN_REFUSED, passing=False)

    def sign(self, credential_id: str, sad: str, algorithm: Algorithm, digests: Sequence[bytes]) -> list[bytes]:
        """``signatures/signHash``: the raw JWS signatures, in order. CscError."""
        hashes = [base64.b64encode(digest).decode() for digest in digests]
        body: dict[str, Any] = {"credentialID": credential_id, "SAD": sad, "signAlgo": SIGNATURE_OIDS[algorithm]}
        if algorithm is Algorithm.PS256:
            body["signAlgoParams"] = _PSS
        if self._settings.api == "v1":
            body |= {"hash": hashes, "hashAlgo": HASH_OIDS[algorithm]}
        else:
            body |= {"hashes": hashes, "hashAlgorithmOID": HASH_OIDS[algorithm], "operationMode": "S"}
        signatures = self._post("signatures/signHash", body).get("signatures")
        try:
            if not isinstance(signatures, list) or len(signatures) != len(digests):
                raise CscError("unreadable_answer", passing=False)
            return [_raw(algorithm, base64.b64decode(signature, validate=True)) for signature in signatures]
        except (TypeError, binascii.Error) as error:
            raise CscError("unreadable_answer", passing=False) from error

    # --- Requests ---------------------------------------------------------------------------------------------------------

    def _post(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request; once more with a new access token where the service says that the old one is no good."""
        try:
            response = self._send(method, body)
            if response.status_code == _UNAUTHORIZED and self._oauth is not None:
                self._forget_token()
                response = self._send(method, body)
        except httpx2.HTTPError as error:
            raise CscError(type(error).__name__, passing=True) from error
        if response.is_success:
            return _object(response)
        raise _failure(response)

    def _send(self, method: str, body: dict[str, Any]) -> httpx2.Response:
        headers = {}
        if self._oauth is not None:
            headers["Authorization"] = f"Bearer {self._access_token(self._oauth)}"
        return self._http.post(f"{self._base}/{method}", json=body, headers=headers)

    def _access_token(self, oauth: OAuth2Client) -> str:
        """The access token, asked for once for all threads. A secret that was refused is not sent again."""
        with self._token_lock:
            if oauth.token is None or oauth.token.is_expired(leeway=30):
                oauth.token = None
                secret = self._settings.client_secret()
                if secret == self._refused_secret:
                    raise CscError("invalid_client", passing=False)
                oauth.client_secret = secret
                try:
                    _require_token(oauth.fetch_token(self._token_url(), grant_type="client_credentials"))
                except OAuthError as error:
                    if error.error in {"invalid_client", "unauthorized_client"}:
                        self._refused_secret = secret
                    raise CscError(error.error, passing=False) from error
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    oauth.token = None
                    raise CscError("unreadable_answer", passing=False) from error
                self._refused_secret = None
            return str(oauth.token["access_token"])

    def _forget_token(self) -> None:
        with self._token_lock:
            if self._oauth is not None:
                self._oauth.token = None

    def _token_url(self) -> str:
        if self._settings.token_url is not None:
            return self._settings.token_url
        response = self._http.post(f"{self._base}/info", json={})
        if not response.is_success:
            raise _failure(response)
        base = _object(response).get("oauth2")
        if not isinstance(base, str) or not base.startswith(("https://", self._settings.url)):
            raise CscError("no_oauth2_in_info", passing=False)
        return f"{base.rstrip('/')}/oauth2/token"


def _tls(settings: CscSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.private_key)
    except OSError as error:
        raise SetupError("QSCD_TLS", f"The TLS files of [qscd] cannot be used: {error}.") from error
    return context


def _require_token(answer: Any) -> None:
    """TypeError or KeyError where a token answer has no access token (RFC 6749 section 5.1)."""
    if not isinstance(answer["access_token"], str):
        message = "the access token is no text"
        raise TypeError(message)


def _object(response: httpx2.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError as error:
        raise CscError("unreadable_answer", passing=False) from error
    if not isinstance(answer, dict):
        raise CscError("unreadable_answer", passing=False)
    return answer


def _failure(response: httpx2.Response) -> CscError:
    """The error code of the service (section 10.1 of both versions), or the HTTP status where it gives none."""
    try:
        said = response.json()
        code, description = str(said["error"])[:64], str(said.get("error_description", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        code, description = f"http_{response.status_code}", ""
    try:
        retry_after = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        retry_after = None
    passing = response.status_code >= _SERVER_ERRORS or response.status_code == _TOO_MANY
    # A wrong PIN is `invalid_pin`, or `invalid_request` with a description that names it.
    of_pin = not passing and (code == PIN_REFUSED or re.search(r"\bPIN\b", description, re.IGNORECASE) is not None)
    return CscError(code, passing=passing, retry_after=retry_after, of_pin=of_pin)


def _raw(algorithm: Algorithm, signature: bytes) -> bytes:
    """JWS's form of a signature: r and s for ECDSA (RFC 7518 section 3.4)."""
    if algorithm in (Algorithm.PS256, Algorithm.RS256):
        return signature
    size = DIGEST_LENGTHS[algorithm]
    try:
        return sealcore.ecdsa_from_der(signature, size)
    except ValueError:
        if len(signature) == 2 * size:
            return signature
        raise CscError("unreadable_signature", passing=False) from None
