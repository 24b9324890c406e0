"""What the slots of the memory look like: memory_slots.png and .pdf."""

import numpy as np

from mdrnets.data.classes import CLASSES
from mdrnets.evaluation.memory_use import load_memory_use
from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures import memory_slots
from stages.renderers.pictures import inspected, save_figure


def render(run: StageRun) -> None:
    layout, method = run.layout, inspected(run)
    memories = [
        memory_slots.ShownMemory(
            dataset.title,
            load_memory_use(layout.memory_use(name, method)),
            np.load(layout.images(name), mmap_mode="r"),
        )
        for name, dataset in run.config.profile.datasets.items()
    ]
    title = run.config.network(method).title
    profile = run.config.name
    save_figure(run, memory_slots.draw(memories, classes=CLASSES, method=title, profile=profile))
