import errno
from collections.abc import Callable

import pytest

from mdrnets.errors import UserError
from mdrnets.execution.program import exit_code


def _raising(error: BaseException) -> Callable[[], int]:
    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize("code", [0, 1])
def test_a_program_chooses_its_exit_code(code: int) -> None:
    assert exit_code(lambda: code) == code


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (UserError("a.zip: broken; get it again"), ["a.zip"]),
        (OSError(errno.EROFS, "Read-only file system", "runs/a"), ["runs/a", "Read-only"]),
        (OSError(errno.ENOSPC, "No space left on device", "runs/a"), ["runs/a", "disk"]),
        (OSError(errno.ENOSPC, "No space left on device"), ["disk"]),
        (ModuleNotFoundError("No module named 'nowhere'", name="nowhere.part"), ["nowhere"]),
    ],
)
def test_what_the_user_can_correct_is_one_sentence(
    error: BaseException, named: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(_raising(error)) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ") and message.count("\n") == 1
    assert all(name in message for name in named)


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError(),
        OSError(errno.EIO, "Input/output error", "runs/a"),
        OSError(errno.EACCES, "Permission denied"),
        ModuleNotFoundError("No module named 'stages.absent'", name="stages.absent"),
    ],
)
def test_a_fault_of_the_program_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)):
        exit_code(_raising(error))


def test_an_interruption_has_the_exit_code_of_its_signal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code(_raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "interrupted\n"
