"""scripts/install.sh on a miniature project: its lock, its packages and its build live in the test's own directory."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "install.sh"
BACKEND = """
import zipfile
def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "mini-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.writestr("mini.pth", "")
        wheel.writestr("mini-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: mini\\nVersion: 1.0\\n")
        wheel.writestr("mini-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("mini-1.0.dist-info/RECORD", "mini.pth,,\\n")
    return name
"""


class MiniProject:
    """A checkout with two locks, and an index of wheels beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root / "checkout"
        self.wheels = root / "wheels"
        self.wheels.mkdir()
        (self.root / "scripts").mkdir(parents=True)
        shutil.copy(SCRIPT, self.root / "scripts")
        (self.root / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
            '[project]\nname = "mini"\nversion = "1.0"\n'
        )
        (self.root / "backend.py").write_text(BACKEND)
        self.lock("requirements.lock", "runtime-part")
        self.lock("requirements-dev.lock", "runtime-part", "tool-part")

    def lock(self, file: str, *names: str, version: str = "1.0") -> None:
        lines = [f"{name}=={version} --hash=sha256:{self._wheel(name.replace('-', '_'), version)}" for name in names]
        (self.root / file).write_text("\n".join(lines) + "\n")

    def _wheel(self, module: str, version: str) -> str:
        files = {
            f"{module}.py": f"version = {version!r}\n",
            f"{module}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n",
            f"{module}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = ""
        for name, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(text)}\n"
        files[f"{module}-{version}.dist-info/RECORD"] = record
        path = self.wheels / f"{module}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for name, text in files.items():
                wheel.writestr(zipfile.ZipInfo(name), text)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def install(self, which: str = "runtime", **environment: str) -> subprocess.CompletedProcess[str]:
        given = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
            "HOME": str(self.root),
            "PIP_NO_INDEX": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": str(self.wheels),
            **environment,
        }
        command = ["sh", "scripts/install.sh", which]
        return subprocess.run(command, cwd=self.root, env=given, capture_output=True, text=True, check=False)

    def imports(self, module: str) -> bool:
        return self._python(f"import {module}").returncode == 0

    def version_of(self, module: str) -> str:
        return self._python(f"import {module}; print({module}.version)").stdout.strip()

    def _python(self, code: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.root / ".venv/bin/python"), "-I", "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> MiniProject:
    return MiniProject(tmp_path)


def test_runtime_installs_what_runs_and_no_tools(project: MiniProject) -> None:
    done = project.install("runtime")
    assert done.returncode == 0, done.stderr
    assert project.imports("runtime_part")
    assert not project.imports("tool_part")


def test_the_second_time_nothing_is_done(project: MiniProject) -> None:
    project.install("dev")
    for which in ("dev", "runtime"):
        again = project.install(which, PIP_FIND_LINKS="/nowhere")
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_changed_lock_is_installed(project: MiniProject) -> None:
    project.install()
    project.lock("requirements.lock", "runtime-part", version="2.0")
    assert project.install().returncode == 0
    assert project.version_of("runtime_part") == "2.0"


def test_a_wheel_that_is_not_the_locked_one_is_refused(project: MiniProject) -> None:
    lock = project.root / "requirements.lock"
    lock.write_text(lock.read_text().rpartition(":")[0] + ":" + "0" * 64 + "\n")
    done = project.install()
    assert done.returncode != 0
    assert "HASHES" in done.stderr


def test_after_an_install_that_was_cut_off_it_starts_over(project: MiniProject) -> None:
    failed = project.install(PIP_FIND_LINKS="/nowhere")
    assert failed.returncode != 0
    # What pip leaves when it is killed while writing: metadata, so that it believes in the package, and no module.
    (site_packages,) = (project.root / ".venv/lib").glob("python*/site-packages")
    half = site_packages / "runtime_part-1.0.dist-info"
    half.mkdir()
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: runtime_part\nVersion: 1.0\n")
    assert project.install().returncode == 0
    assert project.imports("runtime_part")


def test_an_environment_without_its_python_is_made_anew(project: MiniProject) -> None:
    project.install()
    for link in (project.root / ".venv/bin").glob("python*"):
        link.unlink()
    assert project.install().returncode == 0
    assert project.imports("runtime_part")


def test_a_checkout_that_was_moved_is_installed_where_it_is_now(project: MiniProject) -> None:
    project.install()
    project.root = project.root.rename(project.root.with_name("elsewhere"))
    assert project.install().returncode == 0
    script = (project.root / ".venv/bin/pip").read_text().splitlines()[0]
    assert "elsewhere" in script


def test_without_a_python_that_will_do_the_remedy_is_said(project: MiniProject, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (old / name).write_text("#!/bin/sh\nexit 1\n")
        (old / name).chmod(0o755)
    done = project.install(PATH=f"{old}{os.pathsep}{os.defpath}", PYTHON="")
    assert done.returncode == 69
    assert "Python 3.11" in done.stderr
    assert "apt-get install" in done.stderr


def test_an_unknown_set_is_refused(project: MiniProject) -> None:
    assert project.install("everything").returncode == 64
