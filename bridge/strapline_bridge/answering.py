"""What a running bridge does for whoever asks at its control socket: the one list of commands."""

from __future__ import annotations

from functools import partial
from typing import Final

from strapline_bridge import dead_letters
from strapline_bridge.comparing import Ask
from strapline_bridge.control import Command, Commands
from strapline_bridge.outbox import Outbox
from strapline_bridge.verification import Verification
from strapline_bridge.verifying import verify
from strapline_protocol.base import WireModel


class VerifyParams(WireModel):
    """Against the server, or against nothing but what it has acknowledged."""

    offline: bool = False


VERIFY: Final = Command("verify", VerifyParams, Verification)


def commands_of(outbox: Outbox, ask: Ask) -> Commands:
    """All that can be asked of a bridge with this outbox and this way to its server."""

    async def verified(params: VerifyParams) -> Verification:
        return await verify(outbox, None if params.offline else ask)

    commands = Commands()
    commands.add(VERIFY, verified)
    commands.add(dead_letters.LIST, partial(dead_letters.page_of, outbox))
    commands.add(dead_letters.HANDLE, partial(dead_letters.handle, outbox))
    return commands
