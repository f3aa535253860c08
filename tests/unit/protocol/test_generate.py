"""What is derived from the models is on disk as it should be, and complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from generate import ROOT, messages_ts, rendered, schemas
from strapline_protocol.messages import METHODS
from strapline_protocol.metrics import METRICS
from tests.unit.protocol.examples import CLIENT_MESSAGES, SERVER_MESSAGES

FILES = rendered()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_generated_file_is_current(path: Path) -> None:
    assert path.read_text() == FILES[path], "run: python protocol/generate.py"


def test_no_generated_file_is_left_over() -> None:
    folders = {path.parent for path in FILES}
    left = {path for folder in folders for path in folder.glob("*.json")} - FILES.keys()
    assert left == set()


def test_each_direction_and_each_method_has_a_schema() -> None:
    names = {f"{method}-{part}" for method in METHODS for part in ("params", "result")}
    assert schemas().keys() == names | {"client-message", "server-message"}
    for name, messages in {"client": CLIENT_MESSAGES, "server": SERVER_MESSAGES}.items():
        mapping = schemas()[f"{name}-message"]["discriminator"]["mapping"]
        assert mapping.keys() == {type(one).model_fields["type"].default for one in messages}


def test_the_browser_knows_every_metric() -> None:
    text = messages_ts()
    for metric in METRICS.values():
        assert f'  {metric.name}: {{ unit: "{metric.unit}", freshForMs:' in text


def test_running_it_writes_what_is_there() -> None:
    before = {path: path.stat().st_mtime_ns for path in FILES}
    script = ROOT / "protocol/generate.py"
    # Imported and not run, so that a test changes nothing on disk.
    code = f"import runpy; print(len(runpy.run_path({str(script)!r})['rendered']()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) == len(FILES)
    assert {path: path.stat().st_mtime_ns for path in FILES} == before
