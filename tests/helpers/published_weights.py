"""Random weights under the published names of the face parser's layers."""

from collections.abc import Iterator

import torch
from torch import Tensor


def published_weights() -> dict[str, Tensor]:
    """In the form of `79999_iter.pth`."""
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, shape in _shapes():
        noise = torch.randn(shape, generator=generator)
        if len(shape) > 1:
            weights[f"{name}.weight"] = noise * (2 / noise[0].numel()) ** 0.5
            continue
        weights[f"{name}.weight"] = 1 + noise / 10
        weights[f"{name}.bias"] = noise / 5
        weights[f"{name}.running_mean"] = noise.flip(0) / 10
        weights[f"{name}.running_var"] = 1 + noise.abs() / 10
        weights[f"{name}.num_batches_tracked"] = torch.tensor(80_000)
    return weights


def _shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every convolution and BatchNorm (one dimension) of the published file."""
    yield from (("cp.resnet.conv1", (64, 3, 7, 7)), ("cp.resnet.bn1", (64,)))
    before = 64
    for layer, width in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            name = f"cp.resnet.layer{layer}.{block}"
            yield f"{name}.conv1", (width, before, 3, 3)
            yield f"{name}.bn1", (width,)
            yield f"{name}.conv2", (width, width, 3, 3)
            yield f"{name}.bn2", (width,)
            if before != width:
                yield f"{name}.downsample.0", (width, before, 1, 1)
                yield f"{name}.downsample.1", (width,)
            before = width
    for stride, channels in ((16, 256), (32, 512)):
        yield f"cp.arm{stride}.conv.conv", (128, channels, 3, 3)
        yield f"cp.arm{stride}.conv.bn", (128,)
        yield f"cp.arm{stride}.conv_atten", (128, 128, 1, 1)
        yield f"cp.arm{stride}.bn_atten", (128,)
        yield f"cp.conv_head{stride}.conv", (128, 128, 3, 3)
        yield f"cp.conv_head{stride}.bn", (128,)
    yield from (("cp.conv_avg.conv", (128, 512, 1, 1)), ("cp.conv_avg.bn", (128,)))
    yield from (("ffm.convblk.conv", (256, 256, 1, 1)), ("ffm.convblk.bn", (256,)))
    yield from (("ffm.conv1", (64, 256, 1, 1)), ("ffm.conv2", (256, 64, 1, 1)))
    for head, channels, hidden in (("", 256, 256), ("16", 128, 64), ("32", 128, 64)):
        yield f"conv_out{head}.conv.conv", (hidden, channels, 3, 3)
        yield f"conv_out{head}.conv.bn", (hidden,)
        yield f"conv_out{head}.conv_out", (19, hidden, 1, 1)
