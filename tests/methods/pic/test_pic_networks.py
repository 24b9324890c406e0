import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from mdrnets.methods.pic.attention import SelfAttention, ShortLongTermAttention, attend
from mdrnets.methods.pic.networks import Discriminator, Encoder, Gaussian, Generator

FULL = {"reductions": 5, "base": 32, "cap": 128}
TINY = {"reductions": 4, "base": 4, "cap": 8}


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("sizes", "encoder", "generator", "discriminator"),
    [
        (FULL, 3_604_224, 2_374_016, 1_099_554),
        ({"reductions": 4, "base": 32, "cap": 128}, 3_292_544, 1_930_752, 1_263_395 - 475_521),
        ({"reductions": 4, "base": 16, "cap": 64}, 824_512, 488_976, None),
        ({"reductions": 5, "base": 16, "cap": 64}, 902_528, 600_016, None),
    ],
)
def test_parameter_counts(
    sizes: dict[str, int], encoder: int, generator: int, discriminator: int | None
) -> None:
    # Not on the meta device, where spectral normalisation is slow.
    assert _count(Encoder(**sizes, infer_blocks=6)) == encoder
    assert _count(Generator(**sizes)) == generator
    if discriminator is not None:
        assert _count(Discriminator(**sizes)) == discriminator


def test_full_size_shapes() -> None:
    torch.manual_seed(0)
    encoder, generator = Encoder(**FULL, infer_blocks=6), Generator(**FULL)
    with torch.no_grad():
        early, features = encoder(torch.zeros(1, 3, 256, 256))
        x, sizes = torch.zeros(1, 3, 256, 256), []
        for block in encoder.down:
            x = block(x)
            sizes.append(tuple(x.shape[1:3]))
        assert sizes == [(32, 128), (64, 64), (128, 32), (128, 16), (128, 8)]
        assert early.shape == (1, 128, 32, 32)
        assert features.shape == (1, 128, 8, 8)
        prior = encoder.distribution_of_visible(features)
        assert prior.mean.shape == (1, 128, 8, 8)
        images = generator(prior.mean, features, early, torch.ones(1, 1, 256, 256))
        assert [tuple(image.shape[2:]) for image in images] == [(s, s) for s in (32, 64, 128, 256)]
        assert Discriminator(**FULL)(images[-1]).shape == (1, 1, 6, 6)
    assert all(image.isfinite().all() and image.abs().max() <= 1 for image in images)


def test_every_convolution_but_the_queries_is_spectrally_normalised() -> None:
    for network in (Encoder(**TINY, infer_blocks=1), Generator(**TINY), Discriminator(**TINY)):
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                assert is_parametrized(module, "weight") == (not name.endswith("query")), name


def test_deviations_are_positive_and_the_paths_have_heads_of_their_own() -> None:
    torch.manual_seed(0)
    encoder = Encoder(**TINY, infer_blocks=2)
    features = torch.randn(2, 8, 4, 4) * 50
    prior = encoder.distribution_of_visible(features)
    posterior = encoder.distribution_of_hidden(features)
    assert prior.deviation.min() > 0 and posterior.deviation.min() > 0
    assert not torch.equal(prior.mean, posterior.mean)


def test_a_sample_is_mean_plus_deviation_times_noise() -> None:
    gaussian = Gaussian(torch.tensor([1.0]), torch.tensor([2.0]))
    assert gaussian.sample(torch.tensor([3.0])).item() == 7.0


def test_attention_weights_sum_to_one_and_are_uniform_without_queries() -> None:
    torch.manual_seed(0)
    attention = SelfAttention(channels=8)
    x = torch.randn(2, 8, 3, 3)
    weights = attention.weights(x)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 9))
    nn.init.zeros_(attention.query.weight)
    torch.testing.assert_close(attention.weights(x), torch.full((2, 9, 9), 1 / 9))
    with torch.no_grad():
        attention.gamma.fill_(0.5)
    mean = x.mean(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(attention(x), x + 0.5 * mean.expand_as(x))


def test_attend_is_the_weighted_sum_over_positions() -> None:
    weights = torch.zeros(1, 4, 4)
    weights[0, :, 2] = 1  # every position takes from the third
    values = torch.arange(8.0).view(1, 2, 2, 2)
    out = attend(weights, values)
    assert torch.equal(out, values[:, :, 1:, :1].expand(1, 2, 2, 2))


def test_at_initialisation_the_long_term_shows_the_visible_encoding() -> None:
    torch.manual_seed(0)
    attention = ShortLongTermAttention(channels=8)
    x, encoded = torch.randn(1, 8, 4, 4), torch.randn(1, 8, 4, 4)
    valid = (torch.rand(1, 1, 4, 4) > 0.5).float()
    attention.eval()
    expected = attention.merge(torch.cat([x, valid * encoded], dim=1))
    torch.testing.assert_close(attention(x, encoded, valid), expected)
