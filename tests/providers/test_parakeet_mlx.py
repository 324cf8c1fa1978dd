"""What can be known of it without a Mac: what it asks for, and that it asks before it imports."""

import platform
from pathlib import Path

import pytest

from harness.clock import ClockKind, run
from harness.contract import SessionConfig
from harness.errors import ModelError, UnavailableError
from harness.provider.registry import make_provider


def lacking(name: str, folder: Path | None = None) -> list[str]:
    provider = make_provider(name, {"folder": str(folder)} if folder else {})
    return [missing for need in provider.requires if (missing := need.missing()) is not None]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.delenv("ECHOBENCH_PARAKEET_MLX_MODEL", raising=False)


@pytest.fixture
def on_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the platform module says; the package is found by its name."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.delenv("ECHOBENCH_PARAKEET_MLX_MODEL", raising=False)


@pytest.mark.usefixtures("elsewhere")
def test_another_machine_is_what_it_lacks_elsewhere() -> None:
    assert "Darwin on arm64" in lacking("parakeet_mlx")

    async def body() -> None:
        provider = make_provider("parakeet_mlx", {})
        with pytest.raises(UnavailableError, match="lacks Darwin on arm64"):
            await provider.start_session("s", SessionConfig(model="given"))

    run(body(), ClockKind.VIRTUAL)


@pytest.mark.usefixtures("on_a_mac")
def test_on_a_mac_it_wants_a_model(tmp_path: Path) -> None:
    assert lacking("parakeet_mlx") == ["a folder with a Parakeet model for MLX"]
    assert lacking("parakeet_mlx", tmp_path) == []
    provider = make_provider("parakeet_mlx", {"folder": str(tmp_path)})
    with pytest.raises(ModelError, match=r"has no config\.json; allowed: a folder with config"):
        provider.locate_model("given")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert provider.locate_model("given") == tmp_path
    with pytest.raises(ModelError, match="no such folder"):
        provider.locate_model("./nowhere")
