import pytest
import torch

from mdrnets.networks.vector_quantiser import VectorQuantiser


@pytest.fixture
def quantiser() -> VectorQuantiser:
    torch.manual_seed(0)
    return VectorQuantiser(codes=6, channels=3)


def test_codes_are_their_own_nearest(quantiser: VectorQuantiser) -> None:
    quantiser.eval()
    indices = torch.arange(6).view(1, 2, 3)
    result = quantiser(quantiser.lookup(indices))
    assert torch.equal(result.indices, indices)
    assert result.commitment.item() == pytest.approx(0, abs=1e-12)
    assert torch.equal(quantiser(result.vectors).indices, indices)


def test_gradients_pass_straight_through_and_never_to_the_codebook(
    quantiser: VectorQuantiser,
) -> None:
    quantiser.eval()
    z = torch.randn(2, 3, 2, 2, requires_grad=True)
    weight = torch.randn(2, 3, 2, 2)
    result = quantiser(z)
    assert result.indices.min() >= 0 and result.indices.max() < 6
    (gradient,) = torch.autograd.grad((result.vectors * weight).sum(), z)
    assert torch.equal(gradient, weight)
    assert not list(quantiser.parameters())


def test_with_no_memory_a_used_code_is_the_mean_of_its_vectors() -> None:
    torch.manual_seed(0)
    quantiser = VectorQuantiser(codes=4, channels=2, decay=0.0).train()
    z = torch.randn(3, 2, 4, 4)
    result = quantiser(z)
    flat = z.permute(0, 2, 3, 1).reshape(-1, 2)
    for code in result.indices.unique():
        mean = flat[result.indices.flatten() == code].mean(dim=0)
        torch.testing.assert_close(quantiser.codebook[code], mean, rtol=1e-3, atol=1e-4)


def test_the_first_batch_initialises_and_an_unused_code_stays() -> None:
    torch.manual_seed(0)
    quantiser = VectorQuantiser(codes=5, channels=2).train()
    quantiser(torch.randn(1, 2, 4, 4) + 10)
    assert (quantiser.codebook > 5).all()  # drawn from the batch, not from N(0, 1)

    quantiser.codebook[4] = torch.tensor([-50.0, -50.0])
    quantiser.counts[4], quantiser.sums[4] = 0, 0
    quantiser(torch.randn(1, 2, 4, 4) + 10)
    assert torch.equal(quantiser.codebook[4], torch.tensor([-50.0, -50.0]))


def test_rare_codes_are_reseeded_and_stay_in_use() -> None:
    torch.manual_seed(0)
    quantiser = VectorQuantiser(codes=5, channels=2, reseed_every=3).train()
    quantiser(torch.randn(1, 2, 4, 4))
    quantiser.codebook[4] = torch.tensor([-50.0, -50.0])
    quantiser.counts[4], quantiser.sums[4] = 0, 0
    for _ in range(3):
        quantiser(torch.randn(1, 2, 4, 4))
    assert quantiser.codebook[4].abs().max() < 10


def test_the_averages_of_many_reseeded_codes_are_those_of_their_vectors() -> None:
    torch.manual_seed(0)
    quantiser = VectorQuantiser(codes=8, channels=2, reseed_every=2).train()
    quantiser(torch.randn(1, 2, 4, 4))
    rare = slice(2, None)
    quantiser.codebook[rare] = -50
    quantiser.counts[rare], quantiser.sums[rare] = 0, 0
    quantiser(torch.randn(1, 2, 4, 4))
    means = quantiser.sums / quantiser.counts.unsqueeze(1)
    torch.testing.assert_close(means[rare], quantiser.codebook[rare])


def test_the_codebook_is_fixed_in_eval_mode(quantiser: VectorQuantiser) -> None:
    quantiser.eval()
    before = {name: value.clone() for name, value in quantiser.state_dict().items()}
    quantiser(torch.randn(2, 3, 4, 4))
    assert all(torch.equal(value, before[name]) for name, value in quantiser.state_dict().items())


def test_no_code_is_reseeded_late(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    quantiser = VectorQuantiser(codes=5, channels=2, reseed_every=1).train()
    monkeypatch.setattr("mdrnets.networks.vector_quantiser.RESEED_STEPS", 1)
    quantiser(torch.randn(1, 2, 4, 4))
    quantiser.codebook[4] = torch.tensor([-50.0, -50.0])
    quantiser.counts[4], quantiser.sums[4] = 0, 0
    quantiser(torch.randn(1, 2, 4, 4))
    assert torch.equal(quantiser.codebook[4], torch.tensor([-50.0, -50.0]))


def test_half_precision_does_not_reach_the_averages() -> None:
    torch.manual_seed(0)
    z = torch.randn(2, 3, 4, 4)
    torch.manual_seed(1)
    full = VectorQuantiser(codes=4, channels=3).train()
    torch.manual_seed(1)
    mixed = VectorQuantiser(codes=4, channels=3).train()
    torch.manual_seed(2)
    expected = full(z)
    torch.manual_seed(2)
    with torch.autocast("cpu", torch.bfloat16):
        result = mixed(z)
    assert torch.equal(result.indices, expected.indices)
    assert torch.equal(mixed.codebook, full.codebook)
