"""Show which jobs of a profile are done, running, failed or left, and the time left.

Times come from the progress of trainings, from earlier executions, from similar jobs, and from the
plan (`mdrnets plan`); where none of these is known, the time is "unknown".
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from mdrnets.commands.command_line import command_parser

if TYPE_CHECKING:
    from mdrnets.planning.status import JobStatus


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("status", __doc__)
    parser.add_argument("--jobs", action="store_true", help="list every job")
    options = parser.parse_args(arguments)

    from mdrnets.config.load import load_config
    from mdrnets.dag.pipeline import Pipeline
    from mdrnets.files.dvc import check_dvc_files
    from mdrnets.planning.status import job_statuses

    config = load_config(options.profile)
    statuses = job_statuses(Pipeline(config))
    print(f"Profile {config.name}: {_summary(statuses)}\n")
    print(_group_table(statuses))
    if options.jobs:
        print(f"\n{_job_table(statuses)}")
    else:
        for line in _notable(statuses):
            print(line)
    check_dvc_files()
    return 0


def _summary(statuses: "Sequence[JobStatus]") -> str:
    from mdrnets.planning.schedule import critical_path
    from mdrnets.planning.status import remaining_tasks

    done = sum(status.state == "done" for status in statuses)
    counts = f"{done} of {len(statuses)} jobs done"
    if done == len(statuses):
        return counts
    chain = critical_path(remaining_tasks(statuses))
    shortest = f", at least {_duration(chain)} in parallel" if chain else ""
    return f"{counts}; time left, one job after the other: {_time_left(statuses)}{shortest}"


def _group_table(statuses: "Sequence[JobStatus]") -> str:
    from mdrnets.dag.stage import Group
    from mdrnets.files.markdown import format_table
    from mdrnets.planning.status import STATES

    rows = []
    for group in (*get_args(Group), "all"):
        members = [status for status in statuses if group in (status.group, "all")]
        counts = [sum(status.state == state for status in members) for state in STATES]
        rows.append([group, *counts, _time_left(members)])
    return format_table(["group", *STATES, "time left"], rows, labels=1, form="simple")


def _job_table(statuses: "Sequence[JobStatus]") -> str:
    from mdrnets.files.markdown import format_table

    rows = [
        [
            status.name,
            status.state,
            _progress(status),
            _duration(status.seconds) if status.seconds else "",
            "" if status.state == "done" else _duration(status.seconds_left),
        ]
        for status in statuses
    ]
    headers = ["job", "state", "progress", "time so far", "time left"]
    return format_table(headers, rows, form="simple")


def _notable(statuses: "Sequence[JobStatus]") -> Iterator[str]:
    """Running, failed and interrupted jobs by name."""
    for state in ("running", "failed", "interrupted"):
        members = [status for status in statuses if status.state == state]
        if members:
            yield f"\n{state}:"
        for status in members:
            facts = [_progress(status), f"{_duration(status.seconds)} so far"]
            if state == "running":
                facts.append(f"{_duration(status.seconds_left)} left")
            yield f"  {status.name}: {', '.join(filter(None, facts))}"
            if status.error:
                yield f"    {status.error}"


def _progress(status: "JobStatus") -> str:
    if status.progress is None:
        return ""
    step, steps = status.progress.step, status.progress.steps
    return f"step {step:,} of {steps:,} ({step / steps:.0%})"


def _time_left(statuses: "Sequence[JobStatus]") -> str:
    """The sum of what is known, and how many jobs are not."""
    times = [status.seconds_left for status in statuses if status.state != "done"]
    estimates = [time for time in times if time is not None]
    unknown = len(times) - len(estimates)
    if not times:
        return ""
    if not estimates:
        return "unknown"
    return _duration(sum(estimates)) + (f" + {unknown} unknown" if unknown else "")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    for limit, unit, name in ((100, 1, "s"), (6000, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            value = seconds / unit
            return f"{value:.1f} {name}" if name == "h" else f"{value:.0f} {name}"
    return f"{seconds / 86_400:.1f} days"
