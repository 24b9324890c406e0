"""Fill the holes of a data set's test images with a trained method.

Writes runs/PROFILE/completions/DATASET/METHOD.npy (composites: valid pixels are the input's) and
METHOD_raw.npy (the network's outputs before that), uint8 bins×images×H×W×3.
"""

import math
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.lib.format import open_memmap

from mdrnets.data.assignment import by_bin, read_assignment
from mdrnets.data.download.disk_space import require_space
from mdrnets.errors import UserError
from mdrnets.evaluation.completion import complete_pairs
from mdrnets.execution.command import StageRun, execute, stage_parser
from mdrnets.files import atomic_write
from mdrnets.methods.base import Method
from mdrnets.methods.building import build_network, load_network
from mdrnets.runtime.numerics import set_numerics
from mdrnets.runtime.seeds import derived_seed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = stage_parser(__doc__)
    parser.add_argument("dataset", help="a data set of the profile")
    parser.add_argument("method", help="a method of the profile")
    options = parser.parse_args(arguments)
    wildcards = {"dataset": options.dataset, "method": options.method}
    return execute("complete", wildcards, options.profile, _run)


def _run(run: StageRun) -> None:
    dataset, name = run.wildcards["dataset"], run.wildcards["method"]
    layout, protocol, profile = run.layout, run.config.protocol, run.config.profile
    numerics = set_numerics(
        device=profile.device, precision=profile.precision, threads=profile.threads
    )
    for key, value in numerics.items():
        run.note(key, value)

    bins = by_bin(read_assignment(layout.assignment(dataset)), protocol.bins)
    images = np.load(layout.images(dataset), mmap_mode="r")
    holes = np.load(layout.holes(), mmap_mode="r")
    device = torch.device(profile.device)
    found = load_network if run.config.network(name).trained else build_network
    method = found(run.config, layout, network=name, dataset=dataset).to(device).eval()
    if not isinstance(method, Method):
        raise UserError(f"{name}: it completes no images; its `build` must return a `Method`")

    shape = (len(bins), len(next(iter(bins.values()))), *images.shape[1:])
    # A memory map on a full disk ends the process without a word.
    require_space(layout.completions(dataset, name), 2 * math.prod(shape))
    begin = time.monotonic()
    with (
        atomic_write(layout.completions(dataset, name)) as completions_path,
        atomic_write(layout.raw_outputs(dataset, name)) as raw_path,
    ):
        completions = open_memmap(completions_path, mode="w+", dtype=np.uint8, shape=shape)
        raw = open_memmap(raw_path, mode="w+", dtype=np.uint8, shape=shape)
        for number, (bin_name, pairs) in enumerate(bins.items()):
            batches = complete_pairs(
                method,
                pairs,
                images=images,
                holes=holes,
                batch_size=profile.completion_batch,
                seed=derived_seed(run.config.seed(name), "completion", dataset, bin_name),
                device=device,
                precision=profile.precision,
            )
            first = 0
            for composites, outputs in run.progress(
                batches,
                total=math.ceil(len(pairs) / profile.completion_batch),
                label=f"{name} on {dataset}, {bin_name} %",
            ):
                part = slice(first, first + len(composites))
                completions[number, part], raw[number, part] = composites, outputs
                first = part.stop
        completions.flush()
        raw.flush()
    run.note("images_per_second", shape[0] * shape[1] / (time.monotonic() - begin))


if __name__ == "__main__":
    sys.exit(main())
