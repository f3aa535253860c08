"""`strapline bridge`: the edge daemon, and a look around."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from strapline.commands import dead_letters
from strapline.commands.services import add_to
from strapline.installing.service import Service
from strapline.options import Debug, Json

app = typer.Typer(help="The daemon beside the straps, and a look around.", no_args_is_help=True)
add_to(app, Service.BRIDGE)
app.add_typer(dead_letters.app, name="dead-letters")

#: Straps call once or twice a second; a sleeping watch every ten.
_SCAN_S = 10.0
#: Long enough for a battery level and a few steps.
_CAPTURE_S = 120.0


@app.command("scan")
def scan(
    *,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", min=1, max=3_600, help="How long to listen.")
    ] = _SCAN_S,
    adapter: Annotated[
        str | None, typer.Option("--adapter", metavar="hciN", help="Which Bluetooth adapter.")
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Listen to straps that are not there.")
    ] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the straps near, their signal and what they offer.

    Addresses are shown here, on this machine, and go nowhere else.
    """
    import logging

    from strapline import logs
    from strapline.running import run_until_stopped
    from strapline.scanning import look_around

    logs.set_up(logging.WARNING)
    run_until_stopped(look_around(seconds, adapter=adapter, simulate=simulate, as_json=as_json))


@app.command("run")
def run(
    *,
    config: Annotated[
        Path | None, typer.Option("--config", help="Its configuration, /etc/strapline/bridge.toml.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Listen to the chosen wearables and bring all to the server.

    Every reading is kept here until the server has stored it.
    """
    from strapline import logs
    from strapline.bridging import run_bridge
    from strapline.running import run_until_stopped
    from strapline.systemd import Systemd
    from strapline_bridge.config import DEFAULT_PATH, load

    path = config or DEFAULT_PATH
    settings = load(path)
    logs.set_up(settings.log_level.number)
    run_until_stopped(run_bridge(settings, Systemd.from_environment(), path))


@app.command("key")
def key(
    *,
    config: Annotated[
        Path | None, typer.Option("--config", help="Its configuration, /etc/strapline/bridge.toml.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Make this bridge a key of its own, in place of a token.

    Prints the public key, and the command that tells the server of it.

    The private key stays in the bridge's state folder, and the bridge signs its own tokens with
    it from its next start on. A key that is there already is kept, and told again.
    """
    from strapline.enrolling import print_key
    from strapline_bridge.config import DEFAULT_PATH, BridgeConfig, default_state_dir, load

    known = config is not None or DEFAULT_PATH.exists()
    unconfigured = BridgeConfig(state_dir=default_state_dir())
    print_key(load(config or DEFAULT_PATH) if known else unconfigured)


@app.command("verify")
def verify(
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Look at what is here alone; ask no server.")
    ] = False,
    config: dead_letters.Config = None,
    data: dead_letters.Data = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say whether all that was measured here is stored, once.

    Asks the bridge that runs, or its outbox and its server when none does. Leaves with status 1
    where something is missing, twice or different, and with 2 where it could not be verified.
    """
    from strapline.proving import verify_bridge

    raise typer.Exit(verify_bridge(config, data, offline=offline, as_json=as_json))


@app.command("capture")
def capture(
    *,
    device: Annotated[
        list[str] | None,
        typer.Option("--device", metavar="NAME|ADDRESS", help="Which; else those chosen here."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="Where to: a new file.")
    ] = Path("capture.jsonl"),
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", min=1, max=86_400, help="For how long.")
    ] = _CAPTURE_S,
    config: Annotated[
        Path | None, typer.Option("--config", help="The bridge's, which says where they stand.")
    ] = None,
    adapter: Annotated[
        str | None, typer.Option("--adapter", metavar="hciN", help="Which Bluetooth adapter.")
    ] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Record straps that are not there.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Record what wearables send, for those who do not have one.

    Addresses, names and serial numbers are left out. A bridge that runs holds its wearables:
    stop it first.
    """
    import logging

    from strapline import logs
    from strapline.capturing import capture as record
    from strapline.running import run_until_stopped
    from strapline_bridge.config import DEFAULT_PATH, load
    from strapline_bridge.wearables import Wearables, WearablesFile

    logs.set_up(logging.WARNING)
    named = device or []
    chosen = Wearables()
    if not named and (config is not None or DEFAULT_PATH.exists()):
        chosen = WearablesFile(load(config or DEFAULT_PATH).state_dir).load()
    run_until_stopped(
        record(
            output, named=named, chosen=chosen, seconds=seconds, adapter=adapter, simulate=simulate
        )
    )


@app.command("decode")
def decode(
    characteristic: Annotated[
        str, typer.Argument(metavar="CHARACTERISTIC", help="A UUID, short or long, or a name.")
    ],
    value: Annotated[str, typer.Argument(metavar="HEX", help="The bytes: 0648, '06 48'.")],
    *,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what bytes that a wearable sent mean.

    Where they mean nothing it says why, and leaves with status 1.
    """
    from strapline.decoding import explain

    if not explain(characteristic, value, as_json=as_json):
        raise typer.Exit(1)
