"""Without bumble the package imports, and says what to install when it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from strapline_simulator.extra import DemoExtraMissingError, require_demo_extra


def test_with_bumble_there_is_nothing_to_say() -> None:
    require_demo_extra()


def test_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bumble", None)
    with pytest.raises(DemoExtraMissingError, match=r"pip install 'strapline\[demo\]'"):
        require_demo_extra()


def test_the_package_imports_without_bumble_and_using_it_fails_with_the_command() -> None:
    script = """
import asyncio, sys
sys.modules["bumble"] = None
import strapline_simulator
async def main():
    async with strapline_simulator.simulation():
        pass
try:
    asyncio.run(main())
except ImportError as error:
    sys.exit(str(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "simulated straps need bumble, which is not installed. "
        "Install it with: pip install 'strapline[demo]'"
    )
