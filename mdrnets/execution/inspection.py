"""What the inspecting stages share: the trained method with the packed images and holes."""

import numpy as np
import torch

from mdrnets.config.load import PARAMS
from mdrnets.errors import UserError
from mdrnets.evaluation.inspection import Inspection
from mdrnets.execution.command import StageRun
from mdrnets.methods.building import load_network
from mdrnets.methods.mdrnets.method import MDRNets
from mdrnets.runtime.numerics import set_numerics


def load_inspection(run: StageRun, dataset: str, name: str) -> Inspection:
    """Raises:
    UserError: the method is none that can be inspected, or not trained.
    """
    layout, profile = run.layout, run.config.profile
    set_numerics(device=profile.device, precision=profile.precision, threads=profile.threads)
    method = load_network(run.config, layout, network=name, dataset=dataset)
    if not isinstance(method, MDRNets):
        raise UserError(
            f"{PARAMS}: methods.{name}.memory: only the memory of MDRNets can be inspected; remove "
            "the key"
        )
    return Inspection(
        method.to(torch.device(profile.device)),
        images=np.load(layout.images(dataset), mmap_mode="r"),
        holes=np.load(layout.holes(), mmap_mode="r"),
        batch_size=profile.completion_batch,
        precision=profile.precision,
        progress=run.progress,
    )
