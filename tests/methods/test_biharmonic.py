import torch

from mdrnets.methods.base import Batch, BuildContext
from mdrnets.methods.biharmonic import Options, build


def test_it_continues_a_gradient_and_ignores_the_hole(context: BuildContext, batch: Batch) -> None:
    method = build(options=Options(), context=context)
    ramp = torch.linspace(-0.9, 0.9, 32).expand(2, 3, 32, 32)
    generator = torch.Generator()
    filled = method.complete(ramp * (1 - batch.hole), batch.hole, generator)
    torch.testing.assert_close(filled, ramp, atol=0.02, rtol=0)
    noisy = method.complete(ramp * (1 - batch.hole) + 9 * batch.hole, batch.hole, generator)
    assert torch.equal(filled, noisy)
    assert not method.phases()


def test_an_image_without_a_hole_stays(context: BuildContext, batch: Batch) -> None:
    method = build(options=Options(), context=context)
    filled = method.complete(batch.image, torch.zeros_like(batch.hole), torch.Generator())
    torch.testing.assert_close(filled, batch.image)
