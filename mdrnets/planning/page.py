"""Format a plan as Markdown, and as the resources that jobs request from a cluster."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from mdrnets.config.network_id import NetworkId
from mdrnets.files.markdown import format_table
from mdrnets.layout import Layout
from mdrnets.planning.plan import Plan, Work
from mdrnets.planning.resources import Resources, runtime_minutes
from mdrnets.planning.schedule import critical_path, makespan
from mdrnets.planning.speed import COMPLETE, LOADING_SECONDS

HOUR, GIB, GB = 3600, 2**30, 1e9

TRAINED = ("trained", "phase", "jobs", "steps", "batch", "images seen", "parameters", "GMAC/step")


def page(plan: Plan, gpus: Sequence[int]) -> str:
    """Format a plan as Markdown.

    Args:
        plan: of a profile on a device.
        gpus: numbers of GPUs for which the wall-clock time is given.
    """
    profile, device = plan.config.profile, plan.speed.device
    unit = "GPU" if profile.device == "cuda" else "core"
    trainings = [work for work in plan.work if work.phase != COMPLETE]
    completions = [work for work in plan.work if work.phase == COMPLETE]
    hours = sum(work.unit_seconds for work in plan.work) / HOUR
    tasks = plan.tasks()
    return "\n\n".join(
        [
            f"Profile `{plan.config.name}` on {device.title}, {profile.precision}, "
            f"{profile.image_size}×{profile.image_size}: {_number(hours)} {unit}-hours.",
            format_table(
                (*TRAINED, f"{unit}-hours", "busy", "from", f"GiB/{unit}"),
                [_training_row(plan, works) for works in _group_rows(plan, trainings)],
                labels=1,
            ),
            format_table(
                ("completed by", "jobs", "images", "GMAC/image", f"{unit}-hours", "from"),
                [_completion_row(plan, works) for works in _group_rows(plan, completions)],
                labels=1,
            ),
            format_table(
                ("on disk", "GB"),
                [(what, _number(size / GB)) for what, size in _disk(plan)],
                labels=1,
            ),
            format_table(
                (f"{unit}s", "days", "busy"),
                [
                    (str(n), _number(end / 24 / HOUR), f"{hours * HOUR / n / end:.0%}")
                    for n in gpus
                    if (end := makespan(tasks, n))
                ],
                labels=1,
            ),
            *_notes(plan, unit),
        ]
    )


def cluster_resources(plan: Plan) -> Resources:
    """Return what each job requests from a cluster."""
    return {
        name: {
            "runtime": runtime_minutes(job.seconds),
            "mem_mb": math.ceil(job.memory / 1e6),
            "disk_mb": math.ceil((job.output_bytes + job.temporary_bytes) / 1e6),
        }
        for name, job in plan.jobs.items()
        if job.work
    }


def _group_rows(plan: Plan, works: list[Work]) -> Iterator[list[Work]]:
    """Group work to rows: one phase in all trainings of a method, or in those of its variants."""

    def key(work: Work) -> tuple[int, bool, str]:
        network = NetworkId.parse(work.network)
        base, variant = network.base, network.variant
        return order.index(base), bool(variant), work.phase

    order = list(plan.parameters)
    phases = list(dict.fromkeys(work.phase for work in works))
    ordered = sorted(works, key=lambda work: (*key(work)[:2], phases.index(work.phase)))
    for _, group in groupby(ordered, key=key):
        yield list(group)


def _training_row(plan: Plan, works: list[Work]) -> tuple[str, ...]:
    first = works[0]
    return (
        _title(plan, works),
        first.phase,
        str(len(works)),
        _span([work.steps for work in works]),
        str(first.batch_size),
        f"{sum(work.steps * work.batch_size for work in works):,}",
        f"{plan.parameters[NetworkId.parse(first.network).base] / 1e6:.1f} M",
        _number(first.macs / 1e9),
        _hours(works),
        f"{min(work.busy for work in works):.0%}",
        _sources(works),
        f"{max(work.gpu_memory for work in works) / GIB:.1f}",
    )


def _completion_row(plan: Plan, works: list[Work]) -> tuple[str, ...]:
    first = works[0]
    return (
        _title(plan, works),
        str(len(works)),
        f"{sum(work.steps * work.batch_size for work in works):,}",
        _number(first.macs / first.batch_size / 1e9),
        _hours(works),
        _sources(works),
    )


def _title(plan: Plan, works: list[Work]) -> str:
    variants = {NetworkId.parse(work.network).variant for work in works} - {""}
    title = plan.config.network(NetworkId.parse(works[0].network).base).title
    return f"{title}, {len(variants)} variants" if variants else title


def _span(values: list[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _hours(works: list[Work]) -> str:
    return _number(sum(work.unit_seconds for work in works) / HOUR)


def _sources(works: list[Work]) -> str:
    return ", ".join(sorted({work.source for work in works}))


def _disk(plan: Plan) -> Iterator[tuple[str, int]]:
    profile = plan.config.profile
    downloads = {
        source.file_name: source.bytes for source in profile.sources.values() if source.url
    }
    unknown = [name for name, size in downloads.items() if size is None]
    known = sum(size for size in downloads.values() if size is not None)
    yield (
        "downloads" + (f", without {', '.join(unknown)}" if unknown else ""),
        known,
    )
    yield from plan.packed.items()
    jobs = plan.jobs.items()
    yield "models", sum(job.output_bytes for name, job in jobs if name.startswith("train"))
    completing = ("complete", "collect")
    yield "completions", sum(job.output_bytes for name, job in jobs if name.startswith(completing))
    yield "states of the largest unfinished training", max(job.temporary_bytes for _, job in jobs)


def _notes(plan: Plan, unit: str) -> Iterator[str]:
    profile, device = plan.config.profile, plan.speed.device
    over = [
        f"{work.network} ({work.phase})"
        for work in plan.work
        if work.gpu_memory > device.memory and "@" not in work.network
    ]
    if over:
        yield (
            f"Does not fit into the memory of one {unit}: {', '.join(dict.fromkeys(over))}; share "
            "the batch among several, or reduce it."
        )
    days = critical_path(plan.tasks()) / 24 / HOUR
    yield f"With any number of {unit}s, the longest chain of jobs takes {_number(days)} days."
    threads = profile.training.loader_threads
    ahead = f"ahead in {threads} threads" if threads else "between two steps"
    batch = 1e3 * LOADING_SECONDS * profile.image_size**2
    yield (
        f"Busy: the share of a phase in which the {unit} computes. The rest it waits for batches, "
        f"which are prepared {ahead}, in {_number(batch)} ms of a core per image."
    )
    yield (
        "Estimated: multiply-accumulates of convolutions and matrix products, forward and backward,"
        f" at {plan.utilisation:.0%} of the device's peak, or a pause of "
        f"{1e6 * device.kernel_seconds:.0f} µs per kernel, whichever is longer. Memory: weights, "
        "gradients, Adam, and what the backward pass saves. A variant is taken to cost as much as "
        "the method itself. Data stages, scores and figures take minutes to hours on CPUs and are "
        "left out. So are, on disk, images that are downloaded one by one, and the verified copies "
        f"in {Layout(plan.config.name).raw('*').parent}."
    )


def _number(value: float) -> str:
    """Three significant digits, and more only above a thousand."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
