"""The table of recommendations: the required cases, its borders, and what a bad table says."""

from pathlib import Path

import pytest

from harness.errors import DataFileError
from harness.machine.hardware.nvidia import Gpu
from harness.machine.profile import MachineProfile
from harness.machine.recommendation import read_table, recommend

GIB = 1 << 30


def machine(
    ram_gib: float, *, apple: bool = False, metal: bool = False, cuda: bool = False
) -> MachineProfile:
    return MachineProfile(
        system="", chip="a chip", logical_cores=8, physical_cores=8, ram_bytes=round(ram_gib * GIB),
        apple_silicon=apple, metal=metal or apple, cuda=(Gpu("GPU", 8 * GIB),) if cuda else (),
        load_1min=0.0, python="", packages={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "provider", "model", "chunk_s", "compute_type"),
    [
        (machine(8), "faster_whisper", "base.en", 4, "int8"),
        (machine(16), "faster_whisper", "small.en", 4, "int8"),
        (machine(64), "faster_whisper", "small.en", 4, "int8"),
        (machine(32, apple=True), "voxtral_realtime", "Voxtral-Mini-4B-Realtime", 2, "bf16"),
        (machine(128, apple=True), "voxtral_realtime", "Voxtral-Mini-4B-Realtime", 2, "bf16"),
        (machine(32, metal=True), "voxtral_realtime", "Voxtral-Mini-4B-Realtime", 2, "bf16"),
        (machine(16, apple=True), "whisper_cpp", "small.en", 4, "f16"),
        (machine(24, apple=True), "whisper_cpp", "small.en", 4, "f16"),
        (machine(8, apple=True), "whisper_cpp", "base.en", 4, "f16"),
        (machine(16, metal=True), "faster_whisper", "small.en", 4, "int8"),
        (machine(64, cuda=True), "faster_whisper", "small.en", 4, "float16"),
        (machine(8, cuda=True), "faster_whisper", "base.en", 4, "int8"),
        (machine(2), "faster_whisper", "base.en", 4, "int8"),
    ],
    ids=lambda value: str(value) if isinstance(value, MachineProfile) else None,
)
def test_the_required_cases(
    given: MachineProfile, provider: str, model: str, chunk_s: float, compute_type: str
) -> None:
    said = recommend(given)
    assert said is not None
    assert (said.provider, said.model) == (provider, model)
    assert (said.chunk_seconds, said.compute_type) == (chunk_s, compute_type)
    assert f"{given.ram_gib:.0f} GiB" in said.reason


@pytest.mark.parametrize("shown_gib", [14.9, 15.5, 16.0])
def test_sixteen_gigabytes_are_what_is_sold_as_that(shown_gib: float) -> None:
    """Powers of ten, and what a kernel keeps to itself."""
    said = recommend(machine(shown_gib))
    assert said is not None
    assert said.model == "small.en"
    below = recommend(machine(14.0))
    assert below is not None
    assert below.model == "base.en"


def test_the_next_best_is_said_where_a_provider_is_not_to_be_had() -> None:
    said = recommend(machine(32, apple=True), among={"whisper_cpp", "faster_whisper"})
    assert said is not None
    assert (said.provider, said.model) == ("whisper_cpp", "small.en")
    assert recommend(machine(32, apple=True), among={"pocketsphinx"}) is None


RULE = """
[work]
"base.en" = 1.0
[[rules]]
name = "one"
provider = "p"
model = "m"
chunk_seconds = 4.0
compute_type = "int8"
because = "{}"
"""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[work]", "rules"),
        (RULE.replace("= 1.0", "= 0"), "work"),
        (RULE + "ram_gb = 8", "the last rule has conditions"),
        (RULE.replace("{}", "{cores}"), "only {ram} and {chip} are filled in"),
        (RULE.replace("{}", "{"), "only {ram} and {chip} are filled in"),
        (RULE + 'needs = ["npu"]', "metal"),
        (RULE + "min_ram = 3", "ram_gb"),
    ],
)
def test_a_table_that_says_nonsense_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(content.replace("{}", "so"))
    with pytest.raises(DataFileError, match=r"rules\.toml") as refused:
        read_table(path)
    assert problem in str(refused.value)


def test_the_next_larger_model_is_the_one_that_costs_a_little_more() -> None:
    table = read_table()
    assert table.next_larger("embedded") == "tiny.en"
    assert table.next_larger("base.en") == "small.en"
    assert table.next_larger("medium.en") is None
    assert table.next_larger("Voxtral-Mini-4B-Realtime") is None
    costs = list(table.work.values())
    assert costs == sorted(costs)
