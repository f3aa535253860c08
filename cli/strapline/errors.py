"""What the command itself can complain of: what is wrong, and what to do."""

from __future__ import annotations

from strapline_protocol.errors import StraplineError


class CommandError(StraplineError):
    """Something that a person can mend: the cause, then what to do, whole sentences."""
