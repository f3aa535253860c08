"""What a bridge under measurement is configured with."""

from __future__ import annotations

from pathlib import Path


def configure(place: Path, state: Path, token: str, port: int) -> Path:
    """The configuration of a bridge with this state folder, token and server on this machine."""
    file = state / "token"
    file.write_text(token)
    file.chmod(0o600)
    config = place / "bridge.toml"
    config.write_text(f'state_dir = "{state}"\n[server]\nurl = "ws://127.0.0.1:{port}/ws"\n')
    return config
