"""`eseal bulk` against a real server, as a registrar and a script use it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.bulk.site import EXAMPLE, class_list
from tests.harness.server import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bulk.conftest import Bulk, Done
    from tests.harness.server import RunningServer

    Write = Callable[..., Path]

COURSE = EXAMPLE / "course.toml"
HEADING = "given_name,family_name,identifier:Student number,date_of_issuing"


def results(out: Path) -> list[dict[str, str]]:
    """results.csv."""
    with (out / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def issue(bulk: Bulk, learners: Path, out: Path, *more: object, **options: str) -> Done:
    """Run ``eseal bulk issue`` with the example's course."""
    return bulk("issue", "--course", COURSE, "--learners", learners, "--out", out, *more, **options)


def test_example_checks_and_issues(bulk: Bulk, tmp_path: Path) -> None:
    """What `eseal bulk example` writes passes the dry run and is issued; a second run has nothing to do."""
    example = subprocess.run(
        [sys.executable, "-m", "eseal", "bulk", "example", tmp_path / "new"], capture_output=True, cwd=ROOT, check=True
    )
    course, learners, out = tmp_path / "new/course.toml", tmp_path / "new/learners.csv", tmp_path / "out"
    checked = bulk("issue", "--course", course, "--learners", learners, "--check")
    assert (0, False) == (checked.returncode, out.exists()), checked
    assert "dcu-practice" in checked.stdout

    first = bulk("issue", "--course", course, "--learners", learners, "--out", out)
    again = bulk("issue", "--course", course, "--learners", learners, "--out", out)

    assert b"--check" in example.stdout
    assert (0, "") == (first.returncode, first.stderr)
    assert "4 sealed" in first.stdout
    assert "4 were there already" in again.stdout
    assert {"sealed"} == {one["status"] for one in results(out)}
    credential = json.loads(json.loads((out / results(out)[0]["file"]).read_bytes())["payload"])
    assert "Aoife" in json.dumps(credential)
    assert results(out)[0]["credential_id"] == credential["id"]


def test_example_writes_over_nothing(tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    (tmp_path / "course.toml").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-m", "eseal", "bulk", "example", tmp_path], capture_output=True, check=False
    )

    assert (2, "mine") == (done.returncode, (tmp_path / "course.toml").read_text())


def test_mistakes_send_nothing(bulk: Bulk, write: Write, tmp_path: Path) -> None:
    """A list with one wrong row is not begun; exit status 2."""
    done = issue(bulk, write(HEADING, "Ada,L,1,", "Bob,M,2,yesterday"), tmp_path / "out")

    assert 2 == done.returncode
    assert "row 3, column date_of_issuing" in done.stderr
    assert "yesterday" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_refused_rows(bulk: Bulk, tmp_path: Path) -> None:
    """Every row is answered, the reason is in results.csv and told once, exit status 1; a second run asks again."""
    out = tmp_path / "out"
    done = issue(bulk, EXAMPLE / "learners.csv", out, member="utwente")
    again = issue(bulk, EXAMPLE / "learners.csv", out)

    assert 1 == done.returncode
    assert "4 × FAILED_PRECONDITION MANDATE_REFUSED; caller-acts-for-awarding-body" in done.stderr
    assert 0 == again.returncode
    assert ["sealed"] * 4 == [one["status"] for one in results(out)]


def test_one_refused_row_among_others(bulk: Bulk, write: Write, tmp_path: Path) -> None:
    """What only the server finds is in the row's reason, by rule and place, and touches no other row."""
    path = write("given_name,identifier,citizenship_countries", "Ada,1,IRL", "Eve,2,Atlantis", "Bob,3,NLD")
    done = issue(bulk, path, tmp_path / "out")

    assert 1 == done.returncode
    assert ["sealed", "refused", "sealed"] == [one["status"] for one in results(tmp_path / "out")]
    reason = results(tmp_path / "out")[1]["reason"]
    assert "INVALID_ARGUMENT MICRO_CREDENTIAL; /learner/citizenship_countries/0 VOCABULARY_COUNTRY" == reason


