"""Where the register's state of the moment comes from while the server runs.

A change to the files takes effect within seconds, but only whole and only if right: a state with a problem is refused,
logged once with every problem, and the state before it stays in use. So a mandate can be withdrawn without a restart,
and a slip of the pen can stop nobody's work.
"""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Self, TypeAlias

import structlog

from eseal.errors import SetupError
from eseal.mandate.problems import InvalidRegister
from eseal.mandate.register import Register

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger(__name__)

Fingerprint: TypeAlias = "tuple[tuple[str, int, int, int], ...]"


class RegisterSource:
    """The register in ``folder``, read again when its files change; every ``interval`` seconds they are looked at.

    ``current`` may be read from any thread. Use it as a context manager, which starts and stops the looking.
    """

    def __init__(self, folder: Path, *, interval: float = 5.0) -> None:
        """Load at once: a register that is wrong when the server starts raises InvalidRegister."""
        self._folder = folder
        self._interval = interval
        self._stopping = Event()
        self._refreshing = Lock()
        # Both owned by whoever holds _refreshing. Assigning _current is atomic; readers take it without the lock.
        self._seen = _fingerprint(folder)
        self._current = Register.load(folder)
        self._refused: SetupError | None = None
        self._thread = Thread(target=self._look, name="mandate-register", daemon=True)

    @property
    def current(self) -> Register:
        """The state in use."""
        return self._current

    @property
    def refused(self) -> SetupError | None:
        """Why the files as they are now are not in use; None where they are."""
        return self._refused

    def __enter__(self) -> Self:
        if self._interval > 0:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> bool:
        """Look at the files now; True if another state came into use."""
        with self._refreshing:
            fingerprint = _fingerprint(self._folder)
            if fingerprint == self._seen:
                return False
            try:
                register = Register.load(self._folder)
            except (SetupError, OSError) as error:
                self._refuse(error, fingerprint)
                return False
            if _fingerprint(self._folder) != fingerprint:
                # Somebody is still writing, and what was read may be half of it: the next look reads it again.
                return False
            self._seen, self._refused = fingerprint, None
            changed = register.sha256 != self._current.sha256
            self._current = register
        if changed:
            log.info(
                "register_reloaded",
                register_sha256=register.sha256.hex(),
                members=len(register.members),
                mandates=len(register.mandates),
            )
        return changed

    def _refuse(self, error: SetupError | OSError, fingerprint: Fingerprint) -> None:
        if _fingerprint(self._folder) != fingerprint:
            return
        self._seen = fingerprint
        if isinstance(error, OSError):
            error = SetupError(
                "REGISTER_UNREADABLE", f"The register in {self._folder} cannot be read: {error.strerror}."
            )
        self._refused = error
        problems = [str(one) for one in error.problems] if isinstance(error, InvalidRegister) else [error.message]
        log.error("register_refused", register_sha256_in_use=self._current.sha256.hex(), problems=problems)

    def _look(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self.refresh()
            except Exception:
                # Whatever is wrong with the files, the state in use stays good and the looking goes on.
                log.exception("register_look_failed")


def _fingerprint(folder: Path) -> Fingerprint:
    """Return what changes when a file is written, replaced, added or removed."""
    found = []
    for path in folder.rglob("*"):
        try:
            status = path.stat()
        except OSError:
            # Gone between listing and looking, or a link to nothing; either way the next look differs.
            continue
        # Tools that copy files may keep a content's time, and a day is as long as another: ctime alone is nobody's to set.
        found.append((path.relative_to(folder).as_posix(), status.st_ctime_ns, status.st_mtime_ns, status.st_size))
    return tuple(sorted(found))
