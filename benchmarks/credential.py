"""What a credential costs beside its seal, as ratios within one run.

    .venv/bin/python benchmarks/credential.py [--documents 64]

    complete + check + canonicalise   of a 15 KB and a 110 KB credential, against one P-256 signature in SoftHSM
    check                             against pyshacl with the Commission's shapes, on the same document
    build, facts, Annex I             of a learner of a course, once the course is known
    pages                             a course's page, and a learner's name on one

The documents differ, as a stream's do; steps are interleaved, medians of seven rounds. The 110 KB credential and the
shapes are the Commission's: they are read from ESEAL_VECTORS, and left out where they are not there.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.credential import courses, oracle
from tests.harness.server import practice_set
from tests.harness.vectors import VECTORS

from eseal import sealcore
from eseal.config import load
from eseal.credential import draft
from eseal.credential.annex_i import annex_i
from eseal.credential.building import build, parse
from eseal.credential.checking import check_many
from eseal.credential.completion import Completion, complete, fresh_credential_id
from eseal.credential.facts import award_facts
from eseal.credential.micro_credential import Attachment, Display
from eseal.credential.page import Pages, page_texts, with_name
from eseal.hsm import Pkcs11KeyRoom
from eseal.terms import Lane, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from eseal.credential.micro_credential import MicroCredential
    from eseal.sealcore import Document

ROUNDS = 7
MANDATED = [Profile.GENERIC, Profile.MANDATE]
SAMPLE = VECTORS / "edc/2023-Sample-MC-Annex1-unsigned.jsonld"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=64, help="different documents a round")
    count = parser.parse_args().documents
    with tempfile.TemporaryDirectory() as folder, opened_room(Path(folder)) as sign:
        for name, documents in credentials(count).items():
            beside_the_seal(name, documents, sign)
        a_class(count, sign)
    issue(count)
    pages()


def large_course() -> MicroCredential:
    """A course whose credentials have about 15 KB."""
    badge = Attachment("image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, {"en": "Badge"})
    return courses.eciu_course(display=courses.PAGES, attachments=(badge,), description={"en": "Completed. " * 60})


def a_class(count: int, sign: Callable[[Sequence[bytes]], None]) -> None:
    """What Issue does for each learner of a class, from the learner to the payload, beside a signature."""
    course, grant, pages = large_course(), courses.grant(courses.mandate()), Pages()
    learners = [courses.learner(given_name=f"Learner {n}", family_name=f"Family {n}") for n in range(count)]
    digests = [hashlib.sha256(str(number).encode()).digest() for number in range(count)]
    state: dict[str, list[Any]] = {}

    def completing() -> None:
        state["completed"] = [
            one.complete(
                one.completion(sealer=courses.SEALER, grant=grant, display=None, pages=pages),
                credential_id=fresh_credential_id(),
                issued=courses.ISSUED,
            )
            for one in state["drafted"]
        ]

    def checking() -> None:
        assert not any(draft.faults_of(state["completed"]))

    taken = interleaved(
        count,
        {
            "build": lambda: state.update(drafted=[draft.draft(course, one) for one in learners]),
            "complete": completing,
            "check": checking,
            "canonicalise": lambda: state.update(payloads=draft.payloads(state["completed"])),
            "sign": lambda: sign(digests),
        },
    )
    work = taken["complete"] + taken["check"] + taken["canonicalise"]
    print(f"a class: {len(state['payloads'][0]) / 1000:.1f} KB, {count} learners")
    for step, microseconds in taken.items():
        print(f"  {step:14} {microseconds:9.1f} µs")
    print(f"  complete + check + canonicalise / one P-256 signature = {work / taken['sign']:.2f}")


def credentials(count: int) -> dict[str, list[Document]]:
    """Credentials to complete, by name: of ``count`` learners of a course, and the Commission's sample under new ids."""
    course = large_course()
    made = {"15 KB": [build(course, courses.learner(given_name=f"Learner {n}")) for n in range(count)]}
    if SAMPLE.exists():
        sample = parse(SAMPLE.read_bytes(), max_bytes=1 << 24)
        made["110 KB"] = [
            parse(sample.set("/credentialSubject/fullName", {"en": f"Learner {n}"}).canonical(), max_bytes=1 << 24)
            for n in range(count)
        ]
    return made


