import errno
import fcntl
from pathlib import Path

import pytest

from mirror_bench.errors import InputError
from mirror_bench.locks import HeldLock, has_locks, is_held


def test_a_lock_keeps_others_out_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    assert not is_held(path)
    lock = HeldLock(path, "taken")
    assert is_held(path)
    with pytest.raises(InputError, match=r"^taken$"):
        HeldLock(path, "taken")
    lock.close()
    lock.close()
    assert not is_held(path)
    HeldLock(path, "taken").close()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP])
def test_without_locks_a_file_is_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, "no locks")

    assert has_locks(tmp_path)
    monkeypatch.setattr(fcntl, "flock", refused)
    monkeypatch.setattr(fcntl, "lockf", refused)
    assert not has_locks(tmp_path)
    path = tmp_path / ".lock"
    lock = HeldLock(path, "taken")
    assert is_held(path)
    with pytest.raises(InputError, match=r"taken .*remove .*\.lock\.held"):
        HeldLock(path, "taken")
    lock.close()
    assert not is_held(path)


def test_other_refusals_are_told_with_their_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(InputError, match=r"\.lock: input/output error: the disk or its connection fails"):
        HeldLock(tmp_path / ".lock", "taken")
