"""A remote signing service to practise with: certomancer-csc-dummy, made strict and given version 2 of the API.

The dummy speaks version 1.0.4.0 and checks little. In front of its handlers this one puts what a real service insists on:
OAuth 2.0 client credentials, a PIN where the credential is explicit, `multisign`, and activation data that serves once.
It is told to misbehave through `/control`, and counts what it was asked.

    python -m tests.harness.csc_service CONFIG PORT
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import yaml
from aiohttp import web
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from csc_dummy.csc_dummy_server import CSCWithCertomancer, DummyServiceParams

from eseal.terms import Algorithm, SealKey

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT_ID, CLIENT_SECRET, PIN = "eseal", "practice-secret", "97531"
MULTISIGN = 8
KEYS = {
    "p256": (Algorithm.ES256, ec.generate_private_key, ec.SECP256R1()),
    "p384": (Algorithm.ES384, ec.generate_private_key, ec.SECP384R1()),
    "pss": (Algorithm.PS256, None, None),
    "rsa": (Algorithm.RS256, None, None),
}


class _Asked:
    """A request as the dummy's handlers read it, with another body."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    async def json(self) -> dict[str, Any]:
        return self._body


class StrictService(CSCWithCertomancer):
    """The dummy behind a doorkeeper."""

    def __init__(self, config: CertomancerConfig) -> None:
        super().__init__(config, service_params=DummyServiceParams(hash_pinning_required=True, multisign=MULTISIGN))
        self.tokens: set[str] = set()
        self.activation: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.orders: dict[str, Any] = {}
        for api in ("v1", "v2"):
            self.app.router.add_post(f"/csc/{api}/info", self.about)
            self.app.router.add_post(f"/csc/{api}/credentials/info", self.door(self.credential))
            self.app.router.add_post(f"/csc/{api}/credentials/authorize", self.door(self.authorize))
            self.app.router.add_post(f"/csc/{api}/signatures/signHash", self.door(self.sign))
        self.app.router.add_post("/oauth2/token", self.token)
        self.app.router.add_post("/control", self.control)

    async def about(self, request: web.Request) -> web.Response:
        """Where the tokens are."""
        return web.json_response({"oauth2": f"http://{request.host}", "specs": "2.0.0.2", "methods": []})

    async def control(self, request: web.Request) -> web.Response:
        """Take orders; answer the counts."""
        self.orders |= await request.json()
        if self.orders.get("token_answer", "") is None:
            del self.orders["token_answer"]
        if self.orders.pop("forget_tokens", False):
            self.tokens.clear()
        return web.json_response(self.counts)

    async def token(self, request: web.Request) -> web.Response:
        """Client credentials, RFC 6749 section 4.4."""
        self.counts["token"] += 1
        asked = await request.post()
        given = base64.b64decode(request.headers.get("Authorization", "Basic Og==").split()[1]).decode()
        if f"{CLIENT_ID}:{self.orders.get('accepts', CLIENT_SECRET)}" != given:
            return web.json_response({"error": "invalid_client"}, status=401)
        assert ("client_credentials", "service") == (asked["grant_type"], asked["scope"])
        token = secrets.token_urlsafe()
        self.tokens.add(token)
        if "token_answer" in self.orders:
            return web.json_response(self.orders["token_answer"])
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def door(self, handler):  # type: ignore[no-untyped-def]
        """Let in who has a token, and misbehave as ordered."""

        async def enter(request: web.Request) -> web.StreamResponse:
            if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
                return web.json_response({"error": "invalid_token"}, status=401)
            method = request.path.rpartition("/")[2]
            self.counts[method] += 1
            if self.orders.get("delay"):
                await asyncio.sleep(self.orders["delay"])
            if self.orders.get("fail", {}).get(method, 0) > 0:
                self.orders["fail"][method] -= 1
                status = self.orders.get("status", 503)
                return web.json_response({"error": "server_error"}, status=status, headers={"Retry-After": "7"})
            return await handler(request)

        return enter

    async def credential(self, request: web.Request) -> web.Response:
        """What the dummy says of a key, in the version that was asked."""
        answer = json.loads((await super().credentials_info(_Asked(await request.json()))).body)
        if "/v2/" in request.path:
            answer["auth"] = {"mode": answer.pop("authMode")}
        return web.json_response(answer | self.orders.get("credential", {}))

    async def authorize(self, request: web.Request) -> web.Response:
        """Activation data, for digests and a PIN as the version has them."""
        body = await request.json()
        if "/v2/" in request.path:
            pins = [entry["value"] for entry in body.pop("authData", ())]
            body |= {"hash": body.pop("hashes")}
            assert body.pop("hashAlgorithmOID").startswith("2.16.840.1.101.3.4.2.")
        else:
            pins = [body.pop("PIN")] if "PIN" in body else []
        if self.orders.get("pin") and pins != [PIN]:
            return web.json_response(self.orders.get("pin_error") or {"error": "invalid_pin"}, status=400)
        if body["numSignatures"] > MULTISIGN:
            return web.json_response({"error": "invalid_request"}, status=400)
        answer = json.loads((await super().credentials_authorize(_Asked(body))).body)
        answer["SAD"] = f"{secrets.token_urlsafe(8)}.{answer['SAD']}"
        self.activation.add(answer["SAD"])
        return web.json_response(answer)

    async def sign(self, request: web.Request) -> web.Response:
        """The signatures, for activation data that was not used before."""
        body = await request.json()
        if body["SAD"] not in self.activation:
            return web.json_response({"error": "invalid_request"}, status=400)
        self.activation.remove(body["SAD"])
        if "/v2/" in request.path:
            assert "S" == body.pop("operationMode")
            body |= {"hash": body.pop("hashes"), "hashAlgo": body.pop("hashAlgorithmOID")}
        body["SAD"] = body["SAD"].partition(".")[2]
        answer = json.loads((await super().signatures_sign_hash(_Asked(body))).body)
        self.counts["signatures"] += len(answer["signatures"])
        if self.orders.get("wrong"):
            answer["signatures"].reverse()
        if self.orders.get("fewer"):
            answer["signatures"].pop()
        return web.json_response(answer)


