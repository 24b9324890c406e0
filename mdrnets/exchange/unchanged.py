"""Whether the files of a run are still those that its executions read and wrote."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mdrnets.dag.pipeline import snakemake_command
from mdrnets.errors import UserError
from mdrnets.files import sha256
from mdrnets.tracking.dvc_lock import DvcLock
from mdrnets.tracking.executions import Execution, changed_error


def require_unchanged(finished: Sequence[Execution]) -> None:
    """Refuse files that differ from those that the executions read and wrote.

    An input that had been changed may differ from its job's output if an execution took it so.

    Raises:
        UserError: a file has changed since.
    """
    makers = {name: e for e in finished for name in e.record.outputs}
    taken = {(n, e.record.inputs[n].sha256) for e in finished for n in e.record.taken_inputs}
    digest_once = cache(sha256)  # many executions read the same file
    lock = DvcLock()
    for execution in finished:
        record = execution.record
        for name, file_hash in (record.code | record.inputs | record.outputs).items():
            if not Path(name).is_file():
                continue
            digest = digest_once(Path(name))
            maker = makers.get(name)
            if digest == file_hash.sha256 or (maker is execution and (name, digest) in taken):
                continue
            again = snakemake_command(record.profile, "reproduce_all")
            if maker is None or maker.record.outputs[name].sha256 == digest:
                raise UserError(
                    f"{name}: it has changed since {record.command!r} ran; to bring the run up to "
                    f"date, run `{again}`"
                )
            if not lock.describes(name):
                raise changed_error(Path(name), maker)
            raise UserError(
                f"{name}: DVC restored it, but the record of job `{maker.job.name}` describes "
                "another file; run `make restore` to unpack the right record, or make the file "
                f"again (`rm {name} && {again}`)"
            )
