"""The build hook: when it builds the dashboard, and when it asks for Node."""

import stat
from pathlib import Path

import pytest

import hatch_build

NODE = [hatch_build.NODE_REQUIREMENT]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a page and its test, not built yet."""
    web = tmp_path / "web"
    (web / "src/__tests__").mkdir(parents=True)
    (web / "package.json").write_text("{}")
    (web / "src/main.tsx").write_text("render();")
    (web / "src/main.test.tsx").write_text("test();")
    (web / "src/__tests__/helper.ts").write_text("help();")
    return tmp_path


@pytest.fixture
def no_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


def hook(root: Path) -> hatch_build.WebBundleHook:
    return hatch_build.WebBundleHook(str(root), {}, None, None, str(root), "wheel")  # type: ignore[arg-type]  # hatchling's own parts are not used


def built(root: Path) -> Path:
    bundle = root / "server/strapline_server/_web"
    bundle.mkdir(parents=True)
    (bundle / hatch_build.STAMP).write_text(hatch_build.fingerprint(root / "web"))
    return bundle


def fake_programs(folder: Path, node_version: str) -> None:
    folder.mkdir()
    for name, answer in (("node", node_version), ("npm", "11.0.0")):
        (folder / name).write_text(f"#!/bin/sh\necho {answer}\n")
        (folder / name).chmod(stat.S_IRWXU)


@pytest.mark.usefixtures("no_node")
def test_a_checkout_without_node_asks_pypi_for_it(root: Path) -> None:
    assert hook(root).dependencies() == NODE


@pytest.mark.usefixtures("no_node")
def test_a_current_bundle_needs_no_node_and_is_left_alone(root: Path) -> None:
    bundle = built(root)
    (bundle / "index.html").write_text("as it was")
    assert hook(root).dependencies() == []
    hook(root).initialize("standard", {})
    assert (bundle / "index.html").read_text() == "as it was"


@pytest.mark.parametrize(
    ("changed", "current"),
    [
        ("src/main.tsx", False),
        ("package.json", False),
        ("src/new.css", False),
        ("public/icon.svg", False),
        ("src/main.test.tsx", True),
        ("src/__tests__/helper.ts", True),
        ("biome.json", True),
        ("node_modules/react/index.js", True),
    ],
)
def test_only_what_goes_into_the_bundle_counts(root: Path, changed: str, current: bool) -> None:
    bundle = built(root)
    path = root / "web" / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed")
    assert hatch_build.is_current(root / "web", bundle) is current


def test_a_renamed_file_counts(root: Path) -> None:
    before = hatch_build.fingerprint(root / "web")
    (root / "web/src/main.tsx").rename(root / "web/src/other.tsx")
    assert hatch_build.fingerprint(root / "web") != before


@pytest.mark.parametrize(
    ("version", "usable"),
    [
        ("v18.19.0", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.0.0", True),
        ("v100.1.0", True),
    ],
)
def test_which_node_will_do(
    version: str, usable: bool, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_programs(root / "bin", version)
    monkeypatch.setenv("PATH", f"{root / 'bin'}:/bin")
    assert hook(root).dependencies() == ([] if usable else NODE)


def test_a_failing_npm_is_shown_with_what_to_do(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_programs(root / "bin", "v24.0.0")
    (root / "bin/npm").write_text("#!/bin/sh\necho no such package\nexit 1\n")
    monkeypatch.setenv("PATH", f"{root / 'bin'}:/bin")
    with pytest.raises(SystemExit, match=r"(?s)no such package.*npm ci --omit=dev.*npm registry"):
        hook(root).initialize("standard", {})
    assert not (root / "server/strapline_server/_web").exists()