@dataclass
class CscService:
    """A running service and what a client of it configures."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def order(self, **orders: Any) -> Counter[str]:
        """Give orders; the counts so far."""
        return Counter(httpx2.post(f"{self.url}/control", json=orders).raise_for_status().json())

    def key(self, name: str) -> SealKey:
        """A key at the service: its label is the credentialID."""
        chain = tuple((self.folder / f"{label}.der").read_bytes() for label in (name, "issuing"))
        return SealKey(f"seal/{name}", KEYS[name][0], chain)

    @property
    def secret_file(self) -> Path:
        """The client secret."""
        return self.folder / "secret"


def write_config(folder: Path) -> Path:
    """Keys, and the certomancer configuration that certifies them."""
    keys = {"root": ec.generate_private_key(ec.SECP256R1()), "issuing": ec.generate_private_key(ec.SECP256R1())}
    for name, (_, make, curve) in KEYS.items():
        keys[name] = make(curve) if make else rsa.generate_private_key(65537, 2048)
    for name, key in keys.items():
        (folder / f"{name}.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    (folder / "secret").write_text(CLIENT_SECRET)
    (folder / "pin").write_text(PIN)
    validity = {"valid-from": "2024-01-01T00:00:00+0000", "valid-to": "2044-01-01T00:00:00+0000"}
    authority = [
        {"id": "basic_constraints", "critical": True, "value": {"ca": True}},
        {"id": "key_usage", "critical": True, "smart-value": {"schema": "key-usage", "params": ["key_cert_sign"]}},
    ]
    seal = [
        {"id": "key_usage", "critical": True, "smart-value": {"schema": "key-usage", "params": ["non_repudiation"]}}
    ]
    certs = {
        name: {"subject": subject, "subject-key": name, "issuer": issuer, "authority-key": issuer, "validity": validity,
               "extensions": extensions}
        for name, subject, issuer, extensions in [
            ("root", "root", "root", authority),
            ("issuing", "issuing", "root", authority),
            *((name, "sealer", "issuing", seal) for name in KEYS),
        ]
    }  # fmt: skip
    config = {
        "keysets": {"all": {"keys": {name: {"path": f"{name}.pem"} for name in keys}}},
        "pki-architectures": {
            "seal": {
                "keyset": "all",
                "entities": {
                    "root": {"common-name": "Practice QTSP root", "country-name": "NL"},
                    "issuing": {"common-name": "Practice QTSP", "country-name": "NL"},
                    "sealer": {
                        "country-name": "NL",
                        "organization-name": "Stichting European Consortium of Innovative Universities",
                        "organization-identifier": "NTRNL-08164880",
                        "common-name": "ECIU",
                    },
                },
                "certs": certs,
            }
        },
    }
    path = folder / "certomancer.yml"
    path.write_text(yaml.safe_dump(config))
    return path


@contextmanager
def csc_service(folder: Path, *, strict: bool = True) -> Iterator[CscService]:
    """Run the strict service, or the dummy as it is, on a free port of this machine."""
    config = folder / "certomancer.yml"
    if not config.exists():
        write_config(folder)
    port_file = folder / "port"
    port_file.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.harness.csc_service", config, port_file, "strict" if strict else "dummy"],
        stderr=(folder / "service.log").open("ab"),
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        until = time.monotonic() + 30
        while not port_file.exists():
            assert process.poll() is None, (folder / "service.log").read_text()
            assert time.monotonic() < until, "the service does not start"
            time.sleep(0.02)
        yield CscService(f"http://127.0.0.1:{port_file.read_text()}", folder, process)
    finally:
        process.kill()
        process.wait()


async def _serve(config: Path, port_file: Path, kind: str) -> None:
    certomancer = CertomancerConfig.from_file(str(config))
    if kind == "strict":
        service: CSCWithCertomancer = StrictService(certomancer)
    else:
        service = CSCWithCertomancer(certomancer)
        service.register_routes()
    architecture = certomancer.get_pki_arch(ArchLabel("seal"))
    for label in ("root", "issuing", *KEYS):
        (config.parent / f"{label}.der").write_bytes(architecture.get_cert(CertLabel(label)).dump())
    runner = web.AppRunner(service.app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    part = port_file.with_suffix(".part")
    part.write_text(str(runner.addresses[0][1]))
    part.rename(port_file)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
