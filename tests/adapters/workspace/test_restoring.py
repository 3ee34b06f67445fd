from __future__ import annotations

from pathlib import Path

import pytest

from thirdshift.adapters.workspace.restoring import remove_files, restore_files


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The checkout, base's files, and a directory that nobody may touch."""
    made = tuple(tmp_path / name for name in ("checkout", "base", "outside"))
    for place in made:
        place.mkdir()
    (made[1] / "tests").mkdir()
    (made[1] / "tests" / "run.sh").write_text("base")
    (made[1] / "tests" / "run.sh").chmod(0o755)
    (made[1] / "tests" / "link").symlink_to("run.sh")
    (made[2] / "run.sh").write_text("outside")
    return made[0], made[1], made[2]


def restored(checkout: Path, base: Path) -> None:
    restore_files(str(checkout), str(base), ["tests/run.sh", "tests/link"])
    assert (checkout / "tests" / "run.sh").read_text() == "base"
    assert (checkout / "tests" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert not (checkout / "tests" / "run.sh").is_symlink()
    assert (checkout / "tests" / "link").readlink() == Path("run.sh")


def test_a_file_comes_back_with_its_mode_and_a_link_as_a_link(places: tuple[Path, Path, Path]) -> None:
    checkout, base, _ = places
    restored(checkout, base)


def test_a_directory_that_became_a_link_is_replaced_and_what_it_led_to_is_left_alone(
    places: tuple[Path, Path, Path],
) -> None:
    checkout, base, outside = places
    (checkout / "tests").symlink_to(outside)
    restored(checkout, base)
    assert (outside / "run.sh").read_text() == "outside"


def test_whatever_stands_in_the_way_is_taken_away(places: tuple[Path, Path, Path]) -> None:
    checkout, base, outside = places
    (checkout / "tests").write_text("a file now")
    restored(checkout, base)
    (checkout / "tests" / "run.sh").unlink()
    (checkout / "tests" / "run.sh").mkdir()
    (checkout / "tests" / "run.sh" / "deep").mkdir()
    restored(checkout, base)
    (checkout / "tests" / "run.sh").unlink()
    (checkout / "tests" / "run.sh").symlink_to(outside / "run.sh")
    restored(checkout, base)
    assert (outside / "run.sh").read_text() == "outside"


def test_removing_goes_through_no_link_and_minds_nothing_that_is_gone(places: tuple[Path, Path, Path]) -> None:
    checkout, _, outside = places
    (checkout / "tests").symlink_to(outside)
    (checkout / "conftest.py").write_text("x")
    remove_files(str(checkout), ["tests/run.sh", "conftest.py", "never/there.py"])
    assert (outside / "run.sh").exists()
    assert not (checkout / "conftest.py").exists()
