"""The kind *speak*: a prompt, continued greedily and by sampling."""

from __future__ import annotations

import numpy as np

from lamplighter.contract.answers import SpeakAnswer
from lamplighter.contract.questions import SpeakQuestion
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import CANDIDATES, describe_words
from lamplighter.model.generation import Sampler, continue_prompts
from lamplighter.processes.asked_question import encode_words


def examine(model: ExaminedModel, question: SpeakQuestion, report: ReportProgress) -> SpeakAnswer:
    prompt = encode_words(model.run, question.prompt, "prompt")
    report(0.0, say("speaking"))
    sampler = Sampler(np.random.default_rng(question.seed), question.temperature)
    greedy, sampled = continue_prompts(
        model.learner.model, [prompt, prompt], question.words, [None, sampler], CANDIDATES
    )
    return SpeakAnswer(
        kind="speak",
        **model.facts(question),
        prompt=prompt,
        greedy=describe_words(greedy),
        sampled=describe_words(sampled),
    )
