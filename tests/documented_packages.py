"""Packages that a page of the documentation shows, laid out as pip would install them."""

import os
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def blocks(page: str, kind: str) -> list[str]:
    """The code blocks of a page in `docs/`, of one language."""
    text = (ROOT / "docs" / page).read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def install(folder: Path, project: str, module: str, code: str) -> None:
    """Write a package of one module, and what pip writes beside one from its project file."""
    (folder / f"{module}.py").write_text(code)
    about = tomllib.loads(project)["project"]
    info = folder / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    )
    lines = [f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
             for group, points in about["entry-points"].items()]  # fmt: skip
    (info / "entry_points.txt").write_text("".join(lines))


def with_packages(folder: Path) -> dict[str, str]:
    """The environment in which a child process finds the packages of a folder."""
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
