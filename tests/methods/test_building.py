from pathlib import Path

import pytest
import torch

from mdrnets.config.load import Config, load_config
from mdrnets.errors import UserError
from mdrnets.methods import building
from mdrnets.methods.base import BuildContext
from mdrnets.methods.building import build_each, build_network, load_network, resolved_options
from mdrnets.networks.features import PerceptualFeatures
from tests.helpers import toy
from tests.helpers.project import LAYOUT, ROOT, SIZE, write_configuration
from tests.helpers.toy import Options, Toy
from tests.helpers.trained_toys import save_toy


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    write_configuration(tmp_path)
    return load_config()


def _place(key: str) -> str:
    """A pattern of the place of an option of `base` in the toys' profile."""
    lines = Path("profiles/tiny.yaml").read_text(encoding="utf-8").splitlines()
    line = next((at for at, text in enumerate(lines, 1) if text.strip().startswith(f"{key}:")), 0)
    return rf"profiles/tiny\.yaml:{line or r'[0-9]+'}: networks\.base\.{key}"


# -- options and modules -----------------------------------------------------------------------


def test_options_are_the_profiles_over_the_modules_defaults(config: Config) -> None:
    options = resolved_options(config, "base", images=7)
    assert options == Options(steps=4, batch_size=2, width=3, lr=1e-3)


def test_epochs_become_steps_of_the_images_at_hand(tmp_path: Path, config: Config) -> None:
    write_configuration(tmp_path, networks={"base": {"epochs": 3, "batch_size": 2}})
    options = resolved_options(load_config(), "base", images=7)
    assert options == Options(steps=11, batch_size=2)  # 3 · 7 / 2, the last one begun


def test_epochs_use_the_modules_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    options = resolved_options(load_config("paper"), "mdrnets", images=28_000)
    assert options.model_dump()["steps"] == 45 * 28_000 / 8  # the paper's


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"epochs": 0, "batch_size": 2}, "epochs"),
        ({"epochs": "1", "batch_size": 2}, "epochs"),
        ({"epochs": 1e308, "batch_size": 2}, "epochs"),
        ({"epochs": 1, "steps": 1, "batch_size": 2}, "epochs"),
        ({"epochs": 1, "batch_size": 0}, "batch_size"),
    ],
)
def test_epochs_that_cannot_be_steps_are_refused(
    tmp_path: Path, config: Config, options: dict[str, object], key: str
) -> None:
    write_configuration(tmp_path, networks={"base": options})
    with pytest.raises(UserError, match=rf"^{_place(key)}: "):
        resolved_options(load_config(), "base", images=7)


def test_epochs_of_phases_with_different_batches_are_refused(
    tmp_path: Path, config: Config
) -> None:
    ict = {"base": "mdrnets.methods.ict.method"}
    write_configuration(tmp_path, networks={"base": {"epochs": 1}}, modules=ict)
    with pytest.raises(UserError, match=rf"^{_place('epochs')}: .*`steps`"):
        resolved_options(load_config(), "base", images=7)


@pytest.mark.parametrize("profile", sorted(path.stem for path in ROOT.glob("profiles/*.yaml")))
def test_every_profile_of_the_project_passes_the_check(
    monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    monkeypatch.chdir(ROOT)
    list(build_each(load_config(profile)))


def test_the_check_builds_each_network_on_its_parts_and_trains_none(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: list[BuildContext] = []

    def build(*, options: Options, context: BuildContext) -> Toy:
        settings.append(context)
        return Toy(options)

    monkeypatch.setattr(toy, "build", build)
    list(build_each(config))  # without any file of a trained network
    assert [list(context.frozen) for context in settings] == [[], ["base"]]


def test_the_check_reports_errors_of_the_network_itself(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*, options: Options, context: BuildContext) -> Toy:
        raise UserError(f"toy: {context.image_size} pixels are too few")

    monkeypatch.setattr(toy, "build", build)
    with pytest.raises(UserError, match="toy: 32 pixels are too few"):
        list(build_each(config))


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"steps": 4, "batch_size": 2, "depth": 3}, "depth"),
        ({"steps": 4, "batch_size": 0}, "batch_size"),
        ({"steps": 4, "lr": "fast"}, "lr"),
    ],
)
def test_a_bad_option_is_named_with_file_line_and_key(
    tmp_path: Path, config: Config, options: dict[str, object], key: str
) -> None:
    write_configuration(tmp_path, networks={"base": options})
    with pytest.raises(UserError, match=rf"(^|; ){_place(key)}: "):
        list(build_each(load_config()))


