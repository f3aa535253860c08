"""The pages point at files that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)|(?:src|srcset|href)=\"([^\"#]+)\"")


def targets(page: Path) -> list[str]:
    found = [a or b for a, b in LINK.findall(page.read_text())]
    return [target for target in found if "://" not in target]


def test_every_link_leads_somewhere() -> None:
    assert sum(len(targets(page)) for page in PAGES) > 10
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in targets(page)
        if not (page.parent / target).exists()
    ]
    assert broken == []
