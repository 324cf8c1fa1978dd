"""Providers that other packages bring: found by their entry points, and no burden when broken."""

from pathlib import Path

import pytest

from harness.errors import UnknownNameError, UsageError
from harness.provider.choice import choose_providers
from harness.provider.registry import PROVIDERS, make_provider, names, provider_class
from tests.stand_ins.dies import Dies, DiesSettings

BROKEN = {
    "no_module": "no_such_package.at_all:Provider",
    "no_class": "tests.stand_ins.null:Missing",
    "no_provider": "tests.stand_ins.null:is_probe",
    "no_such_name": "tests.stand_ins.null:Null",
    "no_import": "broken_provider:Provider",
}


@pytest.fixture
def broken_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package whose providers can't be used, each in a way of its own."""
    info = tmp_path / "broken_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-package\nVersion: 1\n")
    lines = [f"{name} = {value}" for name, value in BROKEN.items()]
    (info / "entry_points.txt").write_text("[echobench.providers]\n" + "\n".join(lines) + "\n")
    (tmp_path / "broken_provider.py").write_text("raise OSError('libengine.so: no such file')\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("stand_ins")
def test_an_installed_provider_is_found_and_made() -> None:
    assert {"oracle", "null", "dies"} <= set(names(PROVIDERS))
    assert provider_class("dies") is Dies
    assert make_provider("dies", {"at": "load"}).settings == DiesSettings(at="load")
    with pytest.raises(UsageError, match=r"options of dies.*bite"):
        make_provider("dies", {"bite": 1})


@pytest.mark.usefixtures("broken_package")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_provider_that_is_asked_for_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        choose_providers([name])


@pytest.mark.usefixtures("broken_package")
def test_a_broken_provider_that_nobody_asked_for_only_gets_a_mention() -> None:
    choices, lacking = choose_providers([])
    assert "whisper_cpp" in {choice.provider.name for choice in choices}
    assert set(BROKEN) <= set(lacking)
    assert "libengine.so" in lacking["no_import"]
    assert "broken-package" in lacking["no_module"]


def test_a_name_that_nothing_has_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'whisper_cpp'"):
        choose_providers(["wisper_cpp"])
