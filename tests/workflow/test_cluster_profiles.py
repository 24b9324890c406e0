"""What can be said of the cluster profiles without a cluster. test_slurm.py has one."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tests.workflow.conftest import Copy

PROFILES = Path(__file__).parents[2] / "workflow/profiles"
CLUSTERS = ("slurm", "kubernetes")
SHARED = ("rerun-incomplete", "show-failed-logs", "printshellcmds", "max-checksum-file-size")


def _read(profile: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((PROFILES / profile / "config.yaml").read_text())
    return values


@pytest.mark.parametrize("profile", CLUSTERS)
def test_a_cluster_profile_keeps_what_the_default_one_sets(profile: str) -> None:
    default, cluster = _read("default"), _read(profile)
    assert {key: cluster[key] for key in SHARED} == {key: default[key] for key in SHARED}


@pytest.mark.parametrize("profile", CLUSTERS)
def test_snakemake_and_its_plugin_know_every_key(project_copy: Copy, profile: str) -> None:
    code = (
        "import json, sys; from snakemake.cli import parse_args\n"
        "_, args = parse_args(['--workflow-profile', sys.argv[1]])\n"
        "print(json.dumps([args.executor, args.jobs, args.retries]))"
    )
    done = project_copy.run(sys.executable, "-c", code, f"workflow/profiles/{profile}")
    assert json.loads(done.stdout.splitlines()[-1]) == [profile, 100, 5]


@pytest.mark.parametrize(
    ("profile", "job", "model"),
    [
        ("smoke", "train_recon rendered_a", "rendered_a/recon"),
        # Not the first of its rule, as if another method had been added since.
        ("demo", "train deepfillv2 rendered_b", "rendered_b/deepfillv2"),
    ],
)
def test_a_job_asks_for_what_the_plan_says(
    project_copy: Copy, tmp_path: Path, profile: str, job: str, model: str
) -> None:
    copy = project_copy.clone(tmp_path / "planned")
    plan = copy.root / f"runs/{profile}/plan.json"
    plan.parent.mkdir(parents=True)
    plan.write_text(json.dumps({job: {"runtime": 77, "mem_mb": 1234}}))
    target = f"runs/{profile}/models/{model}.safetensors"
    output = copy.snakemake("--dry-run", "--config", f"profile={profile}", "--", target).stdout
    (resources,) = [line for line in output.splitlines() if "runtime=" in line]
    assert "runtime=77" in resources
    assert "mem_mb=1234" in resources


def test_a_plan_that_lacks_a_job_stops_no_local_run(project_copy: Copy, tmp_path: Path) -> None:
    copy = project_copy.clone(tmp_path / "planned")
    plan = copy.root / "runs/demo/plan.json"
    plan.parent.mkdir(parents=True)
    plan.write_text(json.dumps({"train pconv rendered_a": {"runtime": 77}}))
    model = "runs/demo/models/rendered_a/ctsdg.safetensors"
    assert "train" in copy.snakemake("--dry-run", "--config", "profile=demo", "--", model).stdout


def test_a_pod_is_limited_to_the_gpus_and_memory_that_it_asks_for() -> None:
    """As the plugin writes the manifest, from what rule, plan and profile give a job."""
    kubernetes = pytest.importorskip("snakemake_executor_plugin_kubernetes")
    profile = _read("kubernetes")
    made: list[Any] = []
    executor = object.__new__(kubernetes.Executor)
    vars(executor).update(
        batchapi=SimpleNamespace(create_namespaced_job=lambda namespace, body: made.append(body)),
        container_image="image",
        format_job_exec=lambda job: "snakemake",
        k8s_cpu_scalar=0.95,
        k8s_service_account_name=None,
        logger=SimpleNamespace(debug=lambda text: None, info=lambda text: None),
        namespace="default",
        persistent_volumes=kubernetes.parse_persistent_volumes(
            [profile["kubernetes-persistent-volumes"]]
        ),
        privileged=False,
        report_job_submission=lambda job: None,
        run_namespace="run",
        secret_envvars={},
        _kubernetes_retry=lambda call: call(),
    )
    defaults = profile["default-resources"] | {"gpu_manufacturer": "nvidia"}
    resources = defaults | {"gpu": 2, "mem_mb": 1234, "_cores": 4}
    job = SimpleNamespace(resources=resources, jobid=1, attempt=1, is_containerized=False)
    executor.run_job(job)

    pod = made[0].spec.template.spec
    request = pod.containers[0].resources
    assert request.requests["nvidia.com/gpu"] == request.limits["nvidia.com/gpu"] == "2"
    assert request.requests["memory"] == request.limits["memory"] == "1234M"
    assert [(mount.name, mount.mount_path) for mount in pod.containers[0].volume_mounts] == [
        ("workdir", "/workdir"),
        ("mdrnets", "/mdrnets"),
    ]
