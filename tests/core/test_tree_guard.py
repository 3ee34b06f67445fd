from __future__ import annotations

import pytest

from thirdshift.core.tree_guard import Change, Findings, Guarding, examine

Tree = dict[str, str]
PYTEST_SECTION = '[tool.pytest.ini_options]\naddopts = "-q"\n'


def examined(base: Tree, now: Tree, *, write: tuple[str, ...] = ("**",), commands: tuple[str, ...] = ()) -> Findings:
    changed = tuple(sorted(path for path in {*base, *now} if base.get(path) != now.get(path)))
    change = Change(
        base_paths=frozenset(base),
        paths=frozenset(now),
        changed=changed,
        read_base=lambda path: base[path].encode() if path in base else None,
        read=lambda path: now[path].encode() if path in now else None,
    )
    return examine(change, Guarding(write=write, commands=commands))


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_a.py",
        "tests/data/a.json",
        "src/app/test_a.py",
        "pkg/thing_test.go",
        "web/App.test.tsx",
        "src/test/java/FooTest.java",
        "spec/models/user_spec.rb",
    ],
)
def test_a_test_file_outside_the_scope_is_protected_and_put_back(path: str) -> None:
    for now in ({path: "weaker"}, {}):
        found = examined({path: "strict"}, now, write=("lib/**",))
        assert found.restore == [path]
        assert found.tampering[0].startswith(f"{path} was {'changed' if now else 'deleted'}; ")


def test_a_test_file_inside_the_scope_may_change_and_tests_may_be_added() -> None:
    found = examined({"tests/test_a.py": "a"}, {"tests/test_a.py": "b", "tests/test_b.py": "c"}, write=("tests/**",))
    assert found == Findings()


@pytest.mark.parametrize(
    "path",
    [
        "pytest.ini",
        "tests/conftest.py",
        "tox.ini",
        ".coveragerc",
        "noxfile.py",
        "jest.config.js",
        "web/vitest.config.mts",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "sitecustomize.py",
        "src/usercustomize.py",
        "lib/x.pth",
        "ruff.toml",
    ],
)
@pytest.mark.parametrize("deed", ["change", "delete", "add"])
def test_configuration_of_checks_needs_its_own_name_in_the_scope(path: str, deed: str) -> None:
    base, now = {"add": {}, "change": {path: "a"}, "delete": {path: "a"}}[deed], {} if deed == "delete" else {path: "b"}
    found = examined(base, now)
    assert len(found.tampering) == 1
    assert path in found.tampering[0]
    assert (found.remove, found.restore) == (([path], []) if deed == "add" else ([], [path]))
    assert examined(base, now, write=("**", path)) == Findings()


def test_a_makefile_is_protected_only_where_a_check_makes() -> None:
    base, now = {"Makefile": "a"}, {"Makefile": "b"}
    assert not examined(base, now, commands=("pytest -q",)).tampering
    assert examined(base, now, commands=("cd web && make test",)).restore == ["Makefile"]


def test_a_script_that_judges_is_protected_where_a_check_names_it() -> None:
    base, now = {"ci/check.sh": "a", "app.py": "a"}, {"ci/check.sh": "b", "app.py": "b"}
    assert examined(base, now, commands=("sh ./ci/check.sh && python3 app.py",)).restore == ["ci/check.sh"]


def test_only_the_sections_that_checks_read_are_protected() -> None:
    base = {"pyproject.toml": f'[project]\nname = "a"\n{PYTEST_SECTION}'}
    dependency = {"pyproject.toml": f'[project]\nname = "a"\ndependencies = ["b"]\n{PYTEST_SECTION}'}
    options = {"pyproject.toml": base["pyproject.toml"].replace("-q", "--co")}
    assert examined(base, dependency) == Findings()
    assert examined(base, options).restore == ["pyproject.toml"]
    assert "tool.pytest" in examined(base, options).tampering[0]
    assert "nothing in it can be read any more" in examined(base, {"pyproject.toml": "["}).tampering[0]
    assert examined(base, {}).restore == ["pyproject.toml"]
    assert examined({}, {"tests/pyproject.toml": PYTEST_SECTION}).remove == ["tests/pyproject.toml"]
    assert examined({}, {"pyproject.toml": '[project]\nname = "a"\n'}) == Findings()


@pytest.mark.parametrize(
    "path",
    [
        "pytest.py",
        "src/unittest/__init__.py",
        "json.py",
        "tests/decimal.py",
        "src/requests.py",
        "lib/x/python3",
        "pytest.pyc",
    ],
)
def test_a_new_file_that_stands_in_for_something_else_is_refused(path: str) -> None:
    base = {"pyproject.toml": '[project]\ndependencies = ["Requests>=2"]\n', "tests/test_a.py": ""}
    found = examined(base, {**base, path: "x"})
    assert found.remove == [path]


@pytest.mark.parametrize(
    "path",
    [
        "src/app/json.py",
        "docs/json/index.md",
        "src/email/notes.txt",
        "web/types/index.d.ts",
        "src/app/__init__.py",
        "test/a.py",
    ],
)
def test_a_name_that_shadows_nothing_is_fine(path: str) -> None:
    base = {"src/app/__init__.py": "", "src/app/main.py": ""}
    assert examined(base, {**base, path: "x"}) == Findings()


def test_a_module_that_base_had_may_grow() -> None:
    base = {"types.py": "a"}
    assert examined(base, {"types.py": "b"}) == Findings()
    assert examined(base, {"types/__init__.py": "b"}) == Findings()


def test_a_plugin_registration_and_compiled_code_are_refused() -> None:
    found = examined({}, {"x.egg-info/entry_points.txt": "", "src/__pycache__/a.cpython-311.pyc": ""})
    assert found.remove == ["src/__pycache__/a.cpython-311.pyc", "x.egg-info/entry_points.txt"]


def test_a_class_that_equals_everything_is_named_unless_base_had_it() -> None:
    source = "class Any(int):\n    def __eq__(self, other):\n        return True\n"
    assert "class Any" in examined({"a.py": ""}, {"a.py": source}).tampering[0]
    assert examined({"a.py": source}, {"a.py": source + "x = 1\n"}) == Findings()


def test_hostile_names_are_made_visible_and_findings_are_bounded() -> None:
    found = examined({}, {f"a\u202e{number}/conftest.py": "" for number in range(300)})
    assert len(found.tampering) == 200
    assert len(found.remove) == 300
    assert all("\u202e" not in sentence and "<U+202E>" in sentence for sentence in found.tampering)
