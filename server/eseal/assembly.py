"""The one room that knows all the others: it opens the house from its configuration, and closes it."""

from __future__ import annotations

import logging
import multiprocessing
import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Self

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eseal import sealcore
from eseal.config import Config, load
from eseal.credential.building import parse
from eseal.credential.facts import award_facts
from eseal.credential.page import Pages
from eseal.errors import SetupError
from eseal.hsm import Pkcs11KeyRoom
from eseal.issuance import Issuance, IssuanceSettings
from eseal.issuance.stages import SealingKey
from eseal.ledger import Ledger
from eseal.mandate.policy import Policy, Retrospect
from eseal.mandate.register import Register
from eseal.mandate.source import RegisterSource
from eseal.rpc.metrics import metrics_server
from eseal.rpc.server import Server
from eseal.rpc.workers import end_with_supervisor, reserved_port, supervise
from eseal.terms import Caller
from eseal.trust.anchors import read_anchors
from eseal.trust.certificate import legal_entity, read_certificate
from eseal.trust.path import TrustAnchors
from eseal.verification import VerifyInput, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from multiprocessing.context import SpawnProcess
    from multiprocessing.synchronize import Semaphore
    from pathlib import Path

    from eseal.hsm import SealKeySettings
    from eseal.hsm.csc.room import CscKeyRoom
    from eseal.mandate.policy import Decision
    from eseal.terms import Grant, SealKey
    from eseal.verification.report import Report

log = structlog.get_logger(__name__)


class SealKeys:
    """The seal keys of this house, and which of them seals what.

    A key that names a mandate seals what that mandate grants; the others seal the rest, the one marked as default first.
    Of those that may, the first whose certificate is valid now does. So a rotation is configured ahead: the new key before
    the old one, which goes on until the new certificate begins. Replays need no key.
    """

    def __init__(self, keys: Sequence[tuple[SealKeySettings, SealingKey]]) -> None:
        """SetupError where the keys are not of one sealer, share a label or leave no default."""
        _require_one_sealer([key for _, key in keys])
        general = [(settings.default, key) for settings, key in keys if not settings.mandates]
        if not general:
            raise SetupError(
                "NO_DEFAULT_KEY", "Every seal key names its mandates: leave `mandates` out for one of them."
            )
        self._general = [key for _, key in sorted(general, key=lambda entry: not entry[0])]
        self._by_mandate: dict[str, list[SealingKey]] = {}
        for settings, key in keys:
            for mandate_id in settings.mandates:
                self._by_mandate.setdefault(mandate_id, []).append(key)

    def sealing_for(self, grant: Grant, *, at: datetime) -> SealingKey:
        """The key that seals what ``grant`` allows, for a seal that claims the time ``at``."""
        named = [key for mandate_id in grant.mandate_ids for key in self._by_mandate.get(mandate_id, ())]
        candidates = named or self._general
        return next((key for key in candidates if key.is_valid_at(at)), candidates[0])


def _require_one_sealer(keys: Sequence[SealingKey]) -> None:
    labels = [key.key.label for key in keys]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise SetupError("KEY_LABEL_TWICE", f"Seal key '{twice}' is configured twice: labels tell the keys apart.")
    first = keys[0]
    for key in keys[1:]:
        if key.sealer.organization_identifier != first.sealer.organization_identifier:
            raise SetupError(
                "SEALERS_DIFFER",
                f"The certificate of seal key '{key.key.label}' names {key.sealer.organization_identifier}, that of "
                f"'{first.key.label}' {first.sealer.organization_identifier}. One service seals for one sealer.",
            )


def require_known_mandates(keys: Sequence[SealKeySettings], register: Register) -> None:
    """SetupError where a seal key names a mandate that the register does not have: another key would seal in its place."""
    for key in keys:
        for mandate_id in key.mandates:
            if mandate_id not in register.mandates:
                raise SetupError(
                    "KEY_MANDATE_UNKNOWN",
                    f"Seal key '{key.label}' names mandate '{mandate_id}', which the register does not have, so another key "
                    "would seal what it is for. Correct `mandates`; `eseal mandate list` shows the ids.",
                )


class House:
    """Everything that seals and verifies, opened. Use it as a context manager."""

    def __init__(self, config: Config) -> None:
        self._open = ExitStack()
        try:
            self._assemble(config)
        except BaseException:
            self._open.close()
            raise

    def _assemble(self, config: Config) -> None:
        keys = [(settings, sealing_key(settings.load())) for settings in config.keys]
        seal_keys = SealKeys(keys)
        sealer = keys[0][1].sealer
        source = RegisterSource(config.mandate.register_folder, interval=config.mandate.reload_seconds)
        require_known_mandates(config.keys, source.current)
        self._open.enter_context(source)
        self.ledger = Ledger.open(config.ledger)
        self._open.callback(self.ledger.close)
        self.key_room = open_key_room(config, [key.key for _, key in keys])
        self._open.callback(self.key_room.close)
        self.policy = Policy(source, sealer, usage=self.ledger)
        self.issuance = Issuance(
            settings=IssuanceSettings(
                default_level=config.seal.level,
                claimed_time=config.seal.claimed_time,
                strict_annex_i_on_issue=config.seal.strict_annex_i_on_issue,
                strict_annex_i_on_seal=config.seal.strict_annex_i_on_seal,
                max_credential_bytes=config.seal.max_credential_bytes,
            ),
            policy=self.policy,
            keys=seal_keys,
            key_room=self.key_room,
            ledger=self.ledger,
            pages=Pages(config.page),
        )
        self._register = Retrospect(source)
        self._anchors = TrustAnchors(read_anchors(config.trust.anchors))
        self._max_credential_bytes = config.seal.max_credential_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def healthy(self) -> bool:
        """Whether seals can be made: the HSM and the ledger answer."""
        return self.key_room.healthy() and self.ledger.healthy()

    def verify(self, documents: Sequence[VerifyInput]) -> list[Report]:
        """Verify against this house's anchors and register."""
        return verify(documents, anchors=self._anchors, register=self._register)

    def explain(self, caller: Caller, credential: bytes, at: datetime | None) -> Decision:
        """Ask the mandate policy, and seal nothing."""
        facts = award_facts(parse(credential, max_bytes=self._max_credential_bytes))
        return self.policy.decide(caller, facts, at=at or datetime.now(UTC))


