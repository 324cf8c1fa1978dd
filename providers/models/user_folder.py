"""Finds models in a folder that the user names; they are not fetched by default."""

from pathlib import Path

from harness.errors import ModelError
from harness.requirements import ModelFolder
from providers.models.hub import is_path

GIVEN = "given"
"""The model in the folder that a provider's option, or an environment variable, names."""


def given_folder(model: str, given: ModelFolder) -> Path | None:
    """Return the folder of the model `GIVEN` or of a path; None for a model's name.

    Raises:
        ModelError: Neither the option nor the variable names a folder.

    >>> given_folder(GIVEN, ModelFolder("weights", "NO_SUCH_VARIABLE", "", given="models"))
    PosixPath('models')
    >>> given_folder("base.en", ModelFolder("weights", "NO_SUCH_VARIABLE", ""))
    """
    if model != GIVEN:
        return Path(model).expanduser() if is_path(model) else None
    folder = given.path()
    if folder is None:
        raise ModelError(f"model {model}", "no folder is given", given.remedy())
    return folder
