"""What a call consumed, in the units that vendors bill apart."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thirdshift.core.frozen import Frozen

Count = Annotated[int, Field(ge=0)]


class Usage(Frozen):
    """Tokens of one call. The four input counts are disjoint; reasoning is part of output."""

    input_tokens: Count = 0
    """Input read neither from a cache nor written to one."""
    cache_read_tokens: Count = 0
    cache_write_5m_tokens: Count = 0
    cache_write_1h_tokens: Count = 0
    output_tokens: Count = 0
    """All output, reasoning included."""
    reasoning_tokens: Count = 0
    """The part of the output that was reasoning, where the vendor says so."""
    server_tool_requests: Count = 0
    """Requests to tools that the vendor runs and bills by the request."""

    @property
    def all_input(self) -> int:
        """Everything the model read, however it was billed."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens
