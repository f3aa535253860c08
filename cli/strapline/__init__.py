"""The strapline command: joins bridge, server, client and simulator, and carries the version."""

__version__ = "0.1.0"
