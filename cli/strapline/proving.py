"""`strapline verify` and `strapline bridge verify`: each half, one verdict, and its status."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from strapline import bridge_verifying, verifying
from strapline.errors import CommandError
from strapline.folder import SERVICE_CONFIG, default_folder
from strapline.reaching import Reached, find, place_of
from strapline.running import run_until_stopped
from strapline.terminal import complain, make_console
from strapline.verifying import NOT_VERIFIED, NOT_WHOLE, WHOLE
from strapline_bridge.config import DEFAULT_PATH
from strapline_bridge.verification import Verification
from strapline_protocol.codec import encode
from strapline_protocol.errors import StraplineError
from strapline_server import ServerConfig, load_config

#: What a command leaves with that was stopped: 128 and SIGINT, as a shell has it.
_STOPPED: Final = 130


def verify_bridge(config: Path | None, data: Path | None, *, offline: bool, as_json: bool) -> int:
    """Verify one bridge and print what it came to; the status to leave with."""
    try:
        reached = find(config, data)
        verified = _run(bridge_verifying.verification(reached, offline=offline))
        if verified is None:
            return _STOPPED
        if as_json:
            print(encode(verified).decode(), flush=True)
        else:
            bridge_verifying.show(reached, verified)
    except StraplineError as error:
        complain(str(error))
        return NOT_VERIFIED
    return WHOLE if verified.all_right else NOT_WHOLE


def verify_all(data: Path | None, *, as_json: bool) -> int:
    """Verify what is on this machine, bridge and server; the status to leave with."""
    try:
        bridge, server = halves(data)
    except StraplineError as error:
        complain(str(error))
        return NOT_VERIFIED
    if as_json:
        return _both_as_json(bridge, server)
    statuses = []
    if bridge is not None:
        statuses.append(_bridge_half(bridge))
    if server is not None:
        if statuses:
            print()
        statuses.append(verifying.show(server, None, None, as_json=False))
    if len(statuses) > 1 and not any(statuses):
        print("\n  Bridge and server agree: nothing is missing, and nothing is there twice.")
    return verdict(statuses)


def halves(
    data: Path | None,
    *,
    bridge_service: Path = DEFAULT_PATH,
    server_service: Path = SERVICE_CONFIG,
    home: Path | None = None,
) -> tuple[Reached | None, ServerConfig | None]:
    """Which bridge and which server: of the folder of `strapline up`, else the services'.

    Raises:
        CommandError: there is neither.
    """
    folder = data or home or default_folder("strapline")
    place = place_of(folder)
    services = (
        Reached(find(bridge_service, None).config) if bridge_service.exists() else None,
        load_config(server_service) if server_service.exists() else None,
    )
    if data is None and any(services):
        return services
    if place is not None:
        return find(None, folder), place.server_config
    raise CommandError(
        f"There is nothing to verify: `strapline up` was never started in {folder}, and there is "
        f"neither {bridge_service} nor {server_service}. Name a folder with --data FOLDER."
    )


def verdict(statuses: list[int]) -> int:
    """One status of several: what is wrong counts more than what could not be looked at."""
    if NOT_WHOLE in statuses:
        return NOT_WHOLE
    return max(statuses, default=WHOLE)


def _bridge_half(reached: Reached) -> int:
    try:
        verified = _run(bridge_verifying.verification(reached, offline=False))
    except StraplineError as error:
        complain(str(error))
        return NOT_VERIFIED
    if verified is None:
        return _STOPPED
    bridge_verifying.show(reached, verified)
    return WHOLE if verified.all_right else NOT_WHOLE


def _both_as_json(bridge: Reached | None, server: ServerConfig | None) -> int:
    told: dict[str, Any] = {}
    statuses = []
    try:
        if bridge is not None:
            found = _run(bridge_verifying.verification(bridge, offline=False))
            if found is None:
                return _STOPPED
            told["bridge"] = json.loads(encode(found))
            statuses.append(WHOLE if found.all_right else NOT_WHOLE)
        if server is not None:
            verified = verifying.examine(server, None, None)
            told["server"] = json.loads(encode(verified))
            statuses.append(WHOLE if verified.whole else NOT_WHOLE)
    except StraplineError as error:
        complain(str(error))
        statuses.append(NOT_VERIFIED)
    status = verdict(statuses)
    print(json.dumps({**told, "allRight": status == WHOLE}), flush=True)
    return status


def _run(work: Coroutine[Any, Any, Verification]) -> Verification | None:
    """With a word that it goes on, where somebody looks; None where it was stopped."""
    waiting = make_console(stderr=True)
    if not waiting.is_terminal:
        return run_until_stopped(work)
    with waiting.status("Comparing each reading …", spinner="line", spinner_style="second"):
        return run_until_stopped(work)
