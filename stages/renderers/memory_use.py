"""How the memory is used: memory_use.png and .pdf."""

from mdrnets.data.classes import CLASSES
from mdrnets.evaluation.memory_use import load_memory_use
from mdrnets.execution.command import StageRun
from mdrnets.reporting.figures import memory_use
from stages.renderers.pictures import inspected, save_figure


def render(run: StageRun) -> None:
    layout, method = run.layout, inspected(run)
    memories = []
    for name, dataset in run.config.profile.datasets.items():
        use = load_memory_use(layout.memory_use(name, method))
        training = memory_use.read_slots_used(layout.history(name, method))
        memories.append(memory_use.UsedMemory(dataset.title, use.chosen, use.entropy, training))
    title = run.config.network(method).title
    profile = run.config.name
    save_figure(run, memory_use.draw(memories, classes=CLASSES, method=title, profile=profile))
