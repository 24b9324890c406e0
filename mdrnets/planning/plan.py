"""Plan what a profile costs before it runs: the time, memory and disk of every job.

Counting the operations of the networks takes a minute or two at the paper's size.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from mdrnets.config.load import Config
from mdrnets.config.network_id import NetworkId
from mdrnets.dag.pipeline import Job, Pipeline, record_name
from mdrnets.planning.counting import CostCounter, NetworkCost
from mdrnets.planning.schedule import Task
from mdrnets.planning.sizes import (
    completion_bytes,
    count_images,
    count_steps,
    mean_hole,
    packed_bytes,
)
from mdrnets.planning.speed import (
    COMPLETE,
    Cost,
    Measurement,
    Speed,
    find_device,
    loading_seconds,
    median_utilisation,
)
from mdrnets.tracking.record import Record
from mdrnets.tracking.record_store import RecordStore

logger = logging.getLogger(__name__)

CONTEXT = 2**30
"""Bytes on a GPU that a process needs besides its tensors: context, libraries, workspaces."""
PROCESS = 4 * 2**30
"""Bytes of main memory that a process takes: PyTorch, and the pages of the packed arrays."""
STATES = 3
"""Largest number of saved states of a training: the last two, and the one being written."""


@dataclass(frozen=True)
class Work:
    """A phase of a training, or the completions of a method, on one data set.

    Attributes:
        network: as in the profile, or `METHOD@VARIANT`.
        phase: of the training, or `complete`.
        steps: number of batches.
        macs: multiply-accumulates of a step.
        units: number of GPUs that it occupies or, on a CPU, of cores.
        seconds: of all steps together.
        busy: share of these seconds in which the device computes; the rest it waits for batches.
        source: of `seconds`: `record` (an earlier run of this job), `measured` (on this kind of
            device) or `estimated`.
        gpu_memory: bytes on each GPU.
    """

    network: str
    dataset: str
    phase: str
    steps: int
    batch_size: int
    macs: float
    units: int
    seconds: float
    source: str
    gpu_memory: float
    busy: float = 1.0

    @property
    def unit_seconds(self) -> float:
        """Of all its GPUs or cores together."""
        return self.units * self.seconds


@dataclass(frozen=True)
class PlannedJob:
    """One execution of a stage.

    Attributes:
        needs: names of the jobs whose outputs it reads.
        work: empty for a job that is short compared with the others.
        memory: bytes of main memory.
        output_bytes: on disk.
        temporary_bytes: on disk, while it runs.
    """

    needs: tuple[str, ...] = ()
    work: tuple[Work, ...] = ()
    memory: float = PROCESS
    output_bytes: int = 0
    temporary_bytes: int = 0

    @property
    def seconds(self) -> float:
        return sum(work.seconds for work in self.work)


@dataclass(frozen=True)
class Plan:
    """All jobs of a profile, by name, in an order in which they can run.

    Attributes:
        parameters: number of trained parameters of each network, without variants.
        packed: bytes of the packed arrays, by their content.
        utilisation: share of the device's peak that the estimates assume.
    """

    config: Config
    speed: Speed
    jobs: Mapping[str, PlannedJob]
    parameters: Mapping[str, int]
    packed: Mapping[str, int]
    utilisation: float

    @property
    def work(self) -> list[Work]:
        return [work for job in self.jobs.values() for work in job.work]

    def tasks(self) -> dict[str, Task]:
        """Return the tasks for `schedule`. On a CPU, a core counts as a GPU."""
        return {
            name: Task(job.seconds, max((work.units for work in job.work), default=0), job.needs)
            for name, job in self.jobs.items()
        }


class Planner:
    """Makes the plan of a profile for a device."""

    def __init__(self, config: Config, speed: Speed, *, any_device: bool = True) -> None:
        """Prepare the plan.

        Args:
            config: protocol and profile.
            speed: of the device.
            any_device: whether finished executions count on whatever device they ran; otherwise
                only those on the device of `speed`.
        """
        self.config, self.speed = config, speed
        self._any_device = any_device
        self._pipeline = Pipeline(config)
        layout = self._pipeline.layout
        self._records = RecordStore(layout.records)
        self._images = {
            name: count_images(config, layout, name) for name in config.profile.datasets
        }

    def plan(self) -> Plan:
        jobs: dict[str, PlannedJob] = {}
        makers: dict[str, str] = {}
        for job in self._pipeline.jobs():
            needs = {makers[str(path)] for path in job.inputs if str(path) in makers}
            makers |= {str(path): job.name for path in job.outputs}
            jobs[job.name] = replace(self._cost(job), needs=tuple(sorted(needs)))
        return Plan(
            config=self.config,
            speed=self.speed,
            jobs=jobs,
            parameters={name: cost.parameters for name, cost in self._costs.items()},
            packed=packed_bytes(self.config, self._images),
            utilisation=self._utilisation,
        )

    def _cost(self, job: Job) -> PlannedJob:
        """What a job costs, without the jobs that it needs."""
        program = job.stage.program
        if program == "train":
            return self._training(job)
        if program == "complete" and self.config.network(job.arguments[1]).trained:
            return self._completion(job)
        if program in ("complete", "collect"):
            images = self._images[job.arguments[0]]
            return PlannedJob(output_bytes=completion_bytes(self.config, images))
        return PlannedJob()

    def _training(self, job: Job) -> PlannedJob:
        dataset, network = job.arguments
        cost = self._costs[NetworkId.parse(network).base]
        if not cost.phases:  # published weights
            return PlannedJob(output_bytes=cost.weights)
        steps_here = count_steps(self.config, network, self._images[dataset])
        share = steps_here / sum(phase.steps for phase in cost.phases)
        record = self._record(job)
        ranks = self.config.profile.devices
        work = []
        for phase in cost.phases:
            measured = self._measured(network, phase.name, phase.batch_size)
            steps = round(phase.steps * share)
            computing = self._step_seconds(phase.step, measured, ranks)
            waiting = loading_seconds(
                images=phase.batch_size / ranks,
                image_size=self.config.profile.image_size,
                threads=self.config.profile.training.loader_threads,
                step=computing,
            )
            needed = cost.weights + cost.frozen + 3 * cost.optimised + phase.activations / ranks
            work.append(
                Work(
                    network=network,
                    dataset=dataset,
                    phase=phase.name,
                    steps=steps,
                    batch_size=phase.batch_size,
                    macs=phase.step.macs,
                    units=self._units(ranks),
                    seconds=steps * (computing + waiting),
                    source="measured" if measured else "estimated",
                    gpu_memory=_peak_memory(measured, CONTEXT + needed),
                    busy=computing / (computing + waiting),
                )
            )
        if record is not None:
            scale = record.seconds / sum(w.seconds for w in work)
            work = [replace(w, seconds=w.seconds * scale, source="record") for w in work]
        state = cost.weights + 2 * cost.optimised
        on_cpu = max(w.gpu_memory for w in work) if not job.gpus else 0
        return PlannedJob(
            work=tuple(work),
            memory=_main_memory(record, PROCESS * ranks + state + on_cpu, ranks=ranks),
            output_bytes=cost.weights,
            temporary_bytes=STATES * state,
        )

    def _completion(self, job: Job) -> PlannedJob:
        dataset, network = job.arguments
        cost = self._costs[NetworkId.parse(network).base]
        assert cost.completion is not None  # only methods have completions
        batch = self.config.profile.completion_batch
        record = self._record(job)
        measured = self._measured(network, COMPLETE, batch)
        bins = self.config.protocol.bins.values()
        steps = math.ceil(self._images[dataset].test / batch)  # in each bin
        macs = seconds = 0.0
        for numbers in bins:
            image = cost.completion(mean_hole(numbers))
            step = Cost(macs=batch * image.macs, kernels=image.kernels)
            macs += step.macs / len(bins)
            seconds += steps * self._step_seconds(step, measured, 1)
        source = "record" if record else "measured" if measured else "estimated"
        needed = _peak_memory(measured, CONTEXT + cost.weights + cost.frozen)
        work = Work(
            network=network,
            dataset=dataset,
            phase=COMPLETE,
            steps=steps * len(bins),
            batch_size=batch,
            macs=macs,
            units=self._units(1),
            seconds=record.seconds if record else seconds,
            source=source,
            gpu_memory=needed,
        )
        return PlannedJob(
            work=(work,),
            memory=_main_memory(record, PROCESS + (0 if job.gpus else needed)),
            output_bytes=completion_bytes(self.config, self._images[dataset]),
        )

    @cached_property
    def _costs(self) -> dict[str, NetworkCost]:
        """The cost of every network; a variant is taken to cost as much as the method itself."""
        counter, costs = CostCounter(self.config), {}
        for name in self.config.trained:
            if NetworkId.parse(name).is_plain:
                logger.info("counting the operations of %s", name)
                costs[name] = counter.count(name)
        return costs

    @cached_property
    def _utilisation(self) -> float:
        """The utilisation that measured phases reach, assumed for the others."""
        return median_utilisation(
            self.speed,
            [
                (phase.step, measured)
                for name, cost in self._costs.items()
                for phase in cost.phases
                if (measured := self._measured(name, phase.name, phase.batch_size))
            ],
        )

    def _measured(self, network: str, phase: str, batch: int) -> Measurement | None:
        base = NetworkId.parse(network).base
        return self.speed.find_measurement(
            network=base,
            phase=phase,
            image_size=self.config.profile.image_size,
            batch=batch,
            parameters=self._costs[base].parameters,
        )

    def _step_seconds(self, cost: Cost, measured: Measurement | None, ranks: int) -> float:
        """Seconds of a step. Ranks share the arithmetic of a batch, but each starts all kernels."""
        if measured is not None:
            return 1 / measured.steps_per_second / ranks
        shared = Cost(macs=cost.macs / ranks, kernels=cost.kernels)
        return self.speed.estimate_seconds(shared, utilisation=self._utilisation)

    def _units(self, ranks: int) -> int:
        """The GPUs or cores of a job with this number of processes."""
        return ranks * self.speed.cores

    def _record(self, job: Job) -> Record | None:
        """The record of a finished execution with the same parameters, if there is one."""
        record = self._records.finished(record_name(job.stage, job.wildcards))
        if record is None or record.parameters != job.parameters:
            return None
        gpu = next(iter(record.machine.gpus), "")
        here = find_device(gpu, self.config.profile.device) is self.speed.device
        return record if here or self._any_device else None


def _peak_memory(measured: Measurement | None, estimate: float) -> float:
    """Bytes on each GPU: as measured, if it was measured on a GPU."""
    return (measured and measured.peak_memory_bytes) or estimate


def _main_memory(record: Record | None, estimate: float, *, ranks: int = 1) -> float:
    """Bytes of main memory: as recorded of the largest process, for each rank."""
    return ranks * record.peak_memory if record and record.peak_memory else estimate
