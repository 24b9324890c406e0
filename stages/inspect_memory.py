"""Inspect the memory of a trained method: which slots are read, and which facial parts they hold.

Reads are counted over the completions of the test images; the parts nearest to the slots are
searched for in training images. Writes runs/PROFILE/inspection/DATASET/METHOD_memory.safetensors.
"""

import sys
from collections.abc import Sequence

from mdrnets.execution.command import StageRun, execute, stage_parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("method", help="a method of the profile that has a memory")
    options = parser.parse_args(arguments)
    wildcards = {"dataset": options.dataset, "method": options.method}
    return execute("inspect_memory", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    from mdrnets.evaluation.inspect_method import inspect_memory
    from mdrnets.evaluation.memory_use import save_memory_use

    dataset, method = run.wildcards["dataset"], run.wildcards["method"]
    use = inspect_memory(run.config, dataset=dataset, method=method, progress=run.progress)
    save_memory_use(run.layout.memory_use(dataset, method), use)


if __name__ == "__main__":
    sys.exit(main())
