"""How much more is held than a call then costs: hold divided by true cost, for every call of loops of forty steps.

The product's own ``call_model`` prices, holds and settles each call; only the vendor is made up. Its tokenizer makes a
token of 3.7 bytes of the project's own sources, which is what the tools "print". A loop opens with 3,000 tokens;
results are 2.4 kB in the median and at most 16 kB, answers 180 tokens in the median, both log-normal; the rung allows
8,192 tokens of output.

A hold may never be less than the cost, so it assumes the dearest thing that could happen. What it cannot know is
whether a vendor's cache will hit: cached input costs a tenth or so of what has to be assumed, and no vendor promises a
hit. Lists without such a discount therefore show how well the tokens are bounded, and are what ``median`` is; for the
others the table also divides by what the same tokens would have cost without a hit, which is the same measure. What
answers cost that were cut off at their allowance, and asked for again, is printed beside it: tight holds have a price.

    python bench/over_reservation.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random  # noqa: TID251 - repeatable loops
import re
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from temporalio.testing import ActivityEnvironment

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from activities.model import ModelActivities
from activities.services import ProviderTerms, Services
from bench.rig.figures import Limit, closing_line, machine, table
from tests.activities.bench import LOOP, NOW, PlayedModel, always, answer, open_attempt, services_at
from tests.adapters.ledger.books import results_of
from thirdshift.adapters.ledger import SqlLedger
from thirdshift.adapters.prices import Prices
from thirdshift.core.conversation import Message, Text, ToolCall, ToolResult
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.ledger import ToolRun
from thirdshift.core.ports import ModelAnswer, ModelRequest, StopKind
from thirdshift.core.pricing import cost_nano, hold_nano
from thirdshift.core.rates import Rates
from thirdshift.core.usage import Usage
from thirdshift.signatures import CallModel

STEPS, MOST_OUTPUT = 40, 8192
OPENING_TOKENS = 3000
"""Rules, tools, the repository's AGENTS.md and the spec."""
LIMITS = (Limit("median", at_most=1.3), Limit("min", at_least=1.0), Limit("median_without_hits", at_most=1.3))
_PIECE = re.compile(r" ?[A-Za-z]{1,8}| ?\d{1,3}| ?[^\sA-Za-z\d]{1,3}|\s+")
PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class PriceList:
    """A list to measure under. ``cache``: which input a repeated prefix is billed as."""

    title: str
    model: str
    kind: str
    written: dict[str, str] = field(default_factory=dict)
    cache: str = "none"


LISTS = (
    PriceList("own server, output 4x input", "own/flat", "openai-chat", {"input": "0.20", "output": "0.80"}),
    PriceList("own server, output 8x input", "own/steep", "openai-chat", {"input": "0.20", "output": "1.60"}),
    PriceList(
        "own server, cache read 1/5",
        "own/cached",
        "openai-chat",
        {"input": "0.10", "cache_read": "0.02", "output": "0.40"},
        "read",
    ),
    PriceList("anthropic/claude-sonnet-5-5", "anthropic/claude-sonnet-5-5", "anthropic", cache="read and write"),
    PriceList("openai/gpt-6.1-terra", "openai/gpt-6.1-terra", "openai", cache="read"),
)


def tokens(text: str) -> int:
    return len(_PIECE.findall(text))


