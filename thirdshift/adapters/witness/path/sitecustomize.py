"""Imported by Python itself, inside a check's sandbox: notes which ``unittest`` tests run and how they end.

It stands before the environment's own ``sitecustomize`` on the path and runs that one too. It must work on every
Python 3 and break nothing, so whatever goes wrong in here is let go: then there is no report.
"""

import contextlib
import importlib.machinery
import json
import os
import sys

_DIRECTORY = os.environ.get("THIRDSHIFT_REPORT", "")  # noqa: TID251 - runs in the sandbox, not in Thirdshift
_CLAIMED = "THIRDSHIFT_WITNESSED"


class _Witness:
    """Writes one line for each event, at once, so that a process that ends itself leaves what came before."""

    def __init__(self):
        self.file = None

    def claim(self):
        """Take the report for this process: what tests start are no tests of the check."""
        if self.file is None and _DIRECTORY and _CLAIMED not in os.environ:  # noqa: TID251 - as above
            os.environ[_CLAIMED] = "1"  # noqa: TID251 - as above
            path = os.path.join(_DIRECTORY, "unittest-%d.jsonl" % os.getpid())  # noqa: PTH118, UP031 - light, any Python 3
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def note(self, event, test):
        with contextlib.suppress(Exception):
            if self.file is not None:
                module = sys.modules.get(type(test).__module__)
                file = os.path.abspath(getattr(module, "__file__", None) or "")  # noqa: PTH100 - as above
                os.write(self.file, json.dumps([event, str(test.id()), file]).encode() + b"\n")


def _before(owner, name, first):
    """Have ``first`` called with the arguments before the method ``name`` of the class ``owner``."""
    method = getattr(owner, name)

    def called(*args, **kwargs):
        with contextlib.suppress(Exception):
            first(*args)
        return method(*args, **kwargs)

    called.__name__, called.__doc__, called.__wrapped__ = name, method.__doc__, method
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
    """Finds ``unittest`` as Python would, once, and adds the watching after it was loaded."""

    def find_spec(self, name, path=None, target=None):
        if name != "unittest":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_watch(module):
            load(module)
            with contextlib.suppress(Exception):
                _watch(module)

        spec.loader.exec_module = load_and_watch
        return spec


def _the_environments_own():
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - as above
    rest = [place for place in sys.path if os.path.abspath(place or ".") != here]  # noqa: PTH100 - as above
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


with contextlib.suppress(Exception):
    if _DIRECTORY:
        sys.meta_path.insert(0, _Finder())
_the_environments_own()
