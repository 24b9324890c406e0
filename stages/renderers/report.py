"""The page that holds everything: index.html, in one file that loads nothing.

It also shows the records of this machine as they are now, which are no declared inputs: results
that came from elsewhere have none.
"""

from mdrnets.dag.pipeline import Pipeline
from mdrnets.execution.command import StageRun
from mdrnets.files import write_text
from mdrnets.reporting.page.page import page
from mdrnets.reporting.page.pictures import comparisons
from mdrnets.tracking.provenance import git_state
from stages.renderers.pictures import completed_sets, method_titles
from stages.renderers.tables import read_summaries


def render(run: StageRun) -> None:
    config, methods = run.config, method_titles(run)
    bins = config.protocol.bins
    text = page(
        Pipeline(config),
        summaries=read_summaries(run, config.profile.datasets, methods),
        git=git_state(config.name),
        comparisons=comparisons(
            completed_sets(run, methods),
            methods=methods,
            of_bin=max(bins, key=lambda name: max(bins[name])),
            seed=config.protocol.seed,
        ),
    )
    write_text(run.layout.report("index.html"), text)
