"""Every shape of the catalogue, issued or sealed over gRPC by a server whose register grants them all."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from datetime import date
from typing import TYPE_CHECKING, Any

import grpc
import tomlkit

from eseal_client.errors import from_rpc
from eseal_client.wire import credential_pb2, issuance_pb2
from tests.credential import courses
from tests.credential.bases import QDR
from tests.credential.catalogue import ALLIANCE, catalogue
from tests.harness.messages import message
from tests.harness.server import practice_set, running_server
from tests.harness.soft_seal import SERVICES
from tests.path.calls import seal_request

if TYPE_CHECKING:
    from pathlib import Path

    from eseal.credential.micro_credential import Organisation
    from eseal_client.wire.issuance_pb2_grpc import IssuanceServiceStub
    from tests.credential.catalogue import Shape
    from tests.harness.server import PracticeSet

ALWAYS = date(2020, 1, 1)
_ANY = ("profiles", "opportunity_types", "eqf", "ects_maximum", "isced_f", "languages", "countries")


def catalogue_set(folder: Path) -> PracticeSet:
    """A practice set in whose register DCU, Twente and the alliance itself may have everything sealed.

    Its seal certificate is one that cannot be revoked, so that nothing is left open where its CA is trusted.
    """
    practice = practice_set(folder)
    practice.recertify(no_revocation=True, services=SERVICES)
    register = folder / "register"
    for part in ("members", "mandates"):
        shutil.rmtree(register / part)
    accreditation = {"id": QDR, "date_issued": ALWAYS}
    _write(register / "members/dcu.toml", _member("dcu", courses.DCU, practice, accreditation=[accreditation]))
    _write(register / "members/utwente.toml", _member("utwente", courses.TWENTE, practice))
    lets_act = {"id": "dcu", "member": "dcu", "valid_from": ALWAYS}
    own = _member("alliance", ALLIANCE, practice, accreditation=[accreditation], sub_mandate=[lets_act])
    _write(register / "members/alliance.toml", own)
    for body in ("dcu", "utwente"):
        _write(register / f"mandates/{body}.toml", _mandate(body, register / f"agreements/{body}-practice.pdf"))
    return practice


def seal_catalogue(folder: Path) -> tuple[PracticeSet, dict[str, bytes]]:
    """Have every shape sealed; the sealed documents by name."""
    practice = catalogue_set(folder)
    with running_server(practice) as server, server.issuance() as stub:
        return practice, {shape.name: _sealed(stub, shape) for shape in catalogue()}


def _sealed(stub: IssuanceServiceStub, shape: Shape) -> bytes:
    try:
        if shape.course is None:
            return stub.Seal(seal_request(shape.credential)).sealed
        request = issuance_pb2.IssueRequest(
            request_id=str(uuid.uuid4()),
            micro_credential=message(shape.course, credential_pb2.MicroCredential()),
            learner=message(shape.learner, credential_pb2.Learner()),
        )
        return stub.Issue(request).sealed
    except grpc.RpcError as error:
        said = from_rpc(error)
        raise AssertionError(f"{shape.name}: {said}, {said.faults}") from error


def _member(name: str, body: Organisation, practice: PracticeSet, **more: Any) -> dict[str, Any]:
    identifiers = [
        {key: value for key in ("kind", "notation", "country", "scheme") if (value := getattr(identifier, key))}
        for identifier in body.identifiers
    ]
    callers = [{"uri": practice.caller(name), "valid_from": ALWAYS}] if name != "alliance" else []
    return {
        "id": name,
        "legal_names": dict(body.legal_name),
        "country": body.country,
        "member_since": ALWAYS,
        "identifier": identifiers,
        "caller": callers,
        **more,
    }


def _mandate(body: str, agreement: Path) -> dict[str, Any]:
    return {
        "id": body,
        "awarding_body": body,
        "sealer": courses.SEALER.organization_identifier,
        "signed_on": ALWAYS,
        "valid_from": ALWAYS,
        "valid_until": date(2099, 12, 31),
        "scope": {**dict.fromkeys(_ANY, "any"), "joint_awards": True, "outside_bodies": True},
        "agreement": {
            "file": agreement.name,
            "sha256": hashlib.sha256(agreement.read_bytes()).hexdigest(),
            "media_type": "application/pdf",
            "title": f"Agreement of {body}",
        },
        "statements": {"en": f"{body} lets the alliance seal.", "nl": f"{body} laat de alliantie zegelen."},
    }


def _write(path: Path, table: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tomlkit.dumps(table))
