"""House rules that no linter checks: how each module begins, and how long it may get."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = (
    "bridge/strapline_bridge",
    "cli/strapline",
    "client/strapline_client",
    "protocol/strapline_protocol",
    "server/strapline_server",
    "simulator/strapline_simulator",
)
FOLDERS = ("benchmarks", "bridge", "cli", "client", "protocol", "server", "simulator", "tests")
INSTALLED_OR_BUILT = {"_web", "dist", "node_modules"}
LONGEST_LINES = 500


def written(folder: str, *suffixes: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix in suffixes and not INSTALLED_OR_BUILT & set(path.parts):
            yield path


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_module_says_in_its_first_line_what_it_is() -> None:
    modules = [ROOT / "hatch_build.py", *(m for f in FOLDERS for m in written(f, ".py"))]
    assert len(modules) > 20
    silent = []
    for module in modules:
        docstring = ast.get_docstring(ast.parse(module.read_text())) or ""
        if len(docstring.partition("\n")[0].split()) < 3:
            silent.append(relative(module))
    assert silent == []


def test_a_module_stays_readable() -> None:
    python = (path for folder in FOLDERS for path in written(folder, ".py", ".sql"))
    web = written("web", ".ts", ".tsx")
    too_long = []
    for path in [*python, *web]:
        text = path.read_text()
        generated = "generated" in text[:300].lower()
        if not generated and text.count("\n") > LONGEST_LINES:
            too_long.append(relative(path))
    assert too_long == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_typed_and_says_what_it_is(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text()))
