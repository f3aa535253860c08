"""The dashboard's link, with the token in its fragment, and as a QR code of half blocks."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

from rich.style import Style
from rich.text import Text

#: Documentation's own address (RFC 5737): the system says how it would get there; nothing is sent.
_ELSEWHERE: Final = ("192.0.2.1", 9)
#: A reader needs a quiet zone; two modules do on a screen.
_BORDER: Final = 2
#: Dark on light, whatever the terminal's own colours are: many readers know no inverted code.
_PAPER: Final = Style(color="black", bgcolor="white")
_HALVES: Final = {
    (False, False): " ",
    (True, False): "▀",
    (False, True): "▄",
    (True, True): "█",
}


def dashboard_link(host: str, port: int, token: str) -> str:
    """Fragments are not sent to servers, so the token stays in no log on the way."""
    try:
        if ipaddress.ip_address(host).version == 6:
            host = f"[{host}]"
    except ValueError:
        pass  # A name stands as it is.
    return f"http://{host}:{port}/#token={token}"


def lan_address() -> str | None:
    """This machine's address in its network; None where there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if ipaddress.ip_address(address).is_loopback else address


def qr_code(link: str) -> Text:
    """Half a line a module, quiet zone included."""
    import segno

    rows = [
        [bool(module) for module in row]
        for row in segno.make_qr(link, error="l", boost_error=False).matrix_iter(border=_BORDER)
    ]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    lines = [
        "".join(_HALVES[upper, lower] for upper, lower in zip(above, below, strict=True))
        for above, below in zip(rows[::2], rows[1::2], strict=True)
    ]
    return Text("\n").join(Text(line, style=_PAPER) for line in lines)
