"""Data sets that commands are given by name."""

from mdrnets.config.load import Config
from mdrnets.errors import UserError


def require_dataset(config: Config, name: str) -> None:
    """Check that the profile has a data set of this name.

    Raises:
        UserError: it has none; lists those that it has.
    """
    datasets = config.profile.datasets
    if name not in datasets:
        raise UserError(
            f"{config.path}: datasets: {name} not found; choose one of: {', '.join(datasets)}"
        )
