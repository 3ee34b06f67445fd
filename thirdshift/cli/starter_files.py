"""The first thirdshift.toml and the first spec, written for what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from thirdshift.core.ladder import Rung

SETUP_NETWORK = 'setup_network = "host"'
"""The line under [sandbox] without which a ``setup`` that installs anything fails."""

_LOCAL_EXAMPLE = """\
# No key was found in the environment. Set ANTHROPIC_API_KEY or OPENAI_API_KEY, and the vendor's current models are
# used; or name a server of your own:
#
# [providers.local]
# kind = "openai-chat"                     # any server that speaks OpenAI's Chat Completions
# base_url = "http://127.0.0.1:8080/v1"
#
# [[tiers.economy]]
# model = "local/qwen3-coder"              # provider/model
#
# [prices."local/qwen3-coder"]             # US dollars per million tokens
# input = "0"
# output = "0"
"""


_NO_NETWORK = """\
[sandbox]
setup_hosts = []          # a spec's `setup` may reach these alone: ["pypi.org:443", ...]
"""
_NETWORK = f"""\
[sandbox]
# The first spec's `setup` installs packages, so it needs a network; agents and checks never have one. "host" is this
# machine's, whole. Better, unless your index is a mirror with a private address: remove the line and name the hosts
# that packages come from, and no others are reached. For pip and uv, and for npm:
# setup_hosts = ["pypi.org:443", "files.pythonhosted.org:443"]
# setup_hosts = ["registry.npmjs.org:443"]
{SETUP_NETWORK}
"""


def starter_toml(rungs: Sequence[Rung], *, setup: bool = False) -> str:
    """A configuration over these rungs; without any, one that says how to get some.

    ``setup`` says that the first spec has a setup that installs something.
    """
    parts = ["# Thirdshift's configuration. Unknown keys are errors; money is a string of US dollars.\n"]
    if rungs:
        parts.append("# The ladder: work begins on the first rung and climbs only after checks have failed.")
        for tier, members in groupby(rungs, lambda rung: rung.tier):
            for rung in members:
                parts.append(f'[[tiers.{tier}]]\nmodel = "{rung.model}"\nattempts = {rung.attempts}\n')
    else:
        parts.append(_LOCAL_EXAMPLE)
    parts.append('[budgets]\njob_usd = "2.00"          # no job may spend more, whatever its spec allows\n')
    parts.append(_NETWORK if setup else _NO_NETWORK)
    return "\n".join(parts)


_HEAD = """\
---
title: {title}
repo: {repo}
task: {task}
risk: low
scope:
  write: [{write}]
{setup}checks:
  - {{id: {check}, run: {run}, covers: [AC-1], timeout: 5m}}
budget: {{max_budget_usd: "1.00", max_attempts: 6, max_steps: 40, max_wall: 30m}}
deliver: branch
---
"""

_FIRST_PROGRAM = """\
# Goal

This is an example, small enough to try the line with: write a program `hello.py` that greets. Replace it with what you
want built: say what is wrong or wanted, for whom, and what has to stay as it is.

# Acceptance

- AC-1: When `python3 hello.py` is run, the program shall print `Hello, world!` and nothing else.
"""

_FIRST_CHANGE = """\
# Goal

Replace this with what you want changed: say what is wrong or wanted, for whom, and what has to stay as it is. Until you
do, it asks for one thing only: that the tests of this repository pass.

# Acceptance

- AC-1: When the test suite is run, every test shall pass.
"""


def starter_spec(test_command: str | None, repo: str = ".", setup: str = "") -> str:
    """A first spec that passes ``thirdshift check``: about the tests where there are some, else about a greeting."""
    if test_command is None:
        run = "test \"$(python3 hello.py)\" = 'Hello, world!'"
        names = {"title": "Say hello", "task": "feature", "write": '"hello.py"', "check": "greets", "setup": ""}
        return _HEAD.format(**names, repo=_quoted(repo), run=_quoted(run)) + _FIRST_PROGRAM
    line = f"setup: {_quoted(setup)}\n" if setup else ""
    names = {"title": "Make the tests pass", "task": "bugfix", "write": '"**"', "check": "tests", "setup": line}
    return _HEAD.format(**names, repo=_quoted(repo), run=_quoted(test_command)) + _FIRST_CHANGE


def _quoted(text: str) -> str:
    """The text as a YAML scalar, in single quotes where it needs any."""
    return text if re.fullmatch(r"[\w./-]+", text) else "'" + text.replace("'", "''") + "'"
