"""What goes wrong on this side of the network, each with its cause and its remedy.

::

    StraplineError
    └── BridgeError               what, why, and what to do about it
        ├── ConfigError           the configuration file (config.py)
        ├── TokenFileError        the file with the bridge's token (token_file.py)
        ├── KeyFileError          the file with the bridge's own key (key_file.py)
        ├── WearablesError        the list of chosen wearables (wearables.py)
        ├── CaptureError          a file of what wearables sent (radio/captures.py)
        ├── UnknownCharacteristicError    a name that no format has (decoders/naming.py)
        └── RadioError            Bluetooth on this machine (radio/errors.py)
            └── NoAdapterError
"""

from __future__ import annotations

from strapline_protocol.errors import StraplineError


class BridgeError(StraplineError):
    """A fault that a person can mend: ``str()`` gives what is wrong, then what to do.

    Attributes:
        what: the thing and the cause, one sentence without a full stop.
        remedy: what to do, an imperative sentence without a full stop; may hold a command.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}. {self.remedy}."
