"""`strapline server backup` and `restore`: copies of what a server has stored."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from strapline.terminal import remark
from strapline_server import Copied, ServerConfig, backup, restore


async def make_copy(config: ServerConfig, target: Path) -> None:
    """Copy the database, and print what the copy holds.

    Raises:
        StoreError: it cannot be made.
    """
    copied = await backup(config, target)
    print(f"{target}: {told(copied)}.")
    print(f"The secret that signs tokens is not in it: {config.secret_path}")


async def put_copy_back(config: ServerConfig, source: Path) -> None:
    """Put a copy back, and print what is there now.

    Raises:
        StoreError: a server runs, or the copy cannot be used.
    """
    copied = await restore(config, source)
    print(f"{config.state_folder}: {told(copied)}.")
    print("What was there is kept beside it, as server.db.replaced-1 or the next free number.")
    if copied.erased is None:
        remark(
            "What was there could not be read, so nobody can tell who had been erased since the "
            "copy was made. Erase them once more: strapline server user erase ID"
        )
    elif copied.erased:
        again = "1 person" if copied.erased == 1 else f"{copied.erased:,} people"
        print(f"Erased once more: {again} whom the copy still had.")
    print("Bridges that connect send what is newer, as far as they still keep it.")


def told(copied: Copied) -> str:
    """What a copy holds, in words."""
    people = "1 person" if copied.users == 1 else f"{copied.users:,} people"
    readings = "1 reading" if copied.readings == 1 else f"{copied.readings:,} readings"
    newest = ""
    if copied.newest_ms is not None:
        when = datetime.fromtimestamp(copied.newest_ms / 1_000, UTC)
        newest = f", the newest of {when:%Y-%m-%d %H:%M:%S} UTC"
    return f"{people}, {readings}{newest}; {copied.size_bytes / 2**20:,.1f} MiB"
