"""Where the command begins: Ctrl-C is no fault, however early it comes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from strapline import entry, main

#: Ctrl-C comes while the first module that the command needs is read in.
_EARLY = """
import sys
import strapline.entry

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "strapline.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
strapline.entry.main()
"""


def test_ctrl_c_while_the_command_is_read_in_is_quiet() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _EARLY], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_in_a_command_has_the_same_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "main", interrupted)
    with pytest.raises(SystemExit) as left:
        entry.main()
    assert left.value.code == 130


def test_it_reads_in_nothing_that_takes_time() -> None:
    code = (
        "import sys; before = set(sys.modules); import strapline.entry; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['strapline', 'strapline.entry']\n"
