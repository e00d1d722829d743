import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Level(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEVEL_UNSPECIFIED: _ClassVar[Level]
    LEVEL_B_B: _ClassVar[Level]
    LEVEL_B_T: _ClassVar[Level]
    LEVEL_B_LT: _ClassVar[Level]
    LEVEL_B_LTA: _ClassVar[Level]

class LegalIdentifierKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEGAL_IDENTIFIER_KIND_UNSPECIFIED: _ClassVar[LegalIdentifierKind]
    LEGAL_IDENTIFIER_KIND_EIDAS: _ClassVar[LegalIdentifierKind]
    LEGAL_IDENTIFIER_KIND_REGISTRATION: _ClassVar[LegalIdentifierKind]
    LEGAL_IDENTIFIER_KIND_VAT: _ClassVar[LegalIdentifierKind]
    LEGAL_IDENTIFIER_KIND_TAX: _ClassVar[LegalIdentifierKind]
    LEGAL_IDENTIFIER_KIND_OTHER: _ClassVar[LegalIdentifierKind]
LEVEL_UNSPECIFIED: Level
LEVEL_B_B: Level
LEVEL_B_T: Level
LEVEL_B_LT: Level
LEVEL_B_LTA: Level
LEGAL_IDENTIFIER_KIND_UNSPECIFIED: LegalIdentifierKind
LEGAL_IDENTIFIER_KIND_EIDAS: LegalIdentifierKind
LEGAL_IDENTIFIER_KIND_REGISTRATION: LegalIdentifierKind
LEGAL_IDENTIFIER_KIND_VAT: LegalIdentifierKind
LEGAL_IDENTIFIER_KIND_TAX: LegalIdentifierKind
LEGAL_IDENTIFIER_KIND_OTHER: LegalIdentifierKind

class MicroCredential(_message.Message):
    __slots__ = ("title", "country_region_of_issuer", "awarding_bodies", "date_of_issuing", "learning_outcomes", "notional_workload", "level", "type_of_assessment", "form_of_participation", "type_of_quality_assurance", "prerequisites", "supervision_and_identity_verification", "grade_achieved", "integration_stackability", "further_information", "description", "languages", "opportunity_type", "learning_setting", "thematic_areas", "languages_of_instruction", "activities", "valid_from", "valid_until", "identifiers", "attachments", "display", "accreditation")
    class TitleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class PrerequisitesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class GradeAchievedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class DescriptionEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TITLE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_REGION_OF_ISSUER_FIELD_NUMBER: _ClassVar[int]
    AWARDING_BODIES_FIELD_NUMBER: _ClassVar[int]
    DATE_OF_ISSUING_FIELD_NUMBER: _ClassVar[int]
    LEARNING_OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TYPE_OF_ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    FORM_OF_PARTICIPATION_FIELD_NUMBER: _ClassVar[int]
    TYPE_OF_QUALITY_ASSURANCE_FIELD_NUMBER: _ClassVar[int]
    PREREQUISITES_FIELD_NUMBER: _ClassVar[int]
    SUPERVISION_AND_IDENTITY_VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    GRADE_ACHIEVED_FIELD_NUMBER: _ClassVar[int]
    INTEGRATION_STACKABILITY_FIELD_NUMBER: _ClassVar[int]
    FURTHER_INFORMATION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    OPPORTUNITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    LEARNING_SETTING_FIELD_NUMBER: _ClassVar[int]
    THEMATIC_AREAS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_OF_INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENTS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    ACCREDITATION_FIELD_NUMBER: _ClassVar[int]
    title: _containers.ScalarMap[str, str]
    country_region_of_issuer: Region
    awarding_bodies: _containers.RepeatedCompositeFieldContainer[Organisation]
    date_of_issuing: _date_pb2.Date
    learning_outcomes: _containers.RepeatedCompositeFieldContainer[LearningOutcome]
    notional_workload: NotionalWorkload
    level: LearningLevel
    type_of_assessment: _containers.RepeatedCompositeFieldContainer[Assessment]
    form_of_participation: _containers.RepeatedScalarFieldContainer[str]
    type_of_quality_assurance: _containers.RepeatedCompositeFieldContainer[QualityAssurance]
    prerequisites: _containers.ScalarMap[str, str]
    supervision_and_identity_verification: str
    grade_achieved: _containers.ScalarMap[str, str]
    integration_stackability: Stackability
    further_information: FurtherInformation
    description: _containers.ScalarMap[str, str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    opportunity_type: str
    learning_setting: str
    thematic_areas: _containers.RepeatedScalarFieldContainer[str]
    languages_of_instruction: _containers.RepeatedScalarFieldContainer[str]
    activities: _containers.RepeatedCompositeFieldContainer[Activity]
    valid_from: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    identifiers: _containers.RepeatedCompositeFieldContainer[Identifier]
    attachments: _containers.RepeatedCompositeFieldContainer[Attachment]
    display: Display
    accreditation: QualityAssurance
    def __init__(self, title: _Optional[_Mapping[str, str]] = ..., country_region_of_issuer: _Optional[_Union[Region, _Mapping]] = ..., awarding_bodies: _Optional[_Iterable[_Union[Organisation, _Mapping]]] = ..., date_of_issuing: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., learning_outcomes: _Optional[_Iterable[_Union[LearningOutcome, _Mapping]]] = ..., notional_workload: _Optional[_Union[NotionalWorkload, _Mapping]] = ..., level: _Optional[_Union[LearningLevel, _Mapping]] = ..., type_of_assessment: _Optional[_Iterable[_Union[Assessment, _Mapping]]] = ..., form_of_participation: _Optional[_Iterable[str]] = ..., type_of_quality_assurance: _Optional[_Iterable[_Union[QualityAssurance, _Mapping]]] = ..., prerequisites: _Optional[_Mapping[str, str]] = ..., supervision_and_identity_verification: _Optional[str] = ..., grade_achieved: _Optional[_Mapping[str, str]] = ..., integration_stackability: _Optional[_Union[Stackability, _Mapping]] = ..., further_information: _Optional[_Union[FurtherInformation, _Mapping]] = ..., description: _Optional[_Mapping[str, str]] = ..., languages: _Optional[_Iterable[str]] = ..., opportunity_type: _Optional[str] = ..., learning_setting: _Optional[str] = ..., thematic_areas: _Optional[_Iterable[str]] = ..., languages_of_instruction: _Optional[_Iterable[str]] = ..., activities: _Optional[_Iterable[_Union[Activity, _Mapping]]] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., identifiers: _Optional[_Iterable[_Union[Identifier, _Mapping]]] = ..., attachments: _Optional[_Iterable[_Union[Attachment, _Mapping]]] = ..., display: _Optional[_Union[Display, _Mapping]] = ..., accreditation: _Optional[_Union[QualityAssurance, _Mapping]] = ...) -> None: ...

class Learner(_message.Message):
    __slots__ = ("given_name", "family_name", "full_name", "date_of_birth", "national_id", "identifiers", "citizenship_countries", "email_address", "date_of_issuing", "grade_achieved", "assessment_grades", "credential_identifiers")
    class GradeAchievedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    GIVEN_NAME_FIELD_NUMBER: _ClassVar[int]
    FAMILY_NAME_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    DATE_OF_BIRTH_FIELD_NUMBER: _ClassVar[int]
    NATIONAL_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    CITIZENSHIP_COUNTRIES_FIELD_NUMBER: _ClassVar[int]
    EMAIL_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DATE_OF_ISSUING_FIELD_NUMBER: _ClassVar[int]
    GRADE_ACHIEVED_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_GRADES_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    given_name: str
    family_name: str
    full_name: str
    date_of_birth: _date_pb2.Date
    national_id: LegalIdentifier
    identifiers: _containers.RepeatedCompositeFieldContainer[Identifier]
    citizenship_countries: _containers.RepeatedScalarFieldContainer[str]
    email_address: str
    date_of_issuing: _date_pb2.Date
    grade_achieved: _containers.ScalarMap[str, str]
    assessment_grades: _containers.RepeatedCompositeFieldContainer[AssessmentGrade]
    credential_identifiers: _containers.RepeatedCompositeFieldContainer[Identifier]
    def __init__(self, given_name: _Optional[str] = ..., family_name: _Optional[str] = ..., full_name: _Optional[str] = ..., date_of_birth: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., national_id: _Optional[_Union[LegalIdentifier, _Mapping]] = ..., identifiers: _Optional[_Iterable[_Union[Identifier, _Mapping]]] = ..., citizenship_countries: _Optional[_Iterable[str]] = ..., email_address: _Optional[str] = ..., date_of_issuing: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., grade_achieved: _Optional[_Mapping[str, str]] = ..., assessment_grades: _Optional[_Iterable[_Union[AssessmentGrade, _Mapping]]] = ..., credential_identifiers: _Optional[_Iterable[_Union[Identifier, _Mapping]]] = ...) -> None: ...

class AssessmentGrade(_message.Message):
    __slots__ = ("assessment", "grade")
    class GradeEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    GRADE_FIELD_NUMBER: _ClassVar[int]
    assessment: str
    grade: _containers.ScalarMap[str, str]
    def __init__(self, assessment: _Optional[str] = ..., grade: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Organisation(_message.Message):
    __slots__ = ("legal_name", "alternative_name", "country", "region", "address", "identifiers", "homepage", "email_address", "logo", "group_member_of", "accreditations")
    class LegalNameEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class AlternativeNameEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class AddressEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LEGAL_NAME_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVE_NAME_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    HOMEPAGE_FIELD_NUMBER: _ClassVar[int]
    EMAIL_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    LOGO_FIELD_NUMBER: _ClassVar[int]
    GROUP_MEMBER_OF_FIELD_NUMBER: _ClassVar[int]
    ACCREDITATIONS_FIELD_NUMBER: _ClassVar[int]
    legal_name: _containers.ScalarMap[str, str]
    alternative_name: _containers.ScalarMap[str, str]
    country: str
    region: str
    address: _containers.ScalarMap[str, str]
    identifiers: _containers.RepeatedCompositeFieldContainer[LegalIdentifier]
    homepage: str
    email_address: str
    logo: Attachment
    group_member_of: _containers.RepeatedCompositeFieldContainer[Group]
    accreditations: _containers.RepeatedCompositeFieldContainer[QualityAssurance]
    def __init__(self, legal_name: _Optional[_Mapping[str, str]] = ..., alternative_name: _Optional[_Mapping[str, str]] = ..., country: _Optional[str] = ..., region: _Optional[str] = ..., address: _Optional[_Mapping[str, str]] = ..., identifiers: _Optional[_Iterable[_Union[LegalIdentifier, _Mapping]]] = ..., homepage: _Optional[str] = ..., email_address: _Optional[str] = ..., logo: _Optional[_Union[Attachment, _Mapping]] = ..., group_member_of: _Optional[_Iterable[_Union[Group, _Mapping]]] = ..., accreditations: _Optional[_Iterable[_Union[QualityAssurance, _Mapping]]] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("name", "email_address")
    class NameEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    name: _containers.ScalarMap[str, str]
    email_address: str
    def __init__(self, name: _Optional[_Mapping[str, str]] = ..., email_address: _Optional[str] = ...) -> None: ...

class Region(_message.Message):
    __slots__ = ("country", "region")
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    country: str
    region: str
    def __init__(self, country: _Optional[str] = ..., region: _Optional[str] = ...) -> None: ...

class LegalIdentifier(_message.Message):
    __slots__ = ("kind", "notation", "country", "scheme")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOTATION_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    kind: LegalIdentifierKind
    notation: str
    country: str
    scheme: str
    def __init__(self, kind: _Optional[_Union[LegalIdentifierKind, str]] = ..., notation: _Optional[str] = ..., country: _Optional[str] = ..., scheme: _Optional[str] = ...) -> None: ...

class Identifier(_message.Message):
    __slots__ = ("notation", "scheme")
    NOTATION_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    notation: str
    scheme: str
    def __init__(self, notation: _Optional[str] = ..., scheme: _Optional[str] = ...) -> None: ...

class LearningOutcome(_message.Message):
    __slots__ = ("title", "description", "esco_skills", "reusability_level")
    class TitleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class DescriptionEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ESCO_SKILLS_FIELD_NUMBER: _ClassVar[int]
    REUSABILITY_LEVEL_FIELD_NUMBER: _ClassVar[int]
    title: _containers.ScalarMap[str, str]
    description: _containers.ScalarMap[str, str]
    esco_skills: _containers.RepeatedCompositeFieldContainer[Skill]
    reusability_level: str
    def __init__(self, title: _Optional[_Mapping[str, str]] = ..., description: _Optional[_Mapping[str, str]] = ..., esco_skills: _Optional[_Iterable[_Union[Skill, _Mapping]]] = ..., reusability_level: _Optional[str] = ...) -> None: ...

class Skill(_message.Message):
    __slots__ = ("id", "label")
    class LabelEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    id: str
    label: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., label: _Optional[_Mapping[str, str]] = ...) -> None: ...

class NotionalWorkload(_message.Message):
    __slots__ = ("ects_credits", "other_credits", "volume_of_learning", "maximum_duration")
    ECTS_CREDITS_FIELD_NUMBER: _ClassVar[int]
    OTHER_CREDITS_FIELD_NUMBER: _ClassVar[int]
    VOLUME_OF_LEARNING_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_DURATION_FIELD_NUMBER: _ClassVar[int]
    ects_credits: str
    other_credits: _containers.RepeatedCompositeFieldContainer[CreditPoint]
    volume_of_learning: str
    maximum_duration: str
    def __init__(self, ects_credits: _Optional[str] = ..., other_credits: _Optional[_Iterable[_Union[CreditPoint, _Mapping]]] = ..., volume_of_learning: _Optional[str] = ..., maximum_duration: _Optional[str] = ...) -> None: ...

class CreditPoint(_message.Message):
    __slots__ = ("framework", "point")
    FRAMEWORK_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    framework: str
    point: str
    def __init__(self, framework: _Optional[str] = ..., point: _Optional[str] = ...) -> None: ...

class LearningLevel(_message.Message):
    __slots__ = ("eqf", "other_levels")
    EQF_FIELD_NUMBER: _ClassVar[int]
    OTHER_LEVELS_FIELD_NUMBER: _ClassVar[int]
    eqf: int
    other_levels: _containers.RepeatedCompositeFieldContainer[QualificationFrameworkLevel]
    def __init__(self, eqf: _Optional[int] = ..., other_levels: _Optional[_Iterable[_Union[QualificationFrameworkLevel, _Mapping]]] = ...) -> None: ...

class QualificationFrameworkLevel(_message.Message):
    __slots__ = ("id", "label")
    class LabelEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    id: str
    label: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., label: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Assessment(_message.Message):
    __slots__ = ("key", "type", "title", "description", "grade", "grading_scheme", "identity_verification", "mode", "languages", "date")
    class TitleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class DescriptionEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class GradeEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    GRADE_FIELD_NUMBER: _ClassVar[int]
    GRADING_SCHEME_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    key: str
    type: str
    title: _containers.ScalarMap[str, str]
    description: _containers.ScalarMap[str, str]
    grade: _containers.ScalarMap[str, str]
    grading_scheme: GradingScheme
    identity_verification: str
    mode: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    date: _date_pb2.Date
    def __init__(self, key: _Optional[str] = ..., type: _Optional[str] = ..., title: _Optional[_Mapping[str, str]] = ..., description: _Optional[_Mapping[str, str]] = ..., grade: _Optional[_Mapping[str, str]] = ..., grading_scheme: _Optional[_Union[GradingScheme, _Mapping]] = ..., identity_verification: _Optional[str] = ..., mode: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class GradingScheme(_message.Message):
    __slots__ = ("title", "description", "document")
    class TitleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class DescriptionEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    title: _containers.ScalarMap[str, str]
    description: _containers.ScalarMap[str, str]
    document: str
    def __init__(self, title: _Optional[_Mapping[str, str]] = ..., description: _Optional[_Mapping[str, str]] = ..., document: _Optional[str] = ...) -> None: ...

class Activity(_message.Message):
    __slots__ = ("title", "description", "type", "mode", "volume_of_learning", "start_date", "end_date", "languages")
    class TitleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class DescriptionEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_OF_LEARNING_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    title: _containers.ScalarMap[str, str]
    description: _containers.ScalarMap[str, str]
    type: str
    mode: _containers.RepeatedScalarFieldContainer[str]
    volume_of_learning: str
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    languages: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, title: _Optional[_Mapping[str, str]] = ..., description: _Optional[_Mapping[str, str]] = ..., type: _Optional[str] = ..., mode: _Optional[_Iterable[str]] = ..., volume_of_learning: _Optional[str] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., languages: _Optional[_Iterable[str]] = ...) -> None: ...

class QualityAssurance(_message.Message):
    __slots__ = ("id", "type", "title", "accrediting_agent", "organisation", "report", "date_issued", "expiry_date")
    class TitleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    ACCREDITING_AGENT_FIELD_NUMBER: _ClassVar[int]
    ORGANISATION_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    DATE_ISSUED_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: str
    title: _containers.ScalarMap[str, str]
    accrediting_agent: Organisation
    organisation: Organisation
    report: str
    date_issued: _date_pb2.Date
    expiry_date: _date_pb2.Date
    def __init__(self, id: _Optional[str] = ..., type: _Optional[str] = ..., title: _Optional[_Mapping[str, str]] = ..., accrediting_agent: _Optional[_Union[Organisation, _Mapping]] = ..., organisation: _Optional[_Union[Organisation, _Mapping]] = ..., report: _Optional[str] = ..., date_issued: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., expiry_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class Stackability(_message.Message):
    __slots__ = ("stackable", "entitles_to", "parts")
    STACKABLE_FIELD_NUMBER: _ClassVar[int]
    ENTITLES_TO_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    stackable: bool
    entitles_to: _containers.RepeatedCompositeFieldContainer[Entitlement]
    parts: _containers.RepeatedCompositeFieldContainer[MicroCredential]
    def __init__(self, stackable: bool = ..., entitles_to: _Optional[_Iterable[_Union[Entitlement, _Mapping]]] = ..., parts: _Optional[_Iterable[_Union[MicroCredential, _Mapping]]] = ...) -> None: ...

class Entitlement(_message.Message):
    __slots__ = ("title", "description", "type", "status")
    class TitleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class DescriptionEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    title: _containers.ScalarMap[str, str]
    description: _containers.ScalarMap[str, str]
    type: str
    status: str
    def __init__(self, title: _Optional[_Mapping[str, str]] = ..., description: _Optional[_Mapping[str, str]] = ..., type: _Optional[str] = ..., status: _Optional[str] = ...) -> None: ...

class FurtherInformation(_message.Message):
    __slots__ = ("note", "homepage", "supplementary_documents")
    class NoteEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NOTE_FIELD_NUMBER: _ClassVar[int]
    HOMEPAGE_FIELD_NUMBER: _ClassVar[int]
    SUPPLEMENTARY_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    note: _containers.ScalarMap[str, str]
    homepage: str
    supplementary_documents: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, note: _Optional[_Mapping[str, str]] = ..., homepage: _Optional[str] = ..., supplementary_documents: _Optional[_Iterable[str]] = ...) -> None: ...

class Attachment(_message.Message):
    __slots__ = ("title", "media_type", "content")
    class TitleEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TITLE_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    title: _containers.ScalarMap[str, str]
    media_type: str
    content: bytes
    def __init__(self, title: _Optional[_Mapping[str, str]] = ..., media_type: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...

class Display(_message.Message):
    __slots__ = ("template", "pages", "personal")
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_FIELD_NUMBER: _ClassVar[int]
    template: str
    pages: _containers.RepeatedCompositeFieldContainer[DisplayPage]
    personal: bool
    def __init__(self, template: _Optional[str] = ..., pages: _Optional[_Iterable[_Union[DisplayPage, _Mapping]]] = ..., personal: bool = ...) -> None: ...

class DisplayPage(_message.Message):
    __slots__ = ("language", "media_type", "content")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    language: str
    media_type: str
    content: bytes
    def __init__(self, language: _Optional[str] = ..., media_type: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...
