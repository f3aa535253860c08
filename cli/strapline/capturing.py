"""`strapline bridge capture`: records what wearables send to a file that can be sent to others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.text import Text

from strapline.errors import CommandError
from strapline.naming import find_named
from strapline.scanning import radio_for
from strapline.terminal import make_console
from strapline_bridge.capturing import MOST_VALUES, Anything, Recorder
from strapline_bridge.clock import SystemBootClock
from strapline_bridge.radio import Radio, RadioBackend, captures
from strapline_bridge.wearables import Wearables

_LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Target:
    """A wearable to record, as the radio wants one."""

    device: str
    addresses: tuple[str, ...]
    names: tuple[str, ...]


async def capture(
    output: Path,
    *,
    named: Sequence[str],
    chosen: Wearables,
    seconds: float,
    adapter: str | None = None,
    simulate: bool = False,
) -> None:
    """Listen until the time is over or the task is cancelled, then write the file.

    Args:
        output: a file that is not there yet.
        named: names or addresses of wearables near; when empty, ``chosen`` are recorded.

    Raises:
        CommandError: there is nothing to record, or the file cannot be written.
        RadioError: Bluetooth cannot be used; NoAdapterError where there is none.
    """
    if not named and not len(chosen):
        raise CommandError(
            "No wearable is chosen here. Name one: `strapline bridge scan` shows those near, and "
            "--device takes a name or an address."
        )
    _reserve(output)
    try:
        async with radio_for(adapter, simulate=simulate) as backend:
            targets = await _targets(backend, named, chosen)
            names = {one.device: (*one.addresses, *one.names) for one in targets}
            clock = SystemBootClock()
            recorder = Recorder(names, clock.now_ns())
            make_console(stderr=True).print(Text(f"  {_listening(len(targets), seconds)}"))
            try:
                await _listen(backend, targets, recorder, seconds)
            finally:
                _write(output, recorder)
    finally:
        _remove_if_empty(output)


async def _targets(backend: RadioBackend, named: Sequence[str], chosen: Wearables) -> list[_Target]:
    if not named:
        return [_Target(one.device, one.addresses, (one.name,)) for one in chosen.wearables]
    found = await find_named(backend, [(name, "") for name in named])
    return [
        _Target(f"device {number}", (choice.address,), (name,))
        for number, (choice, name) in enumerate(zip(found, named, strict=True), start=1)
    ]


async def _listen(
    backend: RadioBackend, targets: Sequence[_Target], recorder: Recorder, seconds: float
) -> None:
    radio = Radio(backend, targets, recorder, decoders=Anything(), descriptions={})
    task = asyncio.create_task(radio.run())
    try:
        async with asyncio.timeout(seconds):
            while not recorder.full and not task.done():  # noqa: ASYNC110  # a sink tells nobody
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        pass
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    if radio.problem is not None and not recorder.recorded:
        raise radio.problem


def _listening(count: int, seconds: float) -> str:
    noun = "wearable" if count == 1 else "wearables"
    return f"Recording {count} {noun} for {seconds:.0f} s; Ctrl-C ends it earlier."


def _reserve(output: Path) -> None:
    """Make the file now, so that an hour is not recorded for nothing."""
    try:
        output.touch(exist_ok=False)
    except FileExistsError:
        raise CommandError(f"{output} is there already. Name another file with --output.") from None
    except OSError as error:
        raise CommandError(
            f"{output} cannot be written: {error.strerror}. Name another file with --output."
        ) from error


def _remove_if_empty(output: Path) -> None:
    if not output.stat().st_size:
        output.unlink()


def _write(output: Path, recorder: Recorder) -> None:
    recorded, left_out = recorder.captures()
    kept = sum(len(one.values) for one in recorded)
    console = make_console(stderr=True)
    if not kept:
        console.print(
            Text(
                "  Nothing was recorded. Put it on, moistened, and close other apps that use it, "
                "`strapline bridge run` too: most wearables serve one listener."
            )
        )
        return
    output.write_text(captures.dumps(recorded), encoding="utf-8")
    words = f"  {kept} values in {output}, without addresses, names and serial numbers."
    if left_out:
        words += f" {left_out} were left out, since they tell which device it is."
    if recorder.full:
        words += f" It ended at {MOST_VALUES}, as no capture is longer."
    console.print(Text(words), soft_wrap=True)