def test_changed_row_is_a_new_request(bulk: Bulk, write: Write, tmp_path: Path) -> None:
    """The row that changed is asked for anew; the credential sealed for what it said before stays on record."""
    out = tmp_path / "out"
    assert 0 == issue(bulk, write(HEADING, "Ada,L,1,", "Bob,M,2,"), out).returncode
    before = {one["row"]: one["request_id"] for one in results(out)}
    done = issue(bulk, write(HEADING, "Ada,L,1,", "Bob,N,2,"), out)
    after = {one["row"]: one["request_id"] for one in results(out) if one["status"] == "sealed"}

    assert "2 sealed (1 were there already)" in done.stdout
    assert before["2"] == after["2"]
    assert before["3"] != after["3"]
    assert [before["3"]] == [one["request_id"] for one in results(out) if one["status"] == "earlier"]


def test_batch_name_makes_new_requests(bulk: Bulk, write: Write, tmp_path: Path) -> None:
    """The same list under another name is sealed anew; under the same name it is not, in another folder either."""
    path = write(HEADING, "Ada,Batch,1,")
    runs = [issue(bulk, path, tmp_path / name, "--batch-name", name[0]) for name in ("a1", "a2", "b1")]
    ids = [results(tmp_path / name)[0]["credential_id"] for name in ("a1", "a2", "b1")]
    files = [(tmp_path / name / results(tmp_path / name)[0]["file"]).read_bytes() for name in ("a1", "a2", "b1")]

    assert [0, 0, 0] == [run.returncode for run in runs]
    assert ids[0] == ids[1] != ids[2]
    assert files[0] == files[1] != files[2]


def test_request_ids_of_the_list(bulk: Bulk, write: Write, tmp_path: Path) -> None:
    """A list may bring its own; with other content under the same one, the row is refused."""
    out = tmp_path / "out"
    first = issue(bulk, write("given_name,request_id", "Ada,own/1"), out)
    changed = issue(bulk, write("given_name,request_id", "Eve,own/1"), out)

    assert (0, 1) == (first.returncode, changed.returncode)
    assert [("own/1", "earlier"), ("own/1", "refused")] == [(one["request_id"], one["status"]) for one in results(out)]
    assert "REQUEST_ID_REUSED" in results(out)[1]["reason"]
    assert (out / "own%2F1.jsonld").exists()


def test_resume_after_a_part_is_gone(bulk: Bulk, tmp_path: Path) -> None:
    """Files that are lost or changed come back byte for byte; without results.csv, all of them do."""
    out, kept = tmp_path / "out", tmp_path / "kept"
    learners = class_list(tmp_path / "learners.csv", 30)
    assert 0 == issue(bulk, learners, out).returncode
    shutil.copytree(out, kept)
    names = [one["file"] for one in results(out)]
    (out / names[3]).unlink()
    (out / names[4]).write_bytes(b"half")
    some = issue(bulk, learners, out)
    (out / "results.csv").unlink()
    (out / names[5]).unlink()
    every = issue(bulk, learners, out)

    assert "30 sealed (28 were there already)" in some.stdout
    assert "30 sealed:" in every.stdout
    assert results(kept) == results(out)
    assert {name: (kept / name).read_bytes() for name in names} == {name: (out / name).read_bytes() for name in names}


