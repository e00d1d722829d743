"""The learning achievement of a micro-credential: where each element of Annex I goes in the European Learning Model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from eseal.credential.nodes import Json, Nodes, date_time, said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from eseal.credential.micro_credential import (
        Activity,
        Assessment,
        Entitlement,
        Learner,
        LearningOutcome,
        MicroCredential,
        NotionalWorkload,
    )

ECTS: Final = "6fcec5c5af"
SHORT_LEARNING_PROGRAMME: Final = "74a4a268e8"
ACTUAL: Final = "b7015a8a8c"
LEARNING_OPPORTUNITY: Final = "64aad92881"
# What a learner has who holds the credential and of whom no grade is said, in the languages whose word for it is known.
PASS: Final[Mapping[str, str]] = {
    "bg": "Зачетено",
    "cs": "Splněno",
    "da": "Bestået",
    "de": "Bestanden",
    "el": "Επιτυχώς",
    "en": "Pass",
    "es": "Apto",
    "et": "Arvestatud",
    "fi": "Hyväksytty",
    "fr": "Réussi",
    "ga": "Pas",
    "hr": "Položeno",
    "hu": "Megfelelt",
    "it": "Superato",
    "lt": "Įskaityta",
    "lv": "Ieskaitīts",
    "nl": "Voldaan",
    "pl": "Zaliczone",
    "pt": "Aprovado",
    "ro": "Admis",
    "sk": "Splnené",
    "sl": "Opravljeno",
    "sv": "Godkänd",
}
NO_OVERALL_ASSESSMENT: Final = (
    "There is no overall assessment for this grade: that is the only one in type_of_assessment, else the only one without a "
    "key. Give every other assessment a key and the overall one none, or give the grade by key (assessment_grades)."
)
# What only a credential has; the model knows of no such thing in an achievement.
_CREDENTIALS_OWN: Final = ("languages", "valid_from", "valid_until", "attachments", "display", "accreditation")
_NUMBER: Final = re.compile(r"[0-9]{1,6}([.,][0-9]{1,6})?")


class _Keyed(Protocol):
    """An assessment, of the house or of the wire."""

    @property
    def key(self) -> str:
        """What grades name it by."""


_Assessment = TypeVar("_Assessment", bound=_Keyed)


def overall_assessment(assessments: Sequence[_Assessment]) -> _Assessment | None:
    """The overall assessment: the only one, else the only one without a key; None where no one can be told."""
    chosen = assessments if len(assessments) == 1 else [one for one in assessments if not one.key]
    return chosen[0] if len(chosen) == 1 else None


class Achievements:
    """Makes the achievements of one learner: the micro-credential and the parts that it is made of."""

    def __init__(self, nodes: Nodes, course: MicroCredential, learner: Learner) -> None:
        self._nodes = nodes
        self._whole = course
        self._learner = learner
        self._keys: set[str] = set()
        self._grades = {graded.assessment: graded.grade for graded in learner.assessment_grades}

    def whole(self) -> Json:
        """The LearningAchievement of the micro-credential. A grade that would be lost is a fault."""
        node = self.achievement(self._whole, "/micro_credential")
        graded_before: set[str] = set()
        for index, graded in enumerate(self._learner.assessment_grades):
            message = self._ungradable(graded.assessment, graded_before)
            graded_before.add(graded.assessment)
            if message:
                self._nodes.fault(f"/learner/assessment_grades/{index}/assessment", "assessment-key", message)
            self._require_grade(graded.grade, f"/learner/assessment_grades/{index}/grade")
        self._require_grade(self._learner.grade_achieved, "/learner/grade_achieved")
        self._require_grade(self._whole.grade_achieved, "/micro_credential/grade_achieved")
        return node

    def _require_grade(self, grade: Mapping[str, str], where: str) -> None:
        """Note a grade that says nothing: it would stand where no grade means that the learner has passed."""
        for language, text in grade.items():
            if not text.strip():
                self._nodes.fault(f"{where}/{language}", "grade", "A grade is not blank: say it, or leave it out.")

    def _ungradable(self, key: str, graded_before: set[str]) -> str:
        """Why a learner cannot have a grade in the assessment of this key; empty where nothing speaks against it."""
        if not key:
            return "The grade in the overall assessment is the learner's grade_achieved."
        if key not in self._keys:
            return f"No assessment has the key {key!r}; there are: {', '.join(sorted(self._keys)) or 'none'}."
        return f"The assessment {key!r} has a grade already: give one." if key in graded_before else ""

    def achievement(self, course: MicroCredential, where: str) -> Json:
        """The LearningAchievement of ``course``, found in the request at ``where``."""
        nodes, stack = self._nodes, course.integration_stackability
        if course is not self._whole:
            self._require_part(course, where)
        overall = self._overall(course, where)
        process = self._awarding_process(course, where)
        information = course.further_information
        node: Json = {
            "id": nodes.new_id("learningAchievement"),
            "type": "LearningAchievement",
            "title": dict(course.title),
            "awardedBy": process,
            "specifiedBy": self._qualification(course, where),
        }
        return node | said(
            description=dict(course.description),
            provenBy=[
                self._assessment(course, number, process, where, overall=overall)
                for number in range(len(course.type_of_assessment))
            ],
            influencedBy=[
                self._activity(activity, process, f"{where}/activities/{index}")
                for index, activity in enumerate(course.activities)
            ],
            entitlesTo=[
                self._entitlement(entitlement, process, f"{where}/integration_stackability/entitles_to/{index}")
                for index, entitlement in enumerate(stack.entitles_to if stack else ())
            ],
            hasPart=[
                self.achievement(part, f"{where}/integration_stackability/parts/{index}")
                for index, part in enumerate(stack.parts if stack else ())
            ],
            additionalNote=information and nodes.note(information.note),
            # Those of the whole are the credential's.
            identifier=[nodes.identifier(one) for one in course.identifiers] if course is not self._whole else None,
        )

    def _require_part(self, part: MicroCredential, where: str) -> None:
        """Note what a part lacks, and what it says that the model has no place for but in a credential."""
        if not any(text.strip() for text in part.title.values()):
            self._nodes.fault(f"{where}/title", "annex-i:title", "A part needs a title in at least one language.")
        for name in _CREDENTIALS_OWN:
            if getattr(part, name):
                message = f"A part has no {name} of its own: say it of the whole, or leave it out."
                self._nodes.fault(f"{where}/{name}", "part", message)

    def _awarding_process(self, course: MicroCredential, where: str) -> Json:
        nodes, bodies = self._nodes, course.awarding_bodies or self._whole.awarding_bodies
        region = course.country_region_of_issuer or self._whole.country_region_of_issuer
        awarded = self._date(course)
        return {
            "id": nodes.new_id("awardingProcess"),
            "type": "AwardingProcess",
            **said(
                awardingBody=[
                    nodes.organisation(body, region, f"{where}/awarding_bodies/{index}")
                    for index, body in enumerate(bodies)
                ],
                awardingDate=awarded and date_time(awarded),
            ),
        }

    def _date(self, course: MicroCredential) -> date | None:
        own = self._learner.date_of_issuing if course is self._whole else None
        return own or course.date_of_issuing or self._learner.date_of_issuing or self._whole.date_of_issuing

    def _qualification(self, course: MicroCredential, where: str) -> Json:
        nodes, workload, level = self._nodes, course.notional_workload, course.level
        information, stack = course.further_information, course.integration_stackability
        eqf = str(level.eqf) if level and level.eqf else ""
        node: Json = {
            "id": nodes.new_id("qualification"),
            "type": "Qualification",
            "title": dict(course.title),
        }
        return node | said(
            dcType=nodes.concept(
                "learning-opportunity", course.opportunity_type or SHORT_LEARNING_PROGRAMME, f"{where}/opportunity_type"
            ),
            learningOutcome=[
                self._outcome(outcome, f"{where}/learning_outcomes/{index}")
                for index, outcome in enumerate(course.learning_outcomes)
            ],
            creditPoint=self._credits(workload, f"{where}/notional_workload") if workload else None,
            volumeOfLearning=workload
            and nodes.duration(workload.volume_of_learning, f"{where}/notional_workload/volume_of_learning"),
            maximumDuration=workload
            and nodes.duration(workload.maximum_duration, f"{where}/notional_workload/maximum_duration"),
            eqfLevel=nodes.concept("eqf", eqf, f"{where}/level/eqf"),
            nqfLevel=[
                nodes.concept("qdr", other.id, f"{where}/level/other_levels/{index}", other.label)
                for index, other in enumerate(level.other_levels if level else ())
            ],
            mode=nodes.concepts("mode", course.form_of_participation, f"{where}/form_of_participation"),
            accreditation=[
                nodes.quality_assurance(assurance, f"{where}/type_of_quality_assurance/{index}")
                for index, assurance in enumerate(course.type_of_quality_assurance)
            ],
            entryRequirement=nodes.note(course.prerequisites),
            learningSetting=nodes.concept("learning-setting", course.learning_setting, f"{where}/learning_setting"),
            thematicArea=nodes.concepts("isced-f", course.thematic_areas, f"{where}/thematic_areas"),
            language=nodes.spoken(course.languages_of_instruction, f"{where}/languages_of_instruction"),
            isPartialQualification=stack.stackable if stack else None,
            homepage=information and nodes.page(information.homepage),
            supplementaryDocument=[
                nodes.page(page) for page in (information.supplementary_documents if information else ())
            ],
        )

    def _outcome(self, outcome: LearningOutcome, where: str) -> Json:
        nodes = self._nodes
        node: Json = {"id": nodes.new_id("learningOutcome"), "type": "LearningOutcome", "title": dict(outcome.title)}
        return node | said(
            relatedESCOSkill=[
                nodes.concept("esco-skill", skill.id, f"{where}/esco_skills/{index}/id", skill.label)
                for index, skill in enumerate(outcome.esco_skills)
            ],
            reusabilityLevel=nodes.concept(
                "skill-reuse-level", outcome.reusability_level, f"{where}/reusability_level"
            ),
            additionalNote=nodes.note(outcome.description),
        )

    def _credits(self, workload: NotionalWorkload, where: str) -> list[Json]:
        nodes = self._nodes
        pairs = [(ECTS, workload.ects_credits, f"{where}/ects_credits")] if workload.ects_credits else []
        pairs += [
            (other.framework, other.point, f"{where}/other_credits/{index}/framework")
            for index, other in enumerate(workload.other_credits)
        ]
        for _, point, place in pairs:
            if not _NUMBER.fullmatch(point):
                nodes.fault(
                    place.replace("/framework", "/point"), "credit-point", "Credits are a decimal number, such as 2.5."
                )
        return [
            {
                "id": nodes.new_id("creditPoint"),
                "type": "CreditPoint",
                **said(framework=nodes.concept("education-credit", framework, place), point=point),
            }
            for framework, point, place in pairs
        ]

    def _overall(self, course: MicroCredential, where: str) -> Assessment | None:
        """The overall assessment of ``course``. A grade in it is a fault where there is none or it has another grade."""
        overall = overall_assessment(course.type_of_assessment)
        own = self._learner.grade_achieved if course is self._whole else {}
        keyed = self._grades.get(overall.key, {}) if overall and overall.key else {}
        given = ((own, "/learner/grade_achieved"), (course.grade_achieved, f"{where}/grade_achieved"))
        if overall is None:
            for grade, place in given:
                if grade:
                    self._nodes.fault(place, "overall-assessment", NO_OVERALL_ASSESSMENT)
            return None
        if own and keyed and dict(own) != dict(keyed):
            message = "grade_achieved and assessment_grades give two grades for the one assessment: give one."
            self._nodes.fault("/learner/grade_achieved", "overall-assessment", message)
        if overall.grade and course.grade_achieved and dict(overall.grade) != dict(course.grade_achieved):
            message = "This is another grade than the overall assessment's own in type_of_assessment: give one."
            self._nodes.fault(f"{where}/grade_achieved", "overall-assessment", message)
        return overall

    def _assessment(
        self, course: MicroCredential, number: int, process: Json, where: str, *, overall: Assessment | None
    ) -> Json:
        assessment = course.type_of_assessment[number]
        nodes, scheme = self._nodes, assessment.grading_scheme
        of_course, where = where, f"{where}/type_of_assessment/{number}"
        kind = nodes.concept("assessment", assessment.type, f"{where}/type")
        title = dict(assessment.title) or dict((kind or {}).get("prefLabel", {})) or dict(course.title)
        verification, verified = assessment.identity_verification, f"{where}/identity_verification"
        if not verification:
            verification = course.supervision_and_identity_verification
            verified = f"{of_course}/supervision_and_identity_verification"
        specification: Json = {
            "id": nodes.new_id("learningAssessmentSpec"),
            "type": "LearningAssessmentSpecification",
            "title": title,
            **said(
                dcType=kind,
                mode=nodes.concepts("mode", assessment.mode, f"{where}/mode"),
                language=nodes.spoken(assessment.languages, f"{where}/languages"),
                gradingScheme=scheme
                and {
                    "id": nodes.new_id("gradingScheme"),
                    "type": "GradingScheme",
                    "title": dict(scheme.title),
                    **said(description=dict(scheme.description), supplementaryDocument=nodes.page(scheme.document)),
                },
            ),
        }
        return {
            "id": nodes.new_id("learningAssessment"),
            "type": "LearningAssessment",
            "title": title,
            "awardedBy": process,
            "grade": nodes.note(self._grade(course, assessment, where, overall=assessment is overall)),
            "specifiedBy": specification,
            **said(
                description=dict(assessment.description),
                idVerification=nodes.concept("supervision-verification", verification, verified),
                dateIssued=assessment.date and date_time(assessment.date),
            ),
        }

    def _grade(
        self, course: MicroCredential, assessment: Assessment, where: str, *, overall: bool
    ) -> Mapping[str, str]:
        """SHACL wants a grade in every assessment; who holds the credential has passed where nothing else is said."""
        own: Mapping[str, str] = {}
        if assessment.key:
            if assessment.key in self._keys:
                message = f"Two assessments have the key {assessment.key!r}: a grade would not know which it is for."
                self._nodes.fault(f"{where}/key", "assessment-key", message)
            self._keys.add(assessment.key)
            own = self._grades.get(assessment.key, {})
        if overall and course is self._whole:
            own = own or self._learner.grade_achieved
        of_course = course.grade_achieved if overall else {}
        return own or assessment.grade or of_course or self._passed()

    def _passed(self) -> Mapping[str, str]:
        """What "Pass" is called in the credential's languages; in English where none of them is known."""
        return {one: PASS[one] for one in self._nodes.languages if one in PASS} or {"en": PASS["en"]}

    def _activity(self, activity: Activity, process: Json, where: str) -> Json:
        nodes = self._nodes
        nodes.in_order(activity.start_date, activity.end_date, f"{where}/end_date")
        period = said(
            startDate=activity.start_date and date_time(activity.start_date),
            endDate=activity.end_date and date_time(activity.end_date),
        )
        specification: Json = {
            "id": nodes.new_id("learningActivitySpec"),
            "type": "LearningActivitySpecification",
            "title": dict(activity.title),
            **said(
                dcType=nodes.concept("learning-activity", activity.type, f"{where}/type"),
                mode=nodes.concepts("mode", activity.mode, f"{where}/mode"),
                volumeOfLearning=nodes.duration(activity.volume_of_learning, f"{where}/volume_of_learning"),
                language=nodes.spoken(activity.languages, f"{where}/languages"),
            ),
        }
        return {
            "id": nodes.new_id("activity"),
            "type": "LearningActivity",
            "title": dict(activity.title),
            "awardedBy": process,
            "specifiedBy": specification,
            **said(
                description=dict(activity.description),
                temporal=period and {"id": nodes.new_id("period"), "type": "PeriodOfTime", **period},
            ),
        }

    def _entitlement(self, entitlement: Entitlement, process: Json, where: str) -> Json:
        nodes = self._nodes
        return {
            "id": nodes.new_id("entitlement"),
            "type": "LearningEntitlement",
            "title": dict(entitlement.title),
            "awardedBy": process,
            "specifiedBy": {
                "id": nodes.new_id("entitlementSpec"),
                "type": "LearningEntitlementSpecification",
                "title": dict(entitlement.title),
                **said(
                    dcType=nodes.concept("entitlement", entitlement.type or LEARNING_OPPORTUNITY, f"{where}/type"),
                    entitlementStatus=nodes.concept(
                        "entitlement-status", entitlement.status or ACTUAL, f"{where}/status"
                    ),
                ),
            },
            **said(description=dict(entitlement.description)),
        }
