"""Inspect the memory of a trained method: which slots are read, and which facial parts they hold.

Reads are counted over the completions of the test images; the parts nearest to the slots are
searched for in training images. Writes runs/PROFILE/inspection/DATASET/METHOD_memory.safetensors.
"""

import sys

from mdrnets.execution.command import stage_command
from mdrnets.execution.run import StageRun


@stage_command("dataset", "method")
def main(run: StageRun) -> None:
    from mdrnets.evaluation.inspect_method import inspect_memory
    from mdrnets.evaluation.memory_use import save_memory_use

    dataset, method = run.wildcards["dataset"], run.wildcards["method"]
    use = inspect_memory(run.config, dataset=dataset, method=method, progress=run.progress)
    save_memory_use(run.layout.memory_use(dataset, method), use)


if __name__ == "__main__":
    sys.exit(main())