def _started(server: RunningServer, learners: Path, out: Path) -> subprocess.Popen[str]:
    identity = server.practice.folder / "callers/dcu"
    command = ["issue", "--course", COURSE, "--learners", learners, "--out", out, "--identity", identity]
    options = ["--server", server.target, "--streams", "1", "--batch", "5", "--window", "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "eseal", "bulk", *map(str, command), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize(("number", "times"), [("SIGINT", 1), ("SIGINT", 3), ("SIGINT", 12), ("SIGTERM", 2)])
def test_ctrl_c(server: RunningServer, bulk: Bulk, tmp_path: Path, number: str, times: int) -> None:
    """Once, it takes what is on its way and stops; more often, it stops at once. The next run goes on from there."""
    learners, out = class_list(tmp_path / f"learners-{times}.csv", 600 + times), tmp_path / "out"
    running = _started(server, learners, out)
    while not any((out / ".part").glob("*.jsonld")):
        assert running.poll() is None, running.communicate()
        time.sleep(0.005)
    for _ in range(times):
        running.send_signal(signal.Signals[number])
        time.sleep(0.02)
    said, complaint = running.communicate(timeout=30)
    left = {path.name for path in out.iterdir()}
    begun = results(out)
    rest = issue(bulk, learners, out)

    assert 3 == running.returncode, complaint
    assert "Run the same command again" in complaint
    assert "Traceback" not in complaint
    assert 0 < len(begun) < 600
    assert f"{len(begun)} sealed, {600 + times - len(begun)} left" in said
    assert {".lock", "results.csv", *(one["file"] for one in begun)} == left
    assert f"{600 + times} sealed ({len(begun)} were there already)" in rest.stdout


def test_server_that_is_not_there(bulk: Bulk, write: Write, tmp_path: Path) -> None:
    """Exit status 3, what to look at, and how to go on; a dry run finds the list's own mistakes all the same."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        target = f"127.0.0.1:{free.getsockname()[1]}"
    done = issue(bulk, EXAMPLE / "learners.csv", tmp_path / "out", "--patience", 1, target=target)
    wrong = write("given_name,date_of_birth", "Ada,1815-12-10", "Bob,yesterday")
    mistaken = bulk("issue", "--course", COURSE, "--learners", wrong, "--check", target=target)
    checked = bulk("issue", "--course", COURSE, "--learners", EXAMPLE / "learners.csv", "--check", target=target)

    assert (3, 3) == (done.returncode, checked.returncode)
    assert "is the server there" in done.stderr
    assert "Run the same command again" in done.stderr
    assert "0 sealed, 4 left" in done.stdout
    assert 2 == mistaken.returncode
    assert "row 3, column date_of_birth" in mistaken.stderr
    assert mistaken.stderr.splitlines()[-1].startswith("The mandate could not be asked.")
    assert checked.stderr.startswith("The mandate could not be asked.")


def test_level_that_is_not_built(bulk: Bulk, tmp_path: Path) -> None:
    """What no waiting helps with is said at once."""
    done = issue(bulk, EXAMPLE / "learners.csv", tmp_path / "out", "--level", "B-LTA")

    assert 1 == done.returncode
    assert "UNIMPLEMENTED" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["issue", "--course", COURSE, "--learners", EXAMPLE / "learners.csv"],
        ["issue", "--course", "absent.toml", "--learners", EXAMPLE / "learners.csv", "--check"],
        ["seal", EXAMPLE],
        ["seal", EXAMPLE, "--out", EXAMPLE],
    ],
)
def test_misuse(bulk: Bulk, arguments: list[object]) -> None:
    """Exit status 2."""
    assert 2 == bulk(*arguments).returncode


def built(bulk: Bulk, folder: Path) -> list[str]:
    """Credentials as somebody else builds them, four JSON texts."""
    issue(bulk, EXAMPLE / "learners.csv", folder)
    credentials = []
    for path in sorted(folder.glob("*.jsonld")):
        credential = json.loads(json.loads(path.read_bytes())["payload"])
        for member in ("id", "issuer", "issued", "issuanceDate", "evidence"):
            del credential[member]
        credentials.append(json.dumps(credential))
    return credentials


def test_seal_a_folder(bulk: Bulk, tmp_path: Path) -> None:
    """Credentials that somebody else built: checked, sealed under their own names, and resumed."""
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number, credential in enumerate(built(bulk, tmp_path / "issued")):
        (source / f"credential-{number}.json").write_text(credential)
    checked = bulk("seal", source, "--check")
    sealed = bulk("seal", source, "--out", out)
    again = bulk("seal", source, "--out", out)
    (source / "bad.jsonld").write_text('{"a": 1, "a": 2}')
    wrong = bulk("seal", source, "--check")
    partly = bulk("seal", source, "--out", out)

    assert (0, 0, 0, 2, 1) == tuple(run.returncode for run in (checked, sealed, again, wrong, partly)), checked
    assert "4 were there already" in again.stdout
    assert "bad.jsonld" in wrong.stderr
    assert [f"credential-{n}.jsonld" for n in range(4)] == sorted(path.name for path in out.glob("*.jsonld"))
    assert ["refused", *["sealed"] * 4] == [one["status"] for one in results(out)]


def test_two_files_of_one_name(bulk: Bulk, tmp_path: Path) -> None:
    """They would be sealed into one."""
    for name in ("a.json", "a.jsonld"):
        (tmp_path / name).write_text("{}")
    done = bulk("seal", tmp_path, "--out", tmp_path / "out")

    assert 2 == done.returncode
    assert "[files]" in done.stderr


def test_two_folders_into_one(bulk: Bulk, tmp_path: Path) -> None:
    """What was sealed under a name stays there when another credential of that name comes; each line names its file."""
    out = tmp_path / "out"
    for folder, credential in zip(("first", "second"), built(bulk, tmp_path / "issued"), strict=False):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0001.JSON").write_text(credential)
        assert 0 == bulk("seal", tmp_path / folder, "--out", out).returncode
    again = bulk("seal", tmp_path / "first", "--out", out)

    assert "1 were there already" in again.stdout
    assert 2 == len({one["credential_id"] for one in results(out)})
    for one in results(out):
        credential = json.loads(json.loads((out / one["file"]).read_bytes())["payload"])
        assert one["credential_id"] == credential["id"]


def test_seal_again_what_was_damaged(bulk: Bulk, tmp_path: Path) -> None:
    """A file of ours that was emptied or lost comes back byte for byte under its own name, and results.csv as it was."""
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number, credential in enumerate(built(bulk, tmp_path / "issued")):
        (source / f"{number}.json").write_text(credential)
    assert 0 == bulk("seal", source, "--out", out).returncode
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "1.jsonld").write_bytes(b"")
    (out / "2.jsonld").unlink()
    again = bulk("seal", source, "--out", out)

    assert "4 sealed (2 were there already)" in again.stdout
    assert before == {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.mark.parametrize("option", [["--check"], ["--out", "out"], ["--out", "out", "--batch", "1"]])
def test_two_files_of_one_content(bulk: Bulk, tmp_path: Path, option: list[str]) -> None:
    """They would be one credential: told, as two rows of a list are, and nothing is sealed."""
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.json", "b.json", "c.json"):
        (source / name).write_text('{"credentialSubject": {}}' + " " * (name == "b.json"))
    done = bulk("seal", source, *(tmp_path / word if word == "out" else word for word in option))

    assert 2 == done.returncode
    assert "c.json: [file-repeated] This file asks for the same credential as a.json." in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_name_that_is_not_utf_8(bulk: Bulk, tmp_path: Path) -> None:
    """It is told, with the bytes that are wrong."""
    (tmp_path / os.fsdecode(b"caf\xe9.json")).write_text("{}")
    done = bulk("seal", tmp_path, "--out", tmp_path / "out")

    assert 2 == done.returncode
    assert "caf\\xe9.json: [file-name]" in done.stderr


def test_long_request_ids_of_the_list(bulk: Bulk, write: Write, tmp_path: Path) -> None:
    """What they are percent-encoded to may be too long for a file name; the run is not stopped by it."""
    done = issue(bulk, write("given_name,request_id", f"Ada,{':/' * 64}", f"Eve,{':/' * 63}"), tmp_path / "out")

    assert 0 == done.returncode, done.stderr
    assert [True, True] == [(tmp_path / "out" / one["file"]).is_file() for one in results(tmp_path / "out")]
