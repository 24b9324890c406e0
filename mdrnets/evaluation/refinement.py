"""Scores a trained MDRNets and the coarse faces that it starts from, on validation images.

The report compares them: a refinement should improve on the coarse face. Test images are not used.
"""

import numpy as np
import torch
from torch import Tensor

from mdrnets.config.load import Config
from mdrnets.config.profile import INCEPTION
from mdrnets.data.dataset import map_holes, map_images
from mdrnets.data.progress import ProgressBar
from mdrnets.evaluation.completion import complete_pairs
from mdrnets.evaluation.refined_faces import FaceScores, RefinedFaces
from mdrnets.evaluation.validation import validation_pairs
from mdrnets.layout import Layout
from mdrnets.methods.base import Method
from mdrnets.methods.building import load_network
from mdrnets.methods.mdrnets.method import MDRNets
from mdrnets.metrics.features import build_feature_network, extract_features
from mdrnets.metrics.pixel import l1, psnr
from mdrnets.runtime.numerics import set_numerics
from mdrnets.runtime.seeds import derived_seed


def score_refinement(
    config: Config, *, dataset: str, method: str, progress: ProgressBar
) -> RefinedFaces:
    """Score the completions of validation images with a hole of the largest bin.

    Args:
        config: protocol and profile.
        dataset: a data set of the profile.
        method: the method of the ablations, a variant of it, or a further training of one.
        progress: shows the progress, in batches.

    Raises:
        UserError: no validation image has a hole of the largest bin, or the method is not trained.
    """
    layout, profile = Layout(config.name), config.profile
    set_numerics(device=profile.device, precision=profile.precision, threads=profile.threads)
    device = torch.device(profile.device)
    pairs = validation_pairs(config, dataset)
    images = map_images(layout, dataset)
    holes = map_holes(layout)
    truth = images[[pair.image_row for pair in pairs]]
    missing = torch.from_numpy(holes[[pair.hole_row for pair in pairs]])
    network = build_feature_network(profile.frechet, weights=layout.weights(INCEPTION)).to(device)

    def features(faces: np.ndarray) -> np.ndarray:
        label = f"{method} on {dataset}, validation: features"
        return extract_features(network, faces, device=device, progress=progress, label=label)

    def score(completing: Method) -> FaceScores:
        batches = complete_pairs(
            completing,
            pairs,
            images=images,
            holes=holes,
            batch_size=profile.completion_batch,
            seed=derived_seed(config.seed(method), "validation", dataset),
            device=device,
            precision=profile.precision,
        )
        faces = np.concatenate([composites for composites, _ in batches])
        completed, original = torch.from_numpy(faces), torch.from_numpy(truth)
        return FaceScores(
            hole_l1=l1(completed, original, missing).double().numpy(),
            psnr=psnr(completed, original).double().numpy(),
            features=features(faces),
        )

    trained = load_network(config, layout, network=method, dataset=dataset).to(device)
    assert isinstance(trained, Method), "checked when completing"
    coarse = CoarseFaces(trained) if isinstance(trained, MDRNets) else None
    return RefinedFaces(
        truth=features(truth),
        output=score(trained),
        coarse=score(coarse) if coarse else None,
    )


class CoarseFaces(Method):
    """The coarse network of an MDRNets as a method of its own."""

    def __init__(self, method: MDRNets) -> None:
        super().__init__()
        self.method = method

    def complete(self, masked: Tensor, hole: Tensor, generator: torch.Generator) -> Tensor:
        """See `Method`. The result is deterministic; `generator` is not used."""
        return self.method.complete_coarsely(masked, hole)
