"""Train one network on one data set. A training that was interrupted continues.

Writes runs/PROFILE/models/DATASET/NETWORK.safetensors (weights), .csv (losses by step) and .json
(the resolved configuration). On SIGTERM or Ctrl-C the state is saved; run the same command again to
continue. If the profile sets `devices` above 1, one more process is started for each further
device: all of them train, and the first alone reads states, writes files and reports.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


def _train_as_worker(profile: str | None, dataset: str, network: str) -> int:
    from mdrnets.training.train_network import train_as_worker

    return train_as_worker(profile, dataset=dataset, network=network)


@stage_command("dataset", "network", worker=_train_as_worker)
def main(run: StageRun) -> None:
    from mdrnets.training.display import Display
    from mdrnets.training.loop import TrainingProgress
    from mdrnets.training.train_network import save_trained_network, train_network

    dataset, network = run.wildcards["dataset"], run.wildcards["network"]
    with Display(label=f"{network} on {dataset}") as display:

        def report(progress: TrainingProgress) -> None:
            if progress.values:
                run.log_metrics(progress.step, progress.values)
            display.show(progress)

        trained = train_network(
            run.config,
            dataset=dataset,
            network=network,
            note=run.note,
            report=report,
        )
    save_trained_network(trained, run.config, dataset=dataset, network=network)


if __name__ == "__main__":
    sys.exit(main())
