"""Brings readings to the server: the live ones first, the backlog behind them."""

from strapline_bridge.uplink.connection import Greeting
from strapline_bridge.uplink.state import Link, UplinkState
from strapline_bridge.uplink.tokens import (
    FileTokens,
    KeyTokens,
    SignedTokens,
    TokenSource,
    configured_tokens,
)
from strapline_bridge.uplink.uplink import Uplink

__all__ = [
    "FileTokens",
    "Greeting",
    "KeyTokens",
    "Link",
    "SignedTokens",
    "TokenSource",
    "Uplink",
    "UplinkState",
    "configured_tokens",
]
