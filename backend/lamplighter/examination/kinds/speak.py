"""The kind `speak`: a prompt, continued greedily and by chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamplighter.examination.examined_model import Answer, ExaminedModel, ReportProgress
from lamplighter.model.generation import Sampler, SpokenWord, continue_prompts
from lamplighter.processes.asked_question import encode_words
from lamplighter.questions import SpeakQuestion

CANDIDATES = 8
"""Candidates that are kept of each word."""


def examine(model: ExaminedModel, question: SpeakQuestion, report: ReportProgress) -> Answer:
    """Return `{prompt: [ids], greedy: [word], sampled: [word]}`, each word `{id, p, candidates: [[id, p], ...]}`."""
    prompt = encode_words(model.run, question.prompt, "prompt")
    report(0.0, "letting the model speak")
    sampler = Sampler(np.random.default_rng(question.seed), question.temperature)
    greedy, sampled = continue_prompts(
        model.learner.model, [prompt, prompt], question.words, [None, sampler], CANDIDATES
    )
    return {
        "prompt": prompt,
        "greedy": [_word(word) for word in greedy],
        "sampled": [_word(word) for word in sampled],
    }


def _word(word: SpokenWord) -> dict[str, Any]:
    return {
        "id": word.token_id,
        "p": word.probability,
        "candidates": [[token_id, probability] for token_id, probability in word.candidates],
    }
