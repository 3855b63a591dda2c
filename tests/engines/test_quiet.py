from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mirror_bench.engines.output_capture import cause, log_to, new_log, quiet


def test_everything_goes_to_the_log_and_comes_back_after(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    log.touch()
    with quiet(log):
        os.write(1, b"compiled\n")
        subprocess.run([sys.executable, "-c", "import sys; print('child', file=sys.stderr)"], check=True)
    os.write(2, b"after\n")
    assert set(log.read_text().split()) == {"compiled", "child"}
    assert capfd.readouterr() == ("", "after\n")


def test_the_terminal_comes_back_after_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), quiet(tmp_path / "log"):
        raise KeyError
    os.write(1, b"back\n")
    assert capfd.readouterr().out == "back\n"


def test_loggers_write_to_the_log_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = tmp_path / "log"
    log_to(log, "some.package")
    logging.getLogger("some.package").error("a wall")
    assert "a wall" in log.read_text()
    assert caplog.records == []


def test_the_cause_is_found_where_the_error_only_points() -> None:
    log = new_log("test")
    log.write_text(
        "(EngineCore pid=7) Traceback:\n(EngineCore pid=7) ValueError: too little memory\n"
        "RuntimeError: Engine core initialization failed. See root cause above.\n"
    )
    pointing = RuntimeError("Engine core initialization failed. See root cause above.")
    assert cause(pointing, log) == "ValueError: too little memory"
    assert cause(ValueError("two\n  lines"), log) == "two lines"
    log.write_text("")
    assert cause(KeyboardInterrupt(), log) == "KeyboardInterrupt"
    log.unlink()
