"""``eseal`` and ``python -m eseal``."""

from __future__ import annotations

from eseal.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
