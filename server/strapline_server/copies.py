"""Backup and restore of a server's data, as the command line asks for them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from strapline_server.config import ServerConfig
from strapline_server.lock import FolderLock
from strapline_server.store import Copied, back_up, put_back


async def backup(config: ServerConfig, target: Path) -> Copied:
    """Copy what the server has stored, of one moment, while it runs or not.

    The signing secret is no part of it.

    Raises:
        StoreError: there is no database, or the copy cannot be made.
    """
    return await asyncio.to_thread(back_up, config.state_folder, target)


async def restore(config: ServerConfig, source: Path) -> Copied:
    """Put a copy in the place of what the server has stored, which is kept beside it.

    Raises:
        FolderTakenError: a server runs on this folder.
        StoreError: the copy cannot be used; nothing was changed.
    """
    lock = FolderLock(config.state_folder)
    lock.acquire()
    try:
        return await asyncio.to_thread(put_back, config.state_folder, source)
    finally:
        lock.release()
