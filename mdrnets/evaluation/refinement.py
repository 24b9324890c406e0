"""Score a trained MDRNets and the coarse faces that it starts from, on validation images.

The report compares them: a refinement should improve on the coarse face. Test images are not used.
"""

import numpy as np
import torch
from torch import Tensor

from mdrnets.config.profile import INCEPTION
from mdrnets.data.assignment import select
from mdrnets.data.progress import ProgressBar
from mdrnets.evaluation.refined_faces import FaceScores, RefinedFaces
from mdrnets.evaluation.validation_set import ValidationSet
from mdrnets.layout import Layout
from mdrnets.methods.base import Method
from mdrnets.methods.mdrnets.method import MDRNets
from mdrnets.metrics.features import build_feature_network, extract_features
from mdrnets.metrics.pixel import l1, psnr


def score_refinement(validation: ValidationSet, *, progress: ProgressBar) -> RefinedFaces:
    """Score the completions of validation images with a hole of the largest bin.

    Args:
        validation: of the method of the ablations, a variant of it, or a further training of one.
        progress: shows the progress, in batches.
    """
    config, device = validation.config, validation.device
    truth, holes = select(validation.pairs, validation.images, validation.holes)
    missing = torch.from_numpy(holes)
    weights = Layout(config.name).weights(INCEPTION)
    network = build_feature_network(config.profile.frechet, weights=weights).to(device)
    label = f"{validation.method} on {validation.dataset}, validation: features"

    def features(faces: np.ndarray) -> np.ndarray:
        return extract_features(network, faces, device=device, progress=progress, label=label)

    def score(completing: Method) -> FaceScores:
        faces = validation.complete(completing)
        completed, original = torch.from_numpy(faces), torch.from_numpy(truth)
        return FaceScores(
            hole_l1=l1(completed, original, missing).double().numpy(),
            psnr=psnr(completed, original).double().numpy(),
            features=features(faces),
        )

    trained = validation.trained
    coarse = CoarseFaces(trained) if isinstance(trained, MDRNets) else None
    return RefinedFaces(
        truth=features(truth),
        output=score(trained),
        coarse=score(coarse) if coarse else None,
    )


class CoarseFaces(Method):
    """The coarse network of an MDRNets as a method."""

    def __init__(self, method: MDRNets) -> None:
        super().__init__()
        self.method = method

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        """See `Method`. The result is deterministic; `generator` is not used."""
        return self.method.complete_coarsely(masked, hole)
