"""The units, settings and users that come with the program: in a checkout, or as installed."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import Final

from strapline.errors import CommandError

#: Beside these folders stands the code in a checkout; as a wheel they are the prefix's.
_CHECKOUT: Final = Path(__file__).parents[3]
_SHARE: Final = Path("share/strapline")
_SCHEMES: Final = frozenset(sysconfig.get_scheme_names())


def shipped(name: str) -> str:
    """The text of a file such as ``systemd/strapline-bridge.service`` or ``config/bridge.toml``.

    Raises:
        CommandError: this installation lacks it.
    """
    # Debian's own packages are below a prefix that is not the default's.
    known = ("posix_user", "deb_system")
    schemes = dict.fromkeys(
        (sysconfig.get_default_scheme(), *(one for one in known if one in _SCHEMES))
    )
    prefixes = [Path(sysconfig.get_path("data", scheme)) / _SHARE for scheme in schemes]
    for place in (_CHECKOUT, *prefixes):
        try:
            return (place / name).read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            continue
    raise CommandError(
        f"{name} is missing from this installation (looked below {prefixes[0]}). Install strapline "
        "again."
    )