@pytest.mark.parametrize("key", ["width", "image_size"])
def test_an_option_that_does_not_fit_is_named_with_its_line(
    config: Config, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    def build(*, options: Options, context: BuildContext) -> Toy:
        raise UserError(f"{key}: too small")

    monkeypatch.setattr(toy, "build", build)
    place = _place(key).replace(r"networks\.base\.image_size", "image_size")
    with pytest.raises(UserError, match=rf"^{place}: too small"):
        list(build_each(config))


def test_a_bad_option_of_a_variant_is_named_where_it_is_written(
    configs: Path,
) -> None:
    path = Path("params.yaml")
    text = path.read_text(encoding="utf-8")
    line = text[: text.index("without_mrem:")].count("\n") + 1
    old = text.splitlines()[line + 1]
    path.write_text(text.replace(old, "    options: {wideness: 3}", 1), encoding="utf-8")
    place = rf"^params\.yaml:{line + 2}: variants\.without_mrem\.options\.wideness: "
    with pytest.raises(UserError, match=place):
        resolved_options(load_config("smoke"), "mdrnets@without_mrem", images=1)
    with pytest.raises(UserError, match=r"^profiles/smoke\.yaml:\d+: networks\.mdrnets\.epochs: "):
        profile = Path("profiles/smoke.yaml")
        old = profile.read_text(encoding="utf-8")
        profile.write_text(old.replace("style_channels: 8", "style_channels: 8, epochs: 0"))
        resolved_options(load_config("smoke"), "mdrnets@without_mrem", images=1)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("mdrnets.methods.nothing", ""),
        ("nothing.at.all", ""),
        ("mdrnets.errors", ".*`Options`"),
        ("without_build", ".*`build`"),
        ("needs_more", ".*not_installed_here"),
    ],
)
def test_an_unusable_module_is_refused(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch, module: str, message: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "without_build.py").write_text("Options = None\n")
    (tmp_path / "needs_more.py").write_text("import not_installed_here\n")
    write_configuration(tmp_path, modules={"toy": module})
    with pytest.raises(UserError, match=rf"params\.yaml: toy\.module: {module}: {message}"):
        list(build_each(load_config()))


# -- untrained networks ------------------------------------------------------------------------


def test_initial_weights_depend_only_on_seed_dataset_and_network(config: Config) -> None:
    def weights(network: str, dataset: str) -> torch.Tensor:
        built = build_network(config, LAYOUT, network=network, dataset=dataset)
        assert isinstance(built, Toy)
        return built.critic.weight

    torch.manual_seed(1)
    first = weights("base", "one")
    torch.manual_seed(2)
    assert torch.equal(weights("base", "one"), first)
    assert not torch.equal(weights("base", "two"), first)
    save_toy("one", "base")
    assert not torch.equal(weights("toy", "one"), first)


def test_what_a_network_is_built_on(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    base = save_toy("one", "base")
    settings: list[BuildContext] = []
    features = PerceptualFeatures()
    asked: list[tuple[str, str, Path]] = []

    def build(*, options: Options, context: BuildContext) -> Toy:
        settings.append(context)
        return Toy(options)

    def build_features(name: str, *, perceptual: str, weights: Path) -> PerceptualFeatures:
        asked.append((name, perceptual, weights))
        return features

    monkeypatch.setattr(toy, "build", build)
    monkeypatch.setattr(building, "build_features", build_features)
    # The base is trained on the first data set and also used for the second.
    build_network(config, LAYOUT, network="toy", dataset="two")

    context = settings[-1]
    assert context.image_size == SIZE
    assert context.features("vgg19") is features
    assert asked == [("vgg19", "effnet-lite0", LAYOUT.weights("vgg19"))]
    frozen = context.frozen["base"]
    assert isinstance(frozen, Toy)
    assert torch.equal(frozen.decoder.weight, base.decoder.weight)
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    assert not frozen.train().training


# -- trained networks --------------------------------------------------------------------------


def test_a_trained_network_has_the_options_that_it_was_trained_with(
    tmp_path: Path, config: Config
) -> None:
    save_toy("one", "base", width=3)
    write_configuration(tmp_path, networks={"base": {"steps": 9, "width": 7}})
    loaded = load_network(load_config(), LAYOUT, network="base", dataset="one")
    assert isinstance(loaded, Toy)
    assert loaded.options.width == 3


def test_a_trained_method_is_loaded_with_the_components_for_inference(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_toy("two", "toy")
    with pytest.raises(UserError, match=r"models/one/base\.json: "):
        load_network(config, LAYOUT, network="toy", dataset="two")
    save_toy("one", "base")
    load_network(config, LAYOUT, network="toy", dataset="two")


def test_a_trained_network_needs_no_feature_weights(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*, options: Options, context: BuildContext) -> Toy:
        built = Toy(options)
        built.register_frozen("features", context.features("vgg16"))
        return built

    monkeypatch.setattr(toy, "build", build)
    monkeypatch.delattr(building, "build_features")
    save_toy("one", "base")
    load_network(config, LAYOUT, network="base", dataset="one")


def test_another_image_size_is_refused(config: Config) -> None:
    save_toy("one", "base", image_size=64)
    with pytest.raises(UserError, match=r"base\.json: .* 64 .* 32"):
        load_network(config, LAYOUT, network="base", dataset="one")