@dataclass
class Vendor:
    """A model that prints and counts like one."""

    dice: random.Random
    sources: str
    cache: str
    served: str
    prefix: int = 0

    def _input(self, request: ModelRequest) -> int:
        total = tokens(request.system) + OPENING_TOKENS
        for message in request.messages:
            total += _count(message)
        return total

    def piece(self, size: float) -> str:
        """Some text of about so many bytes."""
        start = self.dice.randrange(len(self.sources) - 20_000)
        return self.sources[start : start + int(size)]

    async def answer(self, request: ModelRequest, on_progress: Callable[[], None]) -> ModelAnswer:
        """An answer of log-normal length, cut where it was allowed no more."""
        read = self._input(request)
        meant = max(20, int(180 * math.exp(self.dice.gauss(0, 0.8))))
        out = min(meant, request.max_output_tokens)
        words = self.piece(out * 3.2)
        cut = meant > request.max_output_tokens
        call = ToolCall(id=f"c{read}", name="bash", arguments={"command": words[len(words) // 2 :]})
        parts = (Text(text=words[: len(words) // 2]), *(() if cut else (call,)))
        return ModelAnswer(
            message=Message(role="assistant", parts=parts),
            stop=StopKind.MAX_TOKENS if cut else StopKind.TOOLS,
            usage=self._usage(read, out),
            served_model=self.served,
        )

    def _usage(self, read: int, out: int) -> Usage:
        hit, self.prefix = min(self.prefix, read), read
        match self.cache:
            case "read":
                return Usage(input_tokens=read - hit, cache_read_tokens=hit, output_tokens=out)
            case "read and write":
                return Usage(cache_read_tokens=hit, cache_write_5m_tokens=read - hit, output_tokens=out)
            case _:
                return Usage(input_tokens=read, output_tokens=out)

    async def count_input(self, request: ModelRequest) -> int | None:
        """Anthropic counts for nothing; who else does is not assumed."""
        return self._input(request) if self.cache == "read and write" else None

    async def close(self) -> None:
        """Nothing is open."""


def _count(message: Message) -> int:
    texts = []
    for part in message.parts:
        match part:
            case Text():
                texts.append(part.text)
            case ToolResult():
                texts.append(part.text)
            case ToolCall():
                texts.append(str((part.arguments or {}).get("command", "")) + " bash command")
    return sum(tokens(text) for text in texts) + 6 * len(texts)


@dataclass(frozen=True)
class Ratios:
    """Of one call."""

    hold: float
    without_hit: float
    whole: float
    """Were the rung's whole output held, as is usual."""
    cut: bool
    cost: int


async def one_loop(prices: PriceList, seed: int, sources: str, root: Path) -> list[Ratios]:
    dice = random.Random(f"{prices.model}/{seed}")  # noqa: S311 - repeatable loops, not a secret
    vendor = Vendor(dice, sources, prices.cache, prices.model.partition("/")[2])
    services = _services(prices, vendor, root)
    made = services.ledger
    assert isinstance(made, SqlLedger)
    open_attempt(services, rung=Rung(model=prices.model, tier=Tier.ECONOMY, max_output_tokens=MOST_OUTPUT))
    quote = services.prices.quote(prices.kind, prices.model.partition("/")[0], vendor.served, _address(prices))
    for step in range(1, STEPS + 1):
        given = await _environment(step).run(ModelActivities(services).call_model, CallModel(n=1, s=step))
        assert not given.fault, given
        size = min(16_000, int(2400 * math.exp(dice.gauss(0, 0.9))))
        run = results_of(given.call)
        said = Message(role="user", parts=(ToolResult(call_id=f"c{step}", text=vendor.piece(size)),))
        services.ledger.put_tool_run(ToolRun(**{**dict(run), "results": said}), NOW)
    bounds = [int(row["input_bound_tokens"] or 0) for row in made.exported_calls(None)]
    return [_ratios(services, number, bound, quote.rates) for number, bound in enumerate(bounds, start=1)]


def _address(prices: PriceList) -> str:
    return "http://127.0.0.1:1/v1" if prices.written else ""


def _services(prices: PriceList, vendor: Vendor, root: Path) -> Services:
    provider = prices.model.partition("/")[0]
    made = services_at(root, PlayedModel(always(answer())))
    return Services(
        **{
            **vars(made),
            "models": {provider: vendor},
            "terms": {provider: ProviderTerms(kind=prices.kind, base_url=_address(prices))},
            "prices": Prices({prices.model: prices.written} if prices.written else {}, clock=lambda: NOW),
        }
    )


def _environment(step: int) -> ActivityEnvironment:
    made = ActivityEnvironment()
    made.info = replace(made.info, workflow_id=LOOP, workflow_run_id="run-1", activity_id=str(step), attempt=1)
    return made


def _ratios(services: Services, number: int, bound: int, rates: Rates) -> Ratios:
    row = services.ledger.call(number)
    usage = row.usage
    assert usage is not None
    missed = Usage(output_tokens=usage.output_tokens, reasoning_tokens=usage.reasoning_tokens)
    dearest = hold_nano(rates, usage.all_input, 0)
    return Ratios(
        hold=row.hold_nano / row.cost_nano,
        without_hit=row.hold_nano / (dearest + cost_nano(rates, missed)),
        whole=hold_nano(rates, bound, MOST_OUTPUT) / row.cost_nano,
        cut=row.stop == StopKind.MAX_TOKENS,
        cost=row.cost_nano,
    )


async def measure(loops: int) -> dict[str, list[Ratios]]:
    sources = "".join(path.read_text() for path in sorted((PROJECT / "thirdshift" / "adapters").rglob("*.py")))
    found: dict[str, list[Ratios]] = {}
    for prices in LISTS:
        found[prices.title] = []
        for seed in range(loops):
            with tempfile.TemporaryDirectory() as root:
                found[prices.title] += await one_loop(prices, seed, sources, Path(root))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 loops under each price list instead of 12")
    loops = 3 if parser.parse_args().quick else 12
    print(machine(), "\n")
    found = asyncio.run(measure(loops))
    rows: list[list[object]] = [
        ["hold / true cost", "median", "p90", "least", "without hits", "whole output held", "cut", "cost of cuts"]
    ]
    rows += [_row(title, ratios) for title, ratios in found.items()]
    print(f"{loops} loops of {STEPS} steps under each list\n")
    print(table(rows), "\n")
    by_list = {title: round(statistics.median(r.hold for r in ratios), 3) for title, ratios in found.items()}
    everything = [ratio for ratios in found.values() for ratio in ratios]
    flat = found[LISTS[0].title]
    figures = {
        "median": by_list[LISTS[0].title],
        "min": round(min(ratio.hold for ratio in everything), 4),
        "median_without_hits": round(statistics.median(ratio.without_hit for ratio in everything), 3),
        "median_by_list": by_list,
        "median_whole_output_held": round(statistics.median(ratio.whole for ratio in flat), 3),
        "cost_share_of_cuts": round(_cut_share(everything), 4),
        "calls": len(everything),
    }
    print(closing_line(figures, LIMITS))
    return 0 if all(limit.holds(figures) for limit in LIMITS) else 1


def _cut_share(ratios: list[Ratios]) -> float:
    return sum(ratio.cost for ratio in ratios if ratio.cut) / sum(ratio.cost for ratio in ratios)


def _row(title: str, ratios: list[Ratios]) -> list[object]:
    holds = [ratio.hold for ratio in ratios]
    return [
        title,
        statistics.median(holds),
        statistics.quantiles(holds, n=10)[-1],
        min(holds),
        statistics.median(ratio.without_hit for ratio in ratios),
        statistics.median(ratio.whole for ratio in ratios),
        sum(ratio.cut for ratio in ratios),
        _cut_share(ratios),
    ]


if __name__ == "__main__":
    sys.exit(main())
