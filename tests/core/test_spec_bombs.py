"""Input made to cost time or memory. Each is read in a process of its own count, so that figures are theirs."""

from __future__ import annotations

import json
import subprocess
import sys

HEAD = "---\\ntitle: x\\nchecks: [{id: a, run: x, covers: [AC-1]}]\\n---\\n# Goal\\nx\\n# Acceptance\\n"
TAIL = "\\n---\\n# Goal\\nx\\n# Acceptance\\n- AC-1: x\\n"
BOMBS = {
    "nested brackets": f'"---\\na: " + "[" * 60000 + "{TAIL}"',
    "nested braces": f'"---\\na: " + "{{" * 60000 + "{TAIL}"',
    "nested sequences": f'"---\\n" + "- " * 30000 + "{TAIL}"',
    "nested complex keys": f'"---\\n" + "? " * 30000 + "{TAIL}"',
    "a huge key": f'"---\\n" + "k" * 60000 + ": 1{TAIL}"',
    "many keys": f'"---\\n" + "".join("k%d: 1\\n" % i for i in range(7000)) + "{TAIL}"',
    "many items": f'"---\\na: [" + "1," * 30000 + "]{TAIL}"',
    "many colons": f'"---\\n" + "a: " * 20000 + "{TAIL}"',
    "many comments": f'"---\\n" + "#\\n" * 30000 + "{TAIL}"',
    "laughs": (
        '"---\\na: &a [x,x,x,x,x,x,x,x,x]\\n" + '
        f'"".join("%s: &%s [" % (b, b) + ",".join(["*" + a] * 9) + "]\\n" for a, b in zip("abcdefgh", "bcdefghi"))'
        f' + "{TAIL}"'
    ),
    "front matter of a megabyte": f'"---\\ntitle: " + "x" * 1000000 + "{TAIL}"',
    "two megabytes": f'"{HEAD}" + "x" * 2000000',
    "many headings": f'"{HEAD}" + "# x\\n" * 250000',
    "many marks in one heading": f'"{HEAD}" + "# # " * 250000',
    "many criteria": f'"{HEAD}" + "- AC-1: x\\n" * 90000',
    "an endless criterion": f'"{HEAD}- AC-1: x\\n" + " a\\n" * 300000',
    "a criterion of blanks": f'"{HEAD}- AC-1" + " " * 900000',
    "many fences": f'"{HEAD}" + "```\\n" * 250000',
    "many line ends": f'"{HEAD}" + "\\n" * 1000000',
    "many delimiters": '"---\\n" * 262000',
    "many tabs": f'"---\\n" + "\\t\\n" * 30000 + "{TAIL}"',
}
PROGRAM = """
import json, re, time
from thirdshift.core.errors import SpecInvalid
from thirdshift.core.spec_text import parse_spec
bombs = {%s}
figures = {}
for name, build in bombs.items():
    source = build()
    began = time.process_time()
    try:
        parse_spec(source, "spec.md")
        said = ""
    except SpecInvalid as refused:
        said = str(refused)
    figures[name] = [time.process_time() - began, len(said)]
# Not getrusage: its ru_maxrss begins at what the starting process had, which is the whole test run's memory.
peak = re.search("VmHWM:\\\\s+(\\\\d+) kB", open("/proc/self/status").read())
print(json.dumps([figures, int(peak.group(1)) * 1024]))
"""


def test_every_bomb_is_refused_within_a_second_and_200_megabytes() -> None:
    program = PROGRAM % ", ".join(f"{name!r}: (lambda: {source})" for name, source in BOMBS.items())
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    figures, most_memory_bytes = json.loads(done.stdout)
    assert set(figures) == set(BOMBS)
    assert {name: length for name, (_, length) in figures.items() if not 0 < length < 20_000} == {}
    # Seconds of processor time, which a busy machine hardly stretches.
    assert {name: seconds for name, (seconds, _) in figures.items() if seconds >= 1.0} == {}
    assert most_memory_bytes < 200 << 20
