from pathlib import Path

from thirdshift.adapters.engine.locks import FileLock, worker_is_marked, worker_mark


def test_an_exclusive_lock_is_had_by_one_at_a_time(tmp_path: Path) -> None:
    first = FileLock.try_take(tmp_path / "lock")
    assert first
    assert FileLock.try_take(tmp_path / "lock") is None
    first.release()
    first.release()
    second = FileLock.try_take(tmp_path / "lock")
    assert second
    second.release()


def test_a_worker_is_seen_while_it_is_up_and_only_in_its_home(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    assert not worker_is_marked(home)
    with worker_mark(home), worker_mark(home):
        assert worker_is_marked(home)
        assert not worker_is_marked(other)
    assert not worker_is_marked(home)
