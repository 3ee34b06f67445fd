"""Imported by Python itself, inside a check's sandbox: notes which ``unittest`` tests run and how they end.

It is there as ``sitecustomize`` and as ``usercustomize``, since a command may set ``PYTHONPATH`` for itself, and runs
the environment's own module of that name too. It must work on every Python 3, cost next to nothing where no test runs,
and break nothing: whatever goes wrong in here is let go, and then there is no report.
"""
# The oldest Python 3 in a sandbox may have to read it, so it has no annotations:
# mypy: ignore-errors
# It runs in the sandbox, where its environment is nobody's secret, and pathlib is slow to load for every process:
# ruff: noqa: TID251, PTH100, PTH118, PTH120
# A check must not fail because of its witness, and contextlib is slow to load as well:
# ruff: noqa: S110, SIM105, BLE001

import importlib.machinery
import os
import sys

_DIRECTORY = os.environ.get("THIRDSHIFT_REPORT", "")
_CLAIMED = "THIRDSHIFT_WITNESSED"


class _Witness:
    """Writes one line for each event, at once, so that a process that ends itself leaves what came before."""

    def __init__(self):
        self.file = None
        self.dumps = None

    def claim(self):
        """Take the report for this process: what tests start are no tests of the check."""
        if self.file is None and _CLAIMED not in os.environ:
            from json import dumps

            os.environ[_CLAIMED] = "1"
            path = os.path.join(_DIRECTORY, "unittest-" + str(os.getpid()) + ".jsonl")
            self.dumps = dumps
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, event, test):
        if self.file is not None:
            module = sys.modules.get(type(test).__module__)
            file = os.path.abspath(getattr(module, "__file__", None) or "")
            os.write(self.file, self.dumps([event, str(test.id()), file]).encode() + b"\n")


def _before(owner, name, first):
    """Have ``first`` called with the arguments before the method ``name`` of the class ``owner``."""
    method = getattr(owner, name)

    def called(*args, **kwargs):
        try:
            first(*args)
        except Exception:
            pass
        return method(*args, **kwargs)

    called.__name__, called.__doc__ = name, method.__doc__
    setattr(owner, name, called)


def _watch(unittest):
    witness = _Witness()

    def noting(event):
        return lambda result, test, *rest: witness.note(event, test)

    def subtest(result, test, subtest, error, *rest):
        if error is not None:
            witness.note("fail", test)

    result = unittest.TestResult
    _before(unittest.TextTestRunner, "run", lambda *_: witness.claim())
    _before(unittest.TestProgram, "__init__", lambda *_: witness.claim())
    _before(result, "startTest", noting("start"))
    _before(result, "addSuccess", noting("pass"))
    _before(result, "addFailure", noting("fail"))
    _before(result, "addError", noting("fail"))
    _before(result, "addSkip", noting("skip"))
    _before(result, "addExpectedFailure", noting("skip"))
    _before(result, "addUnexpectedSuccess", noting("fail"))
    _before(result, "addSubTest", subtest)


class _Finder:
    """Finds ``unittest`` as Python would, and adds the watching once it is loaded: being found may be all (``-m``)."""

    def find_spec(self, name, path=None, target=None):
        if name != "unittest":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_watch(module):
            load(module)
            try:
                _watch(module)
            except Exception:
                pass

        spec.loader.exec_module = load_and_watch
        return spec


def _the_environments_own():
    here = os.path.dirname(os.path.abspath(__file__))
    rest = [place for place in sys.path if os.path.abspath(place or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec(__name__, rest)
    if spec is not None and spec.loader is not None:
        from importlib.util import module_from_spec

        module = module_from_spec(spec)
        sys.modules[__name__] = module
        spec.loader.exec_module(module)


if _DIRECTORY and not getattr(sys, _CLAIMED, False):
    setattr(sys, _CLAIMED, True)
    # Each pytest has a report of its own, or the last of a command would be all that is known of it.
    inner = "PYTEST_CURRENT_TEST" in os.environ
    os.environ["THIRDSHIFT_RUN"] = "inner" if inner else "pytest-" + str(os.getpid())
    sys.meta_path.insert(0, _Finder())
_the_environments_own()
