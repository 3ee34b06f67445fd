"""Reading vendors' usage exports, as their organisation APIs answer them (JSON), or the same fields as columns (CSV).

Anthropic: ``GET /v1/organizations/usage_report/messages`` grouped by model: buckets ``starting_at``/``ending_at`` with
``results`` of ``uncached_input_tokens``, ``cache_read_input_tokens``, ``output_tokens``, ``model``, ``service_tier``,
``cache_creation.ephemeral_{5m,1h}_input_tokens``. OpenAI: ``GET /v1/organization/usage/completions`` grouped by model:
buckets ``start_time``/``end_time`` in Unix seconds with ``results`` of ``input_tokens`` (cached ones included),
``input_cached_tokens``, ``output_tokens``, ``num_model_requests``, ``model``, ``batch``. Several pages may stand in a
JSON list. Rows of batch processing are left out: nothing here is ever sent that way.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from thirdshift.core.errors import BadInput
from thirdshift.core.reconciling import Billed, Bucket, UsageExport
from thirdshift.core.usage import Usage

_MOST_BYTES = 256 << 20
Row = Mapping[str, Any]
Span = tuple[datetime, datetime]


def read_export(path: Path) -> UsageExport:
    """The export in a file. Raises BadInput saying what is wrong with it."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadInput(f"{path}: larger than 256 MiB; export a shorter time")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}: not UTF-8 text") from None
    try:
        spans = _from_json(text) if text.lstrip()[:1] in ("{", "[") else _from_csv(text)
        vendor = _vendor_of(spans)
        rows = {span: [_billed(vendor, row) for row in found if not _is_batch(row)] for span, found in spans.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"{path}: not a usage export of Anthropic (usage_report/messages) or OpenAI (usage/completions): {error}"
        ) from None
    return UsageExport(vendor=vendor, buckets=_without_gaps(rows))


def _from_json(text: str) -> dict[Span, list[Row]]:
    data = json.loads(text)
    found: dict[Span, list[Row]] = defaultdict(list)
    for page in data if isinstance(data, list) else [data]:
        for bucket in page["data"]:
            found[_span(bucket)] += [_flat(result) for result in bucket["results"]]
    return found


def _from_csv(text: str) -> dict[Span, list[Row]]:
    found: dict[Span, list[Row]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(text)):
        found[_span(row)].append(row)
    return found


def _flat(result: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in result.items():
        if isinstance(value, dict):
            flat.update({inner: amount for inner, amount in value.items()})
        else:
            flat[name] = value
    return flat


def _span(bucket: Row) -> Span:
    if "starting_at" in bucket:
        return _time(bucket["starting_at"]), _time(bucket["ending_at"])
    return _time(bucket["start_time"]), _time(bucket["end_time"])


def _time(value: Any) -> datetime:
    if isinstance(value, int | float) or str(value).isdigit():
        return datetime.fromtimestamp(int(value), UTC)
    stated = datetime.fromisoformat(str(value))
    return stated.replace(tzinfo=UTC) if stated.tzinfo is None else stated.astimezone(UTC)


def _vendor_of(spans: Mapping[Span, Sequence[Row]]) -> Literal["anthropic", "openai"]:
    rows = [row for found in spans.values() for row in found]
    if not rows:
        raise ValueError("there is no usage in it")
    if all("uncached_input_tokens" in row for row in rows):
        return "anthropic"
    if all("input_tokens" in row and "num_model_requests" in row for row in rows):
        return "openai"
    raise ValueError(f"its columns are {', '.join(sorted(rows[0])[:12])}")


def _is_batch(row: Row) -> bool:
    return str(row.get("batch") or "").lower() in ("true", "1") or row.get("service_tier") == "batch"


def _billed(vendor: str, row: Row) -> Billed:
    model = row.get("model")
    if not model:
        raise ValueError("its rows name no model; group the export by model")
    if vendor == "openai":
        cached = _count(row, "input_cached_tokens")
        usage = Usage(
            input_tokens=_count(row, "input_tokens") - cached,
            cache_read_tokens=cached,
            output_tokens=_count(row, "output_tokens"),
        )
        return Billed(model=model, usage=usage, requests=_count(row, "num_model_requests"))
    return Billed(
        model=model,
        usage=Usage(
            input_tokens=_count(row, "uncached_input_tokens"),
            cache_read_tokens=_count(row, "cache_read_input_tokens"),
            cache_write_5m_tokens=_count(row, "ephemeral_5m_input_tokens", "cache_creation_5m_input_tokens"),
            cache_write_1h_tokens=_count(row, "ephemeral_1h_input_tokens", "cache_creation_1h_input_tokens"),
            output_tokens=_count(row, "output_tokens"),
        ),
    )


def _count(row: Row, *names: str) -> int:
    """A number under any of its names; a nested field may be a column ``outer.inner``."""
    for column, value in row.items():
        if column.rpartition(".")[2] in names:
            return int(value or 0)
    return 0


def _without_gaps(rows: Mapping[Span, list[Billed]]) -> tuple[Bucket, ...]:
    """Buckets in order; a stretch that a CSV file leaves out had no usage."""
    buckets: list[Bucket] = []
    for (starts, ends), billed in sorted(rows.items(), key=lambda item: item[0]):
        if buckets and starts < buckets[-1].ends_at:
            raise BadInput(
                f"the export has two buckets over {starts:%Y-%m-%d %H:%M}; export one bucket_width at a time"
            )
        if buckets and starts > buckets[-1].ends_at:
            buckets.append(Bucket(starts_at=buckets[-1].ends_at, ends_at=starts))
        buckets.append(Bucket(starts_at=starts, ends_at=ends, billed=tuple(billed)))
    return tuple(buckets)
