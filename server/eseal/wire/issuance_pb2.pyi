import datetime

from . import credential_pb2 as _credential_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IssueRequest(_message.Message):
    __slots__ = ("request_id", "micro_credential", "learner", "level")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MICRO_CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    LEARNER_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    micro_credential: _credential_pb2.MicroCredential
    learner: _credential_pb2.Learner
    level: _credential_pb2.Level
    def __init__(self, request_id: _Optional[str] = ..., micro_credential: _Optional[_Union[_credential_pb2.MicroCredential, _Mapping]] = ..., learner: _Optional[_Union[_credential_pb2.Learner, _Mapping]] = ..., level: _Optional[_Union[_credential_pb2.Level, str]] = ...) -> None: ...

class IssueResponse(_message.Message):
    __slots__ = ("sealed", "credential_id", "level", "payload_sha256", "mandate_ids")
    SEALED_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_ID_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_SHA256_FIELD_NUMBER: _ClassVar[int]
    MANDATE_IDS_FIELD_NUMBER: _ClassVar[int]
    sealed: bytes
    credential_id: str
    level: _credential_pb2.Level
    payload_sha256: bytes
    mandate_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sealed: _Optional[bytes] = ..., credential_id: _Optional[str] = ..., level: _Optional[_Union[_credential_pb2.Level, str]] = ..., payload_sha256: _Optional[bytes] = ..., mandate_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SealRequest(_message.Message):
    __slots__ = ("request_id", "credential", "level")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    credential: bytes
    level: _credential_pb2.Level
    def __init__(self, request_id: _Optional[str] = ..., credential: _Optional[bytes] = ..., level: _Optional[_Union[_credential_pb2.Level, str]] = ...) -> None: ...

class SealResponse(_message.Message):
    __slots__ = ("sealed", "credential_id", "level", "payload_sha256", "mandate_ids")
    SEALED_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_ID_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_SHA256_FIELD_NUMBER: _ClassVar[int]
    MANDATE_IDS_FIELD_NUMBER: _ClassVar[int]
    sealed: bytes
    credential_id: str
    level: _credential_pb2.Level
    payload_sha256: bytes
    mandate_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sealed: _Optional[bytes] = ..., credential_id: _Optional[str] = ..., level: _Optional[_Union[_credential_pb2.Level, str]] = ..., payload_sha256: _Optional[bytes] = ..., mandate_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class IssueItem(_message.Message):
    __slots__ = ("request_id", "learner")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LEARNER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    learner: _credential_pb2.Learner
    def __init__(self, request_id: _Optional[str] = ..., learner: _Optional[_Union[_credential_pb2.Learner, _Mapping]] = ...) -> None: ...

class IssueStreamRequest(_message.Message):
    __slots__ = ("micro_credential", "items", "level")
    MICRO_CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    micro_credential: _credential_pb2.MicroCredential
    items: _containers.RepeatedCompositeFieldContainer[IssueItem]
    level: _credential_pb2.Level
    def __init__(self, micro_credential: _Optional[_Union[_credential_pb2.MicroCredential, _Mapping]] = ..., items: _Optional[_Iterable[_Union[IssueItem, _Mapping]]] = ..., level: _Optional[_Union[_credential_pb2.Level, str]] = ...) -> None: ...

class IssueStreamResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ItemResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ItemResult, _Mapping]]] = ...) -> None: ...

class SealStreamRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SealRequest]
    def __init__(self, items: _Optional[_Iterable[_Union[SealRequest, _Mapping]]] = ...) -> None: ...

class SealStreamResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ItemResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ItemResult, _Mapping]]] = ...) -> None: ...

class ItemResult(_message.Message):
    __slots__ = ("request_id", "sealed", "status")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    sealed: SealResponse
    status: _status_pb2.Status
    def __init__(self, request_id: _Optional[str] = ..., sealed: _Optional[_Union[SealResponse, _Mapping]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ExplainMandateRequest(_message.Message):
    __slots__ = ("credential", "at")
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    credential: bytes
    at: _timestamp_pb2.Timestamp
    def __init__(self, credential: _Optional[bytes] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExplainMandateResponse(_message.Message):
    __slots__ = ("granted", "mandate_ids", "refusals", "register_sha256", "facts", "quotas")
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    MANDATE_IDS_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    REGISTER_SHA256_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    QUOTAS_FIELD_NUMBER: _ClassVar[int]
    granted: bool
    mandate_ids: _containers.RepeatedScalarFieldContainer[str]
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    register_sha256: bytes
    facts: _containers.RepeatedCompositeFieldContainer[Fact]
    quotas: _containers.RepeatedCompositeFieldContainer[QuotaUse]
    def __init__(self, granted: bool = ..., mandate_ids: _Optional[_Iterable[str]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ..., register_sha256: _Optional[bytes] = ..., facts: _Optional[_Iterable[_Union[Fact, _Mapping]]] = ..., quotas: _Optional[_Iterable[_Union[QuotaUse, _Mapping]]] = ...) -> None: ...

class QuotaUse(_message.Message):
    __slots__ = ("mandate_id", "rule", "limit", "used")
    MANDATE_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    mandate_id: str
    rule: str
    limit: int
    used: int
    def __init__(self, mandate_id: _Optional[str] = ..., rule: _Optional[str] = ..., limit: _Optional[int] = ..., used: _Optional[int] = ...) -> None: ...

class Fact(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("rule", "message", "subject")
    RULE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    rule: str
    message: str
    subject: str
    def __init__(self, rule: _Optional[str] = ..., message: _Optional[str] = ..., subject: _Optional[str] = ...) -> None: ...
