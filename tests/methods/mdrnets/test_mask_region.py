import torch
import torch.nn.functional as F

from mdrnets.methods.mdrnets.mask_region import MaskedCorrelationMining, fold, fuse, unfold
from mdrnets.methods.mdrnets.pooling import class_regions, scatter_to_map

SIZE = torch.Size((8, 8))


def _inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Regions of four classes, features, and a hole of a few cells; batch of two."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 4, (2, 8, 8), generator=generator)
    fused = torch.randn(2, 6, 8, 8, generator=generator)
    hole = torch.zeros(2, 1, 8, 8)
    hole[0, :, 1:6, 2:5] = 1
    hole[1, :, 4:, :3] = 1
    return class_regions(labels, classes=4, size=SIZE), fused, hole


def _mining() -> MaskedCorrelationMining:
    torch.manual_seed(0)
    return MaskedCorrelationMining(channels=6, patch_size=2)


def test_fusion_takes_v_outside_the_hole_and_memory_inside() -> None:
    regions, _, hole = _inputs()
    valid_rows, hole_rows = torch.randn(2, 4, 6), torch.randn(2, 4, 6)
    fused = fuse(valid_rows=valid_rows, hole_rows=hole_rows, regions=regions, hole=hole)
    inside = hole.bool().expand_as(fused)
    assert torch.equal(fused[inside], scatter_to_map(hole_rows, regions)[inside])
    assert torch.equal(fused[~inside], scatter_to_map(valid_rows, regions)[~inside])


def test_without_a_hole_the_module_returns_f_v() -> None:
    regions, _, hole = _inputs()
    valid_rows, none = torch.randn(2, 4, 6), torch.zeros_like(hole)
    fused = fuse(valid_rows=valid_rows, hole_rows=torch.randn(2, 4, 6), regions=regions, hole=none)
    assert torch.equal(_mining()(fused, none), scatter_to_map(valid_rows, regions))


def test_mining_leaves_the_valid_region_bit_identical() -> None:
    _, fused, hole = _inputs()
    mined = _mining()(fused, hole)
    inside = hole.bool().expand_as(fused)
    assert torch.equal(mined[~inside], fused[~inside])
    assert (mined[inside] != fused[inside]).all()


def test_mining_is_the_formula_patch_by_patch() -> None:
    """F + K ⊙ fold(softmax(θ φᵀ / √d) F), with torch's own unfold and fold as the oracle."""
    _, fused, hole = _inputs()
    network = _mining()

    def patches(maps: torch.Tensor) -> torch.Tensor:
        return F.unfold(maps, kernel_size=2, stride=2).mT  # B×N×C·p²

    scores = patches(network.theta(fused)) @ patches(network.phi(fused)).mT
    relation = torch.softmax(scores / (6 * 4) ** 0.5, dim=-1)
    mined = F.fold((relation @ patches(fused)).mT, (8, 8), kernel_size=2, stride=2)
    torch.testing.assert_close(network(fused, hole), fused + hole * mined)


def test_equal_patches_stay_what_they_are() -> None:
    """The rows of R sum to 1, so any mixture of equal patches is that patch, added to itself."""
    fused = torch.randn(1, 6, 2, 2).repeat(1, 1, 4, 4)
    torch.testing.assert_close(_mining()(fused, torch.ones(1, 1, 8, 8)), 2 * fused)


def test_unfold_takes_patches_row_by_row_and_fold_inverts_it() -> None:
    maps = torch.randn(2, 3, 4, 6)
    patches = unfold(maps, 2)
    assert patches.shape == (2, 6, 12)
    assert torch.equal(patches[0, 1].view(3, 2, 2), maps[0, :, :2, 2:4])
    assert torch.equal(patches[0, 3].view(3, 2, 2), maps[0, :, 2:, :2])
    assert torch.equal(fold(patches, 2, height=4), maps)


def test_gradient_reaches_both_branches_and_the_features() -> None:
    _, fused, hole = _inputs()
    network = _mining()
    fused.requires_grad_()
    network(fused, hole).square().sum().backward()
    assert fused.grad is not None
    assert torch.isfinite(fused.grad).all()
    for branch in (network.theta, network.phi):
        assert branch.weight.grad is not None
        assert branch.weight.grad.abs().sum() > 0
