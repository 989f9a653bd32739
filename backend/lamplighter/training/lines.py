"""Lines that a model says at intervals during training, as readable samples of what it has learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.prompts import choose_prompts
from lamplighter.model.generation import Sampler, continue_prompts
from lamplighter.model.learner import Learner
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.lines import MAX_LINES, SpokenLine, decode_prompts

LINE_WORDS = 12
"""Tokens of a line, regardless of sentence ends."""
_GREEDY_LINES = 2
_FIRST = frozenset({0, 1, 2, 5, 10, 20, 50, 100})
_EVERY = 250
"""Steps between two lines later in a run; all lines of the default run take less than 1 % of its time."""


def resolve_prompts(run: RunFolder, facts: dict[str, Any]) -> list[tuple[int, ...]]:
    """Return the prompts of a run as token ids: those in its facts if it has any, or newly chosen ones.
    Raises FormatError if the folder is damaged.
    """
    if "prompts" in facts:
        return decode_prompts(facts["prompts"], len(run.vocabulary))
    try:
        tokeniser = run.tokeniser
    except (FileNotFoundError, FormatError):
        tokeniser = ""
    # A sum that training reads could be known by heart.
    unread = run.held_out_ids if run.recipe.corpus.kind == "modular" else None
    text = run.token_ids if unread is None else unread
    return [tuple(prompt) for prompt in choose_prompts(run.recipe, tokeniser, run.vocabulary, text)]


class LineSpeaker:
    """The speaker of a run's lines. Speaking changes neither the model nor the random numbers of training."""

    def __init__(self, recipe: Recipe, prompts: Sequence[tuple[int, ...]]) -> None:
        """Assign prompts to lines: the first two are continued greedily, the others by sampling; no greedy
        line repeats. Without prompts there are no lines.
        """
        self.prompts = list(prompts)
        """The token ids of each prompt."""
        self._seed, self._offset = recipe.seed, recipe.batch_offset
        self._words = 1 if recipe.corpus.kind == "modular" else LINE_WORDS
        count = len(prompts)
        greedy = range(min(_GREEDY_LINES, count))
        # Start after the greedy ones, so that all of three prompts are used.
        sampled = [number % count for number in range(_GREEDY_LINES, MAX_LINES)] if count else []
        self._lines = [(prompts[at], False) for at in greedy] + [(prompts[at], True) for at in sampled]

    def is_due(self, step: int) -> bool:
        return bool(self._lines) and (step in _FIRST or (step > 0 and step % _EVERY == 0))

    def speak(self, learner: Learner, step: int) -> list[SpokenLine]:
        """Return the lines that the model says after a step; empty at most steps, and if its numbers are not finite."""
        if not self.is_due(step):
            return []
        samplers = [
            # The batch of a step uses [seed, step], which a trailing zero would repeat.
            Sampler(np.random.default_rng([self._seed, self._offset + step, number])) if sampled else None
            for number, (_, sampled) in enumerate(self._lines, start=1)
        ]
        try:
            with torch.autocast(learner.device.type, learner.autocast, enabled=learner.autocast is not None):
                said = continue_prompts(
                    learner.model, [prompt for prompt, _ in self._lines], self._words, samplers
                )
        except FloatingPointError:
            # The next step will report this and fail the run.
            return []
        return [
            SpokenLine(
                prompt,
                tuple(word.token_id for word in words),
                tuple(word.probability for word in words),
                sampled,
            )
            for (prompt, sampled), words in zip(self._lines, said, strict=True)
        ]