def open_key_room(config: Config, keys: Sequence[SealKey]) -> Pkcs11KeyRoom | CscKeyRoom:
    """Open the room where the configuration says the keys are. SetupError where a key is not the one it should be."""
    if config.hsm is not None:
        return Pkcs11KeyRoom.open(config.hsm, keys)
    if config.qscd is not None:
        from eseal.hsm.csc.room import CscKeyRoom  # noqa: PLC0415 (much to load, and most houses have their own HSM)

        return CscKeyRoom.open(config.qscd, keys)
    raise SetupError("NO_KEY_ROOM", "Say where the seal keys are: either [hsm] or [qscd].")


def sealing_key(key: SealKey) -> SealingKey:
    """Read what the seal certificate says. SetupError where its key usage does not allow seals."""
    said = read_certificate(key.certificate)
    if not said.may_seal:
        raise SetupError(
            "CERTIFICATE_USAGE",
            f"The key usage of the certificate of seal key '{key.label}' allows no seals (it has neither contentCommitment "
            "nor digitalSignature), so no verifier would take one: ask the provider for a seal certificate.",
        )
    certificate = x509.load_der_x509_certificate(key.certificate)
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SealingKey(
        key,
        said.subject,
        sealcore.PublicKey(spki),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        sealcore.digest("sha256", key.certificate),
    )


def explain(config_path: Path, caller: str, on: date | None, credential: bytes) -> tuple[Decision, SetupError | None]:
    """Ask the mandate policy of a configuration, without HSM or server, and seal nothing.

    Quotas are counted from the configuration's ledger. Where that cannot be read, they count as unused, and what hinders
    is returned beside the decision.
    """
    config = load(config_path)
    register = Register.load(config.mandate.register_folder)
    sealer = legal_entity(config.keys[0].load().certificate)
    facts = award_facts(parse(credential, max_bytes=config.seal.max_credential_bytes))
    at = register.midnight(on) if on else datetime.now(UTC)
    try:
        ledger = Ledger.open_as_it_is(config.ledger)
    except SetupError as error:
        return Policy(register, sealer, usage=None).decide(Caller(caller), facts, at=at), error
    with closing(ledger):
        return Policy(register, sealer, usage=ledger).decide(Caller(caller), facts, at=at), None


def serve(config_path: Path, ready: Callable[[int], None]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status. ``ready`` is told the port once calls are taken."""
    config = load(config_path)
    configure_log(config)
    if config.server.processes == 1:
        with metrics_server(config.server, shared=False), House(config) as house:
            _server(config, house).run(ready)
        return 0
    # The house is opened once here, so that what is wrong is said once and before any worker is spawned.
    with House(config):
        pass
    with metrics_server(config.server, shared=True), reserved_port(config.server) as port:
        return supervise(partial(_spawn, config_path, port), config.server.processes, partial(ready, port))


def _spawn(config_path: Path, port: int, taking_calls: Semaphore) -> SpawnProcess:
    worker = multiprocessing.get_context("spawn").Process(target=work, args=(config_path, port, taking_calls))
    worker.start()
    return worker


def work(config_path: Path, port: int, taking_calls: Semaphore) -> None:
    """Be one worker process on ``port``; ``taking_calls`` is released once it is."""

    def ready(_: int) -> None:
        taking_calls.release()
        log.info("worker_ready", port=port)

    end_with_supervisor()
    config = load(config_path)
    configure_log(config)
    host = config.server.listen.rpartition(":")[0]
    server = config.server.model_copy(update={"listen": f"{host}:{port}"})
    config = config.model_copy(update={"server": server})
    try:
        with House(config) as house:
            _server(config, house).run(ready)
    except SetupError as error:
        log.error("worker_cannot_start", reason=error.reason, message=error.message)  # noqa: TRY400
        sys.exit(1)


def _server(config: Config, house: House) -> Server:
    return Server(
        config.server, sealing=house.issuance, verifying=house.verify, explain=house.explain, healthy=house.healthy
    )


def configure_log(config: Config) -> None:
    """JSON lines on standard error. Exceptions are logged with their place, never with the values of locals."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, config.log.level.upper())),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
