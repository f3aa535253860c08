"""Brings readings to the server: the live ones first, the backlog behind them."""

from strapline_bridge.uplink.alone import questions_alone
from strapline_bridge.uplink.asking import Questions
from strapline_bridge.uplink.connection import Greeting
from strapline_bridge.uplink.errors import NotAnsweredError, NotConnectedError, UplinkError
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
    "NotAnsweredError",
    "NotConnectedError",
    "Questions",
    "SignedTokens",
    "TokenSource",
    "Uplink",
    "UplinkError",
    "UplinkState",
    "configured_tokens",
    "questions_alone",
]
