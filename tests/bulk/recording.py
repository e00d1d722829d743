"""``eseal`` with a witness: each sealed document is noted the moment it is received, before anything is written.

    python -m tests.bulk.recording JOURNAL bulk issue ...

One line a document: request id, credential id, SHA-256 of the whole document.
"""

from __future__ import annotations

import hashlib
import os
import sys

from eseal.bulk.folder import Folder
from eseal.cli import main

if __name__ == "__main__":
    journal = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    sealed = Folder.sealed

    def noted(folder, item, credential_id, content):
        """Note, then go on."""
        line = f"{item.request_id} {credential_id} {hashlib.sha256(content).hexdigest()}\n"
        os.write(journal, line.encode())
        sealed(folder, item, credential_id, content)

    Folder.sealed = noted
    main()