def beside_the_seal(name: str, documents: Sequence[Document], sign: Callable[[Sequence[bytes]], None]) -> None:
    """Complete, check and canonicalise against a signature, and check against pyshacl."""
    grant, ids = courses.grant(courses.mandate()), [fresh_credential_id() for _ in documents]
    digests = [hashlib.sha256(str(number).encode()).digest() for number in range(len(documents))]
    state: dict[str, list[Document]] = {}

    def completing() -> None:
        completions = [Completion.of(one, sealer=courses.SEALER, grant=grant) for one in documents]
        state["completed"] = [
            complete(one, completion, credential_id=own, issued=courses.ISSUED)
            for one, completion, own in zip(documents, completions, ids, strict=True)
        ]

    def checking() -> None:
        assert not any(check_many(state["completed"]))

    taken = interleaved(
        len(documents),
        {
            "complete": completing,
            "check": checking,
            "canonicalise": lambda: none(
                sealcore.canonical_many([one.set("/id", "urn:x:1") for one in state["completed"]])
            ),
            "sign": lambda: sign(digests),
        },
    )
    size = len(state["completed"][0].canonical())
    work = taken["complete"] + taken["check"] + taken["canonicalise"]
    print(f"{name}: {size / 1000:.1f} KB, {len(documents)} different credentials")
    for step, microseconds in taken.items():
        print(f"  {step:14} {microseconds:9.1f} µs")
    print(f"  complete + check + canonicalise / one P-256 signature = {work / taken['sign']:.2f}")
    if SAMPLE.exists():
        started = time.perf_counter()
        credential = state["completed"][0].to_python()
        assert isinstance(credential, dict)
        assert oracle.conforms(credential, MANDATED)
        first = time.perf_counter() - started
        started = time.perf_counter()
        assert oracle.conforms(credential, MANDATED)
        shacl = (time.perf_counter() - started) * 1e6
        print(f"  pyshacl        {shacl:9.0f} µs (its shapes parsed before; {first * 1e3:.0f} ms with them)")
        print(f"  pyshacl / check = {shacl / taken['check']:.0f}")


def issue(count: int) -> None:
    """What Issue does for each learner of a course before and after completion."""
    course, document = courses.eciu_course(), build(courses.eciu_course(), courses.learner())
    learners = [courses.learner(given_name=f"Learner {n}") for n in range(count)]
    documents = [build(course, learner) for learner in learners]
    completion = Completion.of(document, sealer=courses.SEALER, grant=courses.grant(courses.mandate()))
    whole = [complete(one, completion, credential_id=fresh_credential_id(), issued=courses.ISSUED) for one in documents]
    taken = interleaved(
        count,
        {
            "build": lambda: none([build(course, learner) for learner in learners]),
            "facts": lambda: none([award_facts(one) for one in documents]),
            "Annex I": lambda: none([annex_i(one) for one in whole]),
        },
    )
    print(f"a learner of a known course, {count} different ones")
    for step, microseconds in taken.items():
        print(f"  {step:14} {microseconds:9.1f} µs")


def pages() -> None:
    """Milliseconds and bytes a page, for each template."""
    document = build(courses.eciu_course(), courses.learner())
    texts = page_texts(document, sealed_by=courses.SEALER.legal_name, mandated=True)
    print("pages, 842 x 595, one language")
    for template in ("band", "frame", "plain"):
        rendered = []
        for number in range(3):
            started = time.perf_counter()
            dated = replace(texts, date=f"2026-05-{number + 10}")
            (page,) = Pages().render(dated, ["en"], Display(template=template, personal=True))
            rendered.append(time.perf_counter() - started)
        started = time.perf_counter()
        for _ in range(10):
            named = with_name(page, document)
        personal = (time.perf_counter() - started) / 10
        milliseconds = statistics.median(rendered) * 1e3
        print(
            f"  {template:6} a course's: {milliseconds:6.1f} ms, {len(page.image)} bytes; "
            f"a learner's name: {personal * 1e3:5.1f} ms, {len(named)} bytes"
        )


@contextlib.contextmanager
def opened_room(folder: Path) -> Iterator[Callable[[Sequence[bytes]], None]]:
    """A practice token with one session; gives a function that signs a batch with its P-256 key."""
    config = load(practice_set(folder / "set").config)
    key = config.keys[0].load()
    room = Pkcs11KeyRoom.open(config.hsm.model_copy(update={"sessions": 1}), [key])
    try:
        yield lambda digests: none(room.sign(key, digests, lane=Lane.BULK, deadline=None))
    finally:
        room.close()


def interleaved(items: int, runs: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Run each once to warm up, then round by round; the median microseconds an item of each."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(ROUNDS + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(taken) / items * 1e6 for name, taken in seconds.items()}


def none(_: object) -> None:
    """Drop a result."""


if __name__ == "__main__":
    main()
