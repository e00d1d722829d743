"""The folder that a run fills: whole at every moment, and resumed from whatever a crash left."""

from __future__ import annotations

import csv
import errno
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eseal.bulk import folder as room
from eseal.bulk.faults import BadInput
from eseal.bulk.folder import HEADINGS, Folder, Result, file_name, file_named
from eseal.bulk.requests import Asked, Spool, issue_content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def asked(row: int, request_id: str = "", content: str = "") -> Asked:
    """An item of the spool."""
    request_id = request_id or f"r-{row}"
    return Asked(row, request_id, content or request_id, file_name(request_id), b"body")


def fill(path: Path, *items: Asked) -> None:
    """Seal these items into a folder."""
    with Folder(path) as folder:
        folder.resume([])
        for item in items:
            folder.sealed(item, f"urn:credential:{item.row}", f"sealed {item.row}".encode())
        folder.commit()
        folder.finish()


def results(path: Path) -> list[dict[str, str]]:
    """results.csv."""
    with (path / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_nothing_is_visible_before_it_is_committed(tmp_path: Path) -> None:
    """Neither file nor line; afterwards both, and what was left beside its place is gone."""
    with Folder(tmp_path) as folder:
        folder.resume([])
        folder.sealed(asked(2), "urn:credential:2", b"sealed")
        assert not (tmp_path / "r-2.jsonld").exists()
        assert [] == results(tmp_path)

        folder.commit()
        assert b"sealed" == (tmp_path / "r-2.jsonld").read_bytes()
        assert ["2"] == [one["row"] for one in results(tmp_path)]
        folder.sealed(asked(3), "urn:credential:3", b"sealed")

    assert {".lock", "r-2.jsonld", "results.csv"} == {path.name for path in tmp_path.iterdir()}


def test_what_is_there_is_not_asked_for_again(tmp_path: Path) -> None:
    """Unless its file is gone or changed, or stands for other content."""
    fill(tmp_path, *(asked(row) for row in range(2, 7)))
    (tmp_path / "r-3.jsonld").unlink()
    (tmp_path / "r-4.jsonld").write_bytes(b"sealed 4, and more")

    with Folder(tmp_path) as folder:
        done = folder.resume([asked(2), asked(3), asked(4), asked(5, content="other"), asked(6), asked(7)])

    assert [1, 0, 0, 0, 1, 0] == list(done)


def test_rows_that_moved(tmp_path: Path) -> None:
    """A list with a row put in at its top is the same list: each line gets its new row."""
    fill(tmp_path, asked(2), asked(3))
    with Folder(tmp_path) as folder:
        done = folder.resume([asked(2, "new"), asked(3, "r-2"), asked(4, "r-3")])

    assert [0, 1, 1] == list(done)
    assert [("3", "r-2"), ("4", "r-3")] == [(one["row"], one["request_id"]) for one in results(tmp_path)]


def test_what_the_list_has_no_more(tmp_path: Path) -> None:
    """A credential that was sealed stays on record, as one of an earlier list, and comes back when its row does."""
    fill(tmp_path, asked(2), asked(3))
    with Folder(tmp_path) as folder:
        folder.resume([asked(2)])
    assert [("r-2", "sealed"), ("r-3", "earlier")] == [(one["request_id"], one["status"]) for one in results(tmp_path)]

    with Folder(tmp_path) as folder:
        done = folder.resume([asked(2), asked(3)])
    assert [1, 1] == list(done)
    assert ["sealed", "sealed"] == [one["status"] for one in results(tmp_path)]


def test_refusals_are_asked_again(tmp_path: Path) -> None:
    """A mandate may have been put in order meanwhile."""
    with Folder(tmp_path) as folder:
        folder.resume([])
        folder.refused(asked(2), "FAILED_PRECONDITION MANDATE_REFUSED")
        folder.commit()

    with Folder(tmp_path) as folder:
        assert [0] == list(folder.resume([asked(2)]))
    assert [] == results(tmp_path)


@given(cut=st.integers(0, 1000))
def test_a_torn_results_file(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """Cut anywhere, it is resumed: whole lines count, a torn one does not."""
    path = tmp_path_factory.mktemp("torn")
    fill(path, *(asked(row) for row in range(2, 6)))
    content = (path / "results.csv").read_bytes()
    cut = min(cut, len(content))
    (path / "results.csv").write_bytes(content[:cut])
    whole = max(0, content[:cut].count(b"\n") - 1)

    with Folder(path) as folder:
        assert whole == sum(folder.resume([asked(row) for row in range(2, 6)]))
    assert whole == len(results(path))


def test_results_end_in_the_order_of_rows(tmp_path: Path) -> None:
    """However the answers came."""
    fill(tmp_path, asked(11), asked(2), asked(10))

    assert ["2", "10", "11"] == [one["row"] for one in results(tmp_path)]


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second run on the same folder is refused, and harms nothing."""
    with Folder(tmp_path) as folder:
        folder.resume([])
        folder.sealed(asked(2), "urn:credential:2", b"sealed")
        with pytest.raises(BadInput, match="Another run"), Folder(tmp_path):
            pass
        folder.commit()

    assert (tmp_path / "r-2.jsonld").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    """The error is the system's, what was committed is whole, nothing half written is left, and the rest is resumed."""
    items = [asked(row) for row in range(2, 40)]

    def fill_up() -> None:
        with Folder(small_disk) as folder:
            folder.resume([])
            for item in items:
                folder.sealed(item, f"urn:credential:{item.row}", os.urandom(60_000))
                if item.row % 4 == 0:
                    folder.commit()

    with pytest.raises(OSError) as caught:
        fill_up()
    assert errno.ENOSPC == caught.value.errno
    done = [one["file"] for one in results(small_disk)]
    assert {".lock", "results.csv", *done} == {path.name for path in small_disk.iterdir()}
    assert {60_000} == {(small_disk / name).stat().st_size for name in done}
    with Folder(small_disk) as folder:
        assert len(done) == sum(folder.resume(items))


def test_without_syncfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems that cannot flush one file system flush all."""
    monkeypatch.setattr(room, "_syncfs", None)
    fill(tmp_path, asked(2))

    assert (tmp_path / "r-2.jsonld").exists()


@pytest.mark.parametrize(
    "request_id", ["a/b", "..", ".hidden", "a%2Fb", "C:\\x", "x" * 128, ":/" * 64, "~!*'();:@&=+$,?#[]"]
)
def test_file_names(tmp_path: Path, request_id: str) -> None:
    """Any request id is one file of the folder."""
    fill(tmp_path, asked(2, request_id))

    (one,) = results(tmp_path)
    assert request_id == one["request_id"]
    assert (tmp_path / one["file"]).is_file()
    assert tmp_path == (tmp_path / one["file"]).resolve().parent


def test_long_names_stay_apart() -> None:
    """A name that is too long for a file system is cut in whole letters, and told apart by its digest."""
    names = [file_named("á" * 200 + end) for end in ("a", "b")]

    assert [True, True] == [name.startswith("á" * 90) and len(name.encode()) <= 255 for name in names]
    assert 2 == len(set(names))
    assert "á.jsonld" == file_named("á")


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    """What another request left under a name stays; the file gets its content's id in its name, and is found by that."""
    one, other = (Asked(1, content, content, "0001.jsonld", b"") for content in ("c-1", "c-2"))
    for item, content in ((one, b"one"), (other, b"other"), (one, b"one")):
        with Folder(tmp_path) as folder:
            if not folder.resume([item])[0]:
                folder.sealed(item, "urn:credential:1", content)
                folder.commit()

    assert b"one" == (tmp_path / "0001.jsonld").read_bytes()
    assert b"other" == (tmp_path / "0001.c-2.jsonld").read_bytes()
    with Folder(tmp_path) as folder:
        assert [1, 1] == list(folder.resume([one, other]))


def named(content: str, file: str = "0001.jsonld") -> Asked:
    """An item whose file is not named by its request, as those of `bulk seal`."""
    return Asked(1, content, content, file, b"")


def seal(path: Path, *items: Asked) -> None:
    """Seal what of these is not there yet: the document says the request."""
    with Folder(path) as folder:
        for done, item in zip(folder.resume(items), items, strict=True):
            if not done:
                folder.sealed(item, "urn:credential:1", f"sealed {item.request_id}".encode())
        folder.commit()
        folder.finish()


@pytest.mark.parametrize("now", ["0001.jsonld", "renamed.jsonld"])
def test_a_damaged_file_is_put_right_in_its_place(tmp_path: Path, now: str) -> None:
    """Where results.csv names it for this request, whatever the input's file is called now; also after a run that failed."""
    seal(tmp_path, named("c-1"))
    before = results(tmp_path)
    (tmp_path / "0001.jsonld").write_bytes(b"")
    with Folder(tmp_path) as folder:
        assert [0] == list(folder.resume([named("c-1", now)]))
    assert ["earlier"] == [one["status"] for one in results(tmp_path)]
    seal(tmp_path, named("c-1", now))

    assert {".lock", "results.csv", "0001.jsonld"} == {path.name for path in tmp_path.iterdir()}
    assert b"sealed c-1" == (tmp_path / "0001.jsonld").read_bytes()
    assert before == results(tmp_path)


def test_a_damaged_file_that_no_line_names_stays(tmp_path: Path) -> None:
    """Without a line in results.csv nobody knows whose it is."""
    (tmp_path / "0001.jsonld").write_bytes(b"somebody's")
    seal(tmp_path, named("c-1"))

    assert b"somebody's" == (tmp_path / "0001.jsonld").read_bytes()
    assert b"sealed c-1" == (tmp_path / "0001.c-1.jsonld").read_bytes()


def test_a_file_that_two_requests_name_stays(tmp_path: Path) -> None:
    """The second took the name when the first one's file was lost: it is the second's, and the first gets another."""
    seal(tmp_path, named("c-1"))
    (tmp_path / "0001.jsonld").unlink()
    seal(tmp_path, named("c-2"))
    seal(tmp_path, named("c-1"))

    assert b"sealed c-2" == (tmp_path / "0001.jsonld").read_bytes()
    assert b"sealed c-1" == (tmp_path / "0001.c-1.jsonld").read_bytes()
    assert ["0001.c-1.jsonld", "0001.jsonld"] == sorted(one["file"] for one in results(tmp_path))


@pytest.mark.parametrize("file", ["../outside.jsonld", "results.csv"])
def test_a_line_that_names_no_credential_of_the_folder(tmp_path: Path, file: str) -> None:
    """What results.csv was made to say leads to no file elsewhere."""
    out = tmp_path / "out"
    (tmp_path / "outside.jsonld").write_bytes(b"outside")
    seal(out, named("c-1"))
    lines = (out / "results.csv").read_text()
    (out / "results.csv").write_text(lines.replace("0001.jsonld", file))
    (out / "0001.jsonld").unlink()
    seal(out, named("c-1"))

    assert b"outside" == (tmp_path / "outside.jsonld").read_bytes()
    assert ["0001.jsonld"] == [one["file"] for one in results(out)]


def test_a_name_that_is_taken_by_the_same(tmp_path: Path) -> None:
    """Where results.csv is lost, what comes back is what is there."""
    item = Asked(1, "c-1", "c-1", "0001.jsonld", b"")
    for _ in range(2):
        with Folder(tmp_path) as folder:
            folder.resume([item])
            folder.sealed(item, "urn:credential:1", b"one")
            folder.commit()
        (tmp_path / "results.csv").unlink()

    assert {".lock", "0001.jsonld"} == {path.name for path in tmp_path.iterdir()}


def test_result_lines() -> None:
    """What is no line of ours is none."""
    assert Result.read(HEADINGS) is None
    assert Result.read("") is None
    assert Result.read("2,a") is None
    assert Result(2, "a", "b", "c", "sealed", "", "d", "e") == Result.read("2,a,b,c,sealed,,d,e")


def test_request_ids_are_made_of_the_content() -> None:
    """A UUID of version 8 that everything said is part of, and the order of columns is not."""
    one = issue_content("spring", "", "c0", {"given_name": "Ada", "family_name": "L"})

    assert "bc1cce30-7187-87e8-8d37-5af9b441fcec" == one
    assert one == issue_content("spring", "", "c0", {"family_name": "L", "given_name": "Ada"})
    others = [
        issue_content("autumn", "", "c0", {"given_name": "Ada", "family_name": "L"}),
        issue_content("spring", "B-B", "c0", {"given_name": "Ada", "family_name": "L"}),
        issue_content("spring", "", "c1", {"given_name": "Ada", "family_name": "L"}),
        issue_content("spring", "", "c0", {"given_name": "Ada", "family_name": "M"}),
        issue_content("spring", "", "c0", {"given_name": "Ada", "full_name": "L"}),
    ]
    assert 6 == len({one, *others})


@given(st.lists(st.integers(0, 40), max_size=900))
def test_spool(numbers: list[int]) -> None:
    """Items come back in order, as often as asked; those that repeat an earlier one are named with its row."""
    items = [asked(row, f"r-{number}") for row, number in enumerate(numbers, 2)]
    with Spool() as spool:
        for item in items:
            spool.add(item)

        assert items == list(spool) == list(spool)
        first = {item.request_id: item.row for item in reversed(items)}
        assert [
            (item, first[item.request_id]) for item in items if first[item.request_id] != item.row
        ] == spool.repeated()
