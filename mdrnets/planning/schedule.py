"""Estimate when a workflow ends on a number of GPUs.

List scheduling: a job starts as soon as its inputs and GPUs are available; of several such jobs,
the one with the longest path to the end starts first. Snakemake does not know durations and orders
jobs by priorities, so this is an estimate.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One job.

    Attributes:
        seconds: its duration.
        gpus: number of GPUs that it occupies; a job without any starts at once.
        needs: names of the jobs whose outputs it reads.
    """

    seconds: float
    gpus: int
    needs: Sequence[str]


def makespan(tasks: Mapping[str, Task], gpus: int) -> float:
    """Return the seconds until the last job ends.

    Args:
        tasks: by name, each after those that it needs.
        gpus: number of GPUs; a job that needs more gets all of them.
    """
    left = _longest_path_to_sink(tasks)
    waiting = {name: len(task.needs) for name, task in tasks.items()}
    followers: dict[str, list[str]] = {name: [] for name in tasks}
    for name, task in tasks.items():
        for need in task.needs:
            followers[need].append(name)

    ready = [(-left[name], name) for name, count in waiting.items() if not count]
    heapq.heapify(ready)
    running: list[tuple[float, str, int]] = []
    now, free = 0.0, gpus
    while ready or running:
        blocked = []
        while ready:
            entry = heapq.heappop(ready)
            gpus_needed = min(tasks[entry[1]].gpus, gpus)
            if gpus_needed > free:
                blocked.append(entry)
                continue
            free -= gpus_needed
            heapq.heappush(running, (now + tasks[entry[1]].seconds, entry[1], gpus_needed))
        ready = blocked  # in order, and so a heap
        now, ended, released = heapq.heappop(running)
        free += released
        for name in followers[ended]:
            waiting[name] -= 1
            if not waiting[name]:
                heapq.heappush(ready, (-left[name], name))
    return now


def critical_path(tasks: Mapping[str, Task]) -> float:
    """Return the seconds that the longest chain of jobs takes: the least for any number of GPUs."""
    return max(_longest_path_to_sink(tasks).values(), default=0.0)


def _longest_path_to_sink(tasks: Mapping[str, Task]) -> dict[str, float]:
    """Seconds from the start of each job to the end of the last that waits for it."""
    left = {name: task.seconds for name, task in tasks.items()}
    for name, task in reversed(list(tasks.items())):
        for need in task.needs:
            left[need] = max(left[need], tasks[need].seconds + left[name])
    return left
