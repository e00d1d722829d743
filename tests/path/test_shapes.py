"""The Commission's SHACL shapes on what the server issued and sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eseal.terms import Profile
from tests.credential.oracle import judge
from tests.harness.vectors import vector
from tests.path.calls import issue_request, payload, seal_request

if TYPE_CHECKING:
    from eseal_client import MicroCredential
    from tests.harness.server import RunningServer


def test_issued_credential_conforms(server: RunningServer, course: MicroCredential) -> None:
    """What Issue made conforms to the generic profile and to that of mandated issue."""
    with server.issuance() as issuance:
        sealed = issuance.Issue(issue_request(course)).sealed

    assert (True, []) == judge(payload(sealed), (Profile.MANDATE.value,))


def test_sealed_sample_conforms(server: RunningServer) -> None:
    """The Commission's unsigned samples conform once sealed: the sealer added what they lacked."""
    with server.issuance("uniz") as uniz:
        for sample in sorted(vector("edc").glob("2023-*-unsigned*")):
            sealed = uniz.Seal(seal_request(sample.read_bytes())).sealed

            assert (True, []) == judge(payload(sealed), (Profile.MANDATE.value,)), sample.name
