"""Calls that the path tests share."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from eseal_client import Learner
from eseal_client.errors import EsealError, from_rpc
from eseal_client.wire import issuance_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from eseal_client import MicroCredential

ADA = Learner(given_name="Ada", family_name="Lovelace")


def issue_request(course: MicroCredential, request_id: str = "", **fields: Any) -> issuance_pb2.IssueRequest:
    """An Issue for Ada."""
    return issuance_pb2.IssueRequest(
        request_id=request_id or str(uuid.uuid4()), micro_credential=course, learner=ADA, **fields
    )


def seal_request(credential: Any, request_id: str = "", **fields: Any) -> issuance_pb2.SealRequest:
    """A Seal of a credential, given as bytes or as Python."""
    content = credential if isinstance(credential, bytes) else json.dumps(credential).encode()
    return issuance_pb2.SealRequest(request_id=request_id or str(uuid.uuid4()), credential=content, **fields)


def payload(sealed: bytes) -> dict[str, Any]:
    """The credential inside a sealed document."""
    return json.loads(json.loads(sealed)["payload"])


def refusal(call: Callable[[], Any]) -> EsealError:
    """Make a call that must be refused; return what was said."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return from_rpc(caught.value)
