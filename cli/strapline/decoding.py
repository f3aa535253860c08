"""`strapline bridge decode`: what the bytes of a characteristic mean, or why they mean nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from strapline.errors import CommandError
from strapline.terminal import make_console
from strapline_bridge.decoders import UndecodableError
from strapline_bridge.decoders.naming import Meaning, characteristic_named, meaning
from strapline_bridge.readings import Reading
from strapline_protocol.metrics import metric_named

#: No value of a characteristic is longer (Core specification, Vol 3, Part F, 3.2.9).
_LONGEST_BYTES: Final = 512


def bytes_of(text: str) -> bytes:
    """Bytes as people write them: ``00 48``, ``0x0048``, ``00:48``, ``00-48``, ``(0x) 00-48``.

    Raises:
        CommandError: it is not hexadecimal, or longer than a value can be.
    """
    plain = re.sub(r"\(?0x\)?|[\s:,_-]", "", text.strip(), flags=re.IGNORECASE)
    if len(plain) % 2 or not re.fullmatch(r"[0-9a-fA-F]*", plain):
        raise CommandError(
            "The bytes are not hexadecimal. Write two digits for each, such as 0648 or '06 48'."
        )
    if len(plain) > 2 * _LONGEST_BYTES:
        raise CommandError(f"No characteristic is longer than {_LONGEST_BYTES} bytes. Write fewer.")
    return bytes.fromhex(plain)


def explain(characteristic: str, text: str, *, as_json: bool) -> bool:
    """Print what the bytes mean; whether they mean anything.

    Raises:
        UnknownCharacteristicError: no format here is called so.
        CommandError: the bytes are none.
    """
    uuid, value = characteristic_named(characteristic), bytes_of(text)
    try:
        meant = meaning(uuid, value)
    except UndecodableError as error:
        if as_json:
            print(json.dumps({"characteristic": uuid, "refused": error.reason}))
        else:
            make_console().print(Text(f"Means nothing: {error.reason} ({len(value)} bytes)."))
        return False
    if as_json:
        print(json.dumps(_as_json(meant), ensure_ascii=False))
        return True
    console = make_console()
    console.print(Text.assemble((meant.name, "name"), (f"  {meant.characteristic}", "second")))
    for line in _lines(meant):
        console.print(Text(f"  {line}"), soft_wrap=True)
    return True


def _lines(meant: Meaning) -> Iterator[str]:
    if not meant.readings and not meant.fields:
        yield "no reading"
    for reading in meant.readings:
        yield from _lines_of(reading)
    for name, told in meant.fields.items():
        yield f"{name.replace('_', ' ')}: {'not sent' if told is None else told}"


def _lines_of(reading: Reading) -> Iterator[str]:
    name = reading.metric.replace("_", " ")
    marks = f"  ({', '.join(reading.quality)})" if reading.quality else ""
    yield f"→ {name} {reading.value:.12g} {metric_named(reading.metric).unit}{marks}"
    for column, told in reading.columns.items():
        words = _intervals(told) if column == "rr" and isinstance(told, list | tuple) else told
        yield f"  {column.replace('_', ' ')}: {words}"


def _intervals(rr: Sequence[int]) -> str:
    """As they were sent, in 1/1024 s (Heart Rate Service 1.0, 3.1.1.4), and in milliseconds."""
    return ", ".join(f"{one}/1024 s ({one * 1_000 / 1_024:.0f} ms)" for one in rr)


def _as_json(meant: Meaning) -> dict[str, object]:
    return {
        "characteristic": meant.characteristic,
        "name": meant.name,
        "readings": [
            {
                "metric": reading.metric,
                "value": reading.value,
                "unit": metric_named(reading.metric).unit,
                **reading.columns,
                "quality": list(reading.quality),
            }
            for reading in meant.readings
        ],
        "fields": dict(meant.fields),
    }
