"""A model is built without torch's compiler, whose import would come before the first matrix."""

from __future__ import annotations

import subprocess
import sys

BUILD = """
import sys, torch
from lamplighter.model.learner import build_learner
from lamplighter.recipe import Recipe
build_learner(Recipe(), 30, torch.device("cpu"))
print("torch._dynamo" in sys.modules)
"""


def test_a_model_is_built_without_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", BUILD], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
