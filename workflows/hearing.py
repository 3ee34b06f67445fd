"""Which of a person's words a model has read, and which are still to be brought to one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from thirdshift.core.steering import Words

Saying = Callable[[int, Words], Awaitable[bool]]
"""Appends words to the conversation of an attempt; whether it could."""


class Hearing:
    """Words count as heard when a call was answered that began after they were in its conversation."""

    def __init__(self, say: Saying, unheard: Iterable[Words]) -> None:
        self._say = say
        self._unheard = list(unheard)
        self._landed: list[Words] = []

    @property
    def unheard(self) -> tuple[Words, ...]:
        """What no model has read yet."""
        return tuple(self._unheard)

    def keep(self, words: Words) -> None:
        """Bring them to the next conversation that is opened."""
        self._unheard.append(words)

    async def bring(self, number: int, words: Words) -> None:
        """Add them to the conversation that is open."""
        self._unheard.append(words)
        await self._land(number, words)

    async def bring_all(self, number: int) -> None:
        """Add all that is unheard to a conversation that was just opened."""
        self._landed.clear()
        for words in self.unheard:
            await self._land(number, words)

    def carried(self) -> tuple[Words, ...]:
        """What a call that begins now will read for certain."""
        return tuple(self._landed)

    def heard(self, carried: tuple[Words, ...]) -> None:
        """A call that carried these was answered."""
        self._unheard = [words for words in self._unheard if words not in carried]
        self._landed = [words for words in self._landed if words not in carried]

    def take_all(self) -> tuple[Words, ...]:
        """Hand all that is unheard to somebody else."""
        taken, self._unheard = self.unheard, []
        return taken

    async def _land(self, number: int, words: Words) -> None:
        if await self._say(number, words):
            self._landed.append(words)
