from pathlib import Path

import pytest

from mdrnets.config.load import load_config
from mdrnets.config.profile_files import PROFILES
from mdrnets.dag.pipeline import Pipeline
from mdrnets.errors import UserError
from mdrnets.layout import Layout
from tests.helpers.project import edit_yaml

NAMES = sorted(path.stem for path in PROFILES.glob("*.yaml"))


@pytest.fixture(params=NAMES)
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    return Pipeline(load_config(request.param))


def test_every_input_is_made_before_it_is_needed(pipeline: Pipeline) -> None:
    outputs: set[Path] = set()
    for job in pipeline.jobs():
        for path in job.inputs:
            assert path in outputs or path.exists() or path.parts[0] == "data", (job.name, path)
        outputs.update(job.outputs)


def test_no_wildcard_and_no_missing_parameter_is_left(pipeline: Pipeline) -> None:
    for job in pipeline.jobs():
        texts = [job.command, *map(str, (*job.inputs, *job.outputs))]
        assert not any("{" in text for text in texts)
        for key, value in job.parameters.items():
            optional = key.endswith(".labels")
            assert value is not None or optional, (job.name, key)


def test_every_stage_depends_on_its_own_program(pipeline: Pipeline) -> None:
    for job in pipeline.jobs():
        assert Path("stages", f"{job.stage.program}.py") in job.code


def test_an_execution_is_found_by_its_arguments() -> None:
    pipeline = Pipeline(load_config("demo"))
    result = pipeline.find("train", ["rendered_b", "pconv"])
    assert result.command == "python -m stages.train --profile demo rendered_b pconv"
    assert Path("runs/demo/models/rendered_b/pconv.safetensors") in result.outputs
    assert result.parameters["network:options"]["batch_size"] > 0


def test_the_order_of_wildcards_does_not_change_a_job(pipeline: Pipeline) -> None:
    for job in pipeline.jobs():
        other = pipeline.job(job.stage, dict(reversed(job.wildcards.items())))
        assert (other.name, other.path, other.digest) == (job.name, job.path, job.digest)


def test_a_stage_takes_the_gpus_that_it_reads_of() -> None:
    config = load_config("demo")
    on_gpus = config.profile.model_copy(update={"device": "cuda", "devices": 2})
    pipeline = Pipeline(config.model_copy(update={"profile": on_gpus}))
    gpus = {stage.program: pipeline.gpus(stage) for stage in pipeline.stages.values()}
    assert gpus["train"] == 2
    assert {gpus[name] for name in ("complete", "validate", "features", "evaluate")} == {1}
    assert {gpus[name] for name in ("download", "pack", "masks", "render")} == {0}

    on_cpu = Pipeline(config)
    assert not any(on_cpu.gpus(stage) for stage in on_cpu.stages.values())


@pytest.mark.parametrize(
    "job", ["train rendered_b nothing", "render nothing", "pack images", "pack holes rendered_a"]
)
def test_what_is_not_in_the_profile_is_refused(job: str) -> None:
    program, *arguments = job.split()
    with pytest.raises(UserError, match=rf"profiles/demo\.yaml.*{job}"):
        Pipeline(load_config("demo")).find(program, arguments)


def test_a_part_trained_once_serves_all_data_sets() -> None:
    pipeline = Pipeline(load_config("demo"))
    (parser,) = pipeline.stages["train_parser"].matrix["dataset"]
    inputs = pipeline.find("train", ["rendered_b", "mdrnets"]).inputs
    assert pipeline.layout.model(parser, "parser") in inputs
    assert pipeline.layout.model("rendered_b", "recon") in inputs


def test_variants_are_trained_on_the_first_data_set_and_share_the_full_method() -> None:
    pipeline = Pipeline(load_config("smoke"))
    stage = pipeline.stages["train_variant"]
    result = pipeline.find("train", ["rendered_a", "mdrnets@without_mrem"])
    assert stage.matrix == {"variant": ("without_mrem",), "dataset": ("rendered_a",)}
    assert result.parameters["network:options"]["mrem"] is False
    assert result.parameters["network:options"]["steps"] > 0
    summaries = pipeline.find("render", ["table2"]).inputs
    assert pipeline.layout.summary("rendered_a", "mdrnets@without_mrem") in summaries
    assert pipeline.layout.summary("rendered_a", "mdrnets") in summaries


def test_what_is_inspected_is_a_memory_and_the_parser_where_there_are_labels() -> None:
    pipeline = Pipeline(load_config("demo"))
    datasets = tuple(pipeline.config.profile.datasets)
    assert pipeline.stages["inspect_memory"].matrix == {"dataset": datasets}
    assert pipeline.stages["inspect_parsing"].matrix == {"dataset": datasets[:1]}
    inputs = pipeline.find("inspect_parsing", ["rendered_a", "mdrnets"]).inputs
    assert pipeline.layout.labels("rendered_a") in inputs
    inputs = pipeline.find("inspect_memory", ["rendered_b", "mdrnets"]).inputs
    assert pipeline.layout.model("rendered_b", "mdrnets") in inputs
    assert pipeline.layout.model("rendered_a", "parser") in inputs
    assert {"memory_use", "memory_slots", "parser_quality"} <= set(pipeline.stages)


def test_without_a_memory_nothing_is_inspected(configs: Path) -> None:
    with edit_yaml("profiles/demo.yaml") as profile:
        profile |= {"methods": ["pconv"], "variants": []}
    stages = Pipeline(load_config("demo")).stages
    assert "figure5" in stages
    inspecting = ("inspect", "memory", "parser", "figure6")
    assert not [name for name in stages if name.startswith(inspecting)]


def test_a_figure_of_variants_shows_those_that_run_on_the_first_data_set() -> None:
    pipeline = Pipeline(load_config("smoke"))
    inputs = pipeline.stages["figure6a"].inputs
    completions = [path for path in inputs if "completions" in path.parts]
    assert completions == [
        pipeline.layout.completions("rendered_a", name)
        for name in ("mdrnets@without_mrem", "mdrnets")
    ]
    assert "figure6b" not in pipeline.stages  # of which the profile runs no variant


def test_a_training_depends_on_its_own_method_alone() -> None:
    pipeline = Pipeline(load_config("demo"))
    code = pipeline.find("train", ["rendered_a", "pconv"]).code
    assert Path("mdrnets/methods/pconv.py") in code
    assert Path("mdrnets/methods/deepfillv2.py") not in code
    assert not any("reporting" in path.parts for path in code)


def test_published_weights_reach_what_reads_them() -> None:
    config = load_config("paper")
    layout = Layout("paper")
    pipeline = Pipeline(config)
    for program, arguments, networks in (
        ("features", ["ffhq"], ["inception_v3"]),
        ("evaluate", ["celebahq", "pic"], ["inception_v3"]),
        ("train", ["celebahq", "coarse"], ["vgg16", "vgg19"]),
        ("train", ["celebahq", "parser"], []),
        ("complete", ["celebahq", "pic"], []),
    ):
        inputs = pipeline.find(program, arguments).inputs
        assert [p for p in inputs if p.suffix == ".pth"] == [layout.weights(n) for n in networks]


def test_the_ground_truths_features_are_computed_once_for_all_methods() -> None:
    pipeline = Pipeline(load_config("demo"))
    layout = Layout("demo")
    truth = layout.true_features("rendered_a")
    assert sum(truth in job.outputs for job in pipeline.jobs()) == 1
    for method in pipeline.config.profile.methods:
        assert truth in pipeline.find("evaluate", ["rendered_a", method]).inputs


def test_data_outside_of_the_project_are_part_of_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDRNETS_DATA", str(tmp_path))

    def digests() -> dict[str, object]:
        return {job.name: job.digest for job in Pipeline(load_config("real64")).jobs()}

    before = digests()
    (tmp_path / "faces_ffhq_256.zip").write_bytes(b"new")
    after = digests()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"download_external ffhq_faces"}


def test_external_completions_of_each_data_set_are_parameters(
    configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPLETIONS", str(configs / "mine"))
    lama = {"title": "LaMa", "completions": "$COMPLETIONS/{dataset}"}
    with edit_yaml("params.yaml") as params, edit_yaml("profiles/demo.yaml") as profile:
        params["methods"]["lama"] = lama
        profile |= {"methods": ["lama"], "variants": []}

    def parameters() -> dict[str, object]:
        return {job.name: job.parameters for job in Pipeline(load_config("demo")).jobs()}

    before = parameters()
    (configs / "mine/rendered_b/1-20").mkdir(parents=True)
    (configs / "mine/rendered_b/1-20/1.png").touch()
    after = parameters()
    assert {name for name in before if before[name] != after[name]} == {"collect_lama rendered_b"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("profiles/smoke.yaml", "rendered_a:", "holes:"),
        ("params.yaml", "pconv", "ground_truth"),
        ("params.yaml", "pconv", "mdrnets_raw"),
        ("params.yaml", "table2", "claims"),
        ("params.yaml", "table2", "table1_extended"),
        ("params.yaml", "table2", "code"),
        ("params.yaml", "table2", "reproduce_all"),
    ],
)
def test_names_whose_files_or_stages_collide_are_refused(
    configs: Path, file: str, old: str, new: str
) -> None:
    text = Path(file).read_text(encoding="utf-8")
    assert f"  {old}" in text
    Path(file).write_text(text.replace(f"  {old}", f"  {new}", 1), encoding="utf-8")
    profile = Path("profiles/smoke.yaml")
    networks = profile.read_text(encoding="utf-8").replace(
        "methods: [mdrnets]",
        f"methods: [mdrnets, {new}]" if old == "pconv" else "methods: [mdrnets]",
    )
    profile.write_text(networks + f"  {new}: {{steps: 4}}\n" * (old == "pconv"), encoding="utf-8")
    with pytest.raises(UserError, match="rename"):
        Pipeline(load_config("smoke"))


def test_a_data_set_named_like_the_labels_of_another_is_refused(configs: Path) -> None:
    path = Path("profiles/demo.yaml")
    text = path.read_text(encoding="utf-8").replace("  rendered_b:", "  rendered_a_labels:")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"packed/rendered_a_labels\.npy"):
        Pipeline(load_config("demo"))
