"""Three bugs that public projects had and mended, with what it takes to put each back and to play its repair.

Each project is taken as released with the mend in it, so its own suite has the tests that the mend brought. What is
put back is the code as it stood before. The wrong repairs are ones that a hurried reader makes; two of the three are
wrong in ways that the projects' own discussions mention.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edit:
    """A change of text in a file. ``old`` must be there exactly ``times`` times."""

    path: str
    old: str
    new: str
    times: int = 1

    def applied(self, text: str) -> str:
        """The text after it. Raises ValueError if the file is not as expected."""
        found = text.count(self.old)
        if found != self.times:
            raise ValueError(f"{self.path}: {found} places to change instead of {self.times}: {self.old[:60]!r}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Repair:
    """What a model does in one attempt: a thought, and edits on the code as it stands with the bug."""

    thought: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class PastBug:
    """A bug, where it is told of, and the answers of the models that meet it."""

    project: str
    version: str
    told_in: str
    title: str
    goal: str
    criterion: str
    put_back: tuple[Edit, ...]
    requirements: tuple[str, ...]
    suite: str
    narrow: str
    look: str
    economy: tuple[Repair, ...]
    specialist: Repair | None = None

    @property
    def answers(self) -> tuple[Repair, ...]:
        """The attempts in order; the last one is right."""
        return (*self.economy, *((self.specialist,) if self.specialist else ()))


def put_in(edits: tuple[Edit, ...], tree: Path) -> None:
    """Make the edits in a tree. Raises ValueError, with nothing written, if one does not fit."""
    texts: dict[str, str] = {}
    for edit in edits:
        text = texts.get(edit.path) or (tree / edit.path).read_text(encoding="utf-8")
        texts[edit.path] = edit.applied(text)
    for path, text in texts.items():
        (tree / path).write_text(text, encoding="utf-8")


_SIZES = "src/humanize/filesize.py"
_CARRY = (
    "    # The suffix is chosen from the unrounded byte count, but `format` rounds the\n"
    "    # mantissa afterward; rounding can push it up to `base` (e.g. 999999 is\n"
    '    # 999.999 kB, which formats to "1000.0 kB"). When that happens and a larger\n'
    '    # suffix is available, step up one suffix so the result reads "1.0 MB".\n'
    "    if exp < len(suffix) and abs(float(format % (abs_bytes / (base**exp)))) >= base:\n"
    "        exp += 1\n"
)
_EXPONENT = "    exp = int(min(log(abs_bytes, base), len(suffix)))\n"

HUMANIZE = PastBug(
    project="humanize",
    version="4.17.0",
    told_in="python-humanize/humanize#329, and years before it #59 and #155",
    title="Carry to the next unit when rounding fills the one before",
    goal="`naturalsize(999999)` says `1000.0 kB`. It should say `1.0 MB`, and likewise at every other unit.",
    criterion="When rounding brings a size up to the base of the next unit, naturalsize shall use that unit.",
    put_back=(Edit(_SIZES, _CARRY, ""),),
    requirements=("pytest>=9,<10", "freezegun>=1.5,<2", "pytest-benchmark>=5.3,<6", "pytest-codspeed>=5,<6"),
    suite="PYTHONPATH=src python -m pytest -q -p no:cacheprovider --benchmark-disable --color=no",
    narrow="PYTHONPATH=src python -c \"import humanize; assert humanize.naturalsize(999999) == '1.0 MB'\"",
    look=f"sed -n '/^    base = /,$p' {_SIZES}",
    economy=(
        # Right for every size but the largest: there is no suffix after the last one.
        Repair(
            "The suffix is chosen before rounding. I step up when the rounded mantissa has reached the base.",
            (
                Edit(
                    _SIZES,
                    _EXPONENT,
                    _EXPONENT + "    if float(format % (abs_bytes / base**exp)) >= base:\n        exp += 1\n",
                ),
            ),
        ),
        Repair(
            "There is no unit above the last one, so sizes beyond it must stay as they are.",
            (
                Edit(
                    _SIZES,
                    _EXPONENT,
                    _EXPONENT
                    + "    rounded = float(format % (abs_bytes / base**exp))\n"
                    + "    if rounded >= base and exp < len(suffix):\n        exp += 1\n",
                ),
            ),
        ),
    ),
)

_CLI = "slugify/__main__.py"
_FORWARD = "    if args.regex_pattern is not None:\n        params['regex_pattern'] = args.regex_pattern\n"
_RETURN = "            params[option] = getattr(args, option)\n    return params\n"

PYTHON_SLUGIFY = PastBug(
    project="python-slugify",
    version="9.2.0",
    told_in="un33k/python-slugify#175, mended by #176 as taken into #191; CHANGELOG of 9.0.0",
    title="Heed --regex-pattern on the command line",
    goal=(
        'The command line parses `--regex-pattern` and ignores it: `slugify --regex-pattern "[^-a-z0-9_]+" "___This is '
        'a test___"` should print `___this-is-a-test___`.'
    ),
    criterion="When --regex-pattern is given, the command line shall hand it to slugify().",
    put_back=(Edit(_CLI, _FORWARD, ""),),
    requirements=("pytest>=9,<10", "text-unidecode>=1.3,<2"),
    suite="python -m pytest -q -p no:cacheprovider --color=no",
    narrow='test "$(python -m slugify --regex-pattern "[^-a-z0-9_]+" "___This is a test___")" = ___this-is-a-test___',
    look=f"sed -n '/^def slugify_params/,/^def main/p' {_CLI}",
    economy=(
        # What two of the pull requests against the project did; the defaults' shape is pinned by its suite.
        Repair(
            "The option is parsed and never handed on. I add it to the parameters.",
            (
                Edit(
                    _CLI,
                    "        allow_unicode=args.allow_unicode\n    )\n",
                    "        allow_unicode=args.allow_unicode,\n        regex_pattern=args.regex_pattern\n    )\n",
                ),
            ),
        ),
        # An empty pattern is a pattern too, and the suite gives one.
        Repair(
            "Without the option the parameters must stay as they were, so I add it only when there is one.",
            (
                Edit(
                    _CLI,
                    _RETURN,
                    "            params[option] = getattr(args, option)\n"
                    "    if args.regex_pattern:\n        params['regex_pattern'] = args.regex_pattern\n"
                    "    return params\n",
                ),
            ),
        ),
    ),
    specialist=Repair(
        "An empty pattern was given on purpose and must be handed on; only None means that there is none.",
        (
            Edit(
                _CLI,
                _RETURN,
                f"            params[option] = getattr(args, option)\n{_FORWARD}    return params\n",
            ),
        ),
    ),
)

_MORE = "more_itertools/more.py"
_GUARDED = (
    "    if maxsplit == 0:\n        buf = list(iterable)\n        if buf:\n            yield buf\n        return\n"
)
_PLAIN = "    if maxsplit == 0:\n        yield list(iterable)\n        return\n"

MORE_ITERTOOLS = PastBug(
    project="more-itertools",
    version="11.2.1",
    told_in="more-itertools/more-itertools#1252, mended by #1253; version history of 11.2.0",
    title="Split nothing into nothing, whatever maxsplit is",
    goal=(
        "`split_before([], pred, maxsplit=0)` gives `[[]]` and with any other `maxsplit` `[]`; `split_after` and "
        "`split_when` do the same. No split can occur in either case, so the answers should be one."
    ),
    criterion="When an iterable is empty, split_before, split_after and split_when shall yield nothing.",
    put_back=(Edit(_MORE, _GUARDED, _PLAIN, times=3),),
    requirements=("pytest>=9,<10",),
    suite="python -m pytest -q -p no:cacheprovider --color=no",
    narrow=(
        'python -c "from more_itertools import split_before, split_after, split_when; '
        'assert [list(f([], print, maxsplit=0)) for f in (split_before, split_after, split_when)] == [[], [], []]"'
    ),
    look=f"grep -n -A4 'maxsplit == 0' {_MORE}",
    economy=(
        # The discussion of the mend warns of it: split_at is like str.split, which gives [''] for nothing.
        Repair(
            "Four functions have the same shortcut. I guard it in all of them.",
            (Edit(_MORE, _PLAIN, _GUARDED, times=4),),
        ),
        Repair(
            "split_at is to do what str.split does, so its shortcut was right. The other three keep the guard.",
            tuple(
                Edit(_MORE, f"{heading}{_PLAIN}", f"{heading}{_GUARDED}")
                for heading in (
                    '        [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]\n    """\n',
                    '        [[0], [1, 2, 3], [4, 5, 6, 7, 8, 9]]\n\n    """\n',
                    '        [[1, 2, 3, 3], [2, 5], [2, 4, 2]]\n\n    """\n',
                )
            ),
        ),
    ),
)

PAST_BUGS = (PYTHON_SLUGIFY, HUMANIZE, MORE_ITERTOOLS)
