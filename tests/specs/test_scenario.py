from pathlib import Path

import pytest

from harness.contract import AudioSource
from harness.errors import DataFileError, UnknownNameError
from harness.specs.scenario import FOLDER, all_scenarios, find_scenario

SOURCE = '[[sources]]\nname = "mic"\ngap_s = [0.2, 0.8]\n'
HEAD = 'title = "two talk"\nduration_s = 60\n'


def folder_of(path: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (path / f"{name}.toml").write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_as_it_says(tmp_path: Path) -> None:
    text = f'alias = "Z"\ncorpus = "mine.jsonl"\n{HEAD}noise_dbfs = -50\n{SOURCE}'
    second = '[[sources]]\nname = "system"\nstart_s = 0.7\nlead_in_s = 2\ngap_s = [1, 1]\n'
    folder = folder_of(tmp_path, talk=text + second)
    scenario = find_scenario("talk", folder)
    assert scenario == find_scenario("Z", folder)
    assert (scenario.name, scenario.alias, scenario.duration_s) == ("talk", "Z", 60.0)
    assert (scenario.corpus, scenario.noise_dbfs, scenario.queue_s) == ("mine.jsonl", -50, 10)
    mic, system = scenario.sources
    assert (mic.name, mic.start_s, mic.lead_in_s) == (AudioSource.MIC, 0.0, 0.5)
    assert (system.name, system.start_s, system.gap_s) == (AudioSource.SYSTEM, 0.7, (1.0, 1.0))


def test_the_projects_own_scenarios_are_sound() -> None:
    scenarios = all_scenarios()
    assert set(scenarios) == {path.stem for path in FOLDER.glob("*.toml")}
    assert find_scenario("A").name == "speech_heavy"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, ["sources"]),
        (f"{HEAD}sources = []", ["sources"]),
        (SOURCE, ["title"]),
        (f"title = 5\nduration_s = 1\n{SOURCE}", ["$.title"]),
        (f'title = "x"\nduration_s = 0\n{SOURCE}', ["$.duration_s", "> 0"]),
        (f'title = "x"\nduration_s = -1\n{SOURCE}', ["$.duration_s"]),
        (f'title = "x"\nduration_s = nan\n{SOURCE}', ["$.duration_s"]),
        (f'title = "x"\nduration_s = inf\n{SOURCE}', ["$.duration_s", "86400"]),
        (f'title = "x"\nduration_s = 1e9\n{SOURCE}', ["$.duration_s"]),
        (f'title = "x"\nduration_s = "60"\n{SOURCE}', ["$.duration_s"]),
        (f"{HEAD}noise_dbfs = 3\n{SOURCE}", ["$.noise_dbfs"]),
        (f"{HEAD}queue_s = 0\n{SOURCE}", ["$.queue_s"]),
        (f"{HEAD}loudness = 3\n{SOURCE}", ["loudness"]),
        (f"{HEAD}{SOURCE}{SOURCE}", ["each name only once"]),
        (f"{HEAD}{SOURCE}{SOURCE.replace('mic', 'system')}{SOURCE}", ["sources", "<= 2"]),
        (HEAD + SOURCE.replace("mic", "radio"), ["radio", "$.sources[0].name"]),
        (HEAD + SOURCE.replace("[0.2, 0.8]", "[0.8, 0.2]"), ["shortest must come first"]),
        (HEAD + SOURCE.replace("[0.2, 0.8]", "[0.2]"), ["gap_s"]),
        (HEAD + SOURCE.replace("[0.2, 0.8]", "[-1, 0.8]"), ["gap_s"]),
        (HEAD + SOURCE.replace("[0.2, 0.8]", "[nan, nan]"), ["gap_s"]),
        (HEAD + SOURCE + "start_s = -1\n", ["start_s"]),
        (HEAD + SOURCE + "volume = 1\n", ["volume"]),
        ("[sources", [""]),
    ],
)
def test_what_can_not_be_meant_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    folder = folder_of(tmp_path, wrong=text)
    with pytest.raises(DataFileError) as caught:
        find_scenario("wrong", folder)
    assert str(caught.value).startswith(str(folder / "wrong.toml"))
    for word in words:
        assert word in str(caught.value)


def test_unknown_names_are_told_from_known_ones(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, talk=f'alias = "Z"\n{HEAD}{SOURCE}')
    with pytest.raises(UnknownNameError, match="did you mean 'talk'") as caught:
        find_scenario("tlak", folder)
    assert caught.value.allowed == "Z, talk"
    with pytest.raises(UnknownNameError, match="nothing is registered"):
        find_scenario("talk", tmp_path / "empty")


def test_an_alias_has_one_owner(tmp_path: Path) -> None:
    text = f'alias = "Z"\n{HEAD}{SOURCE}'
    with pytest.raises(DataFileError, match="one has it"):
        all_scenarios(folder_of(tmp_path, one=text, two=text))
