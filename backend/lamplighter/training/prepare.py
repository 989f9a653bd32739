"""Reading the corpus into the run folder, before the first step."""

from __future__ import annotations

from collections.abc import Callable

from lamplighter.corpora.batches import check_length
from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.corpus import CorpusError
from lamplighter.runfolder.folder import RunFolder


def prepare_corpus(run: RunFolder, progress: Callable[[float, str], None] | None = None) -> None:
    """Make sure the folder holds the corpus as token ids; afterwards nothing outside it is read.

    Args:
        run: its recipe says which text; a text a person brought lies in the folder.
        progress: told a share from 0 to 1 and what is being done.

    Raises:
        CorpusError: the text cannot be learned from; the message says why and what to do.
    """
    if run.prepared:
        return
    recipe = run.recipe
    text: str | None = None
    if recipe.corpus.kind == "text":
        try:
            text = run.source_path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"the run's text cannot be read: {error}") from error
    corpus = build_corpus(recipe.corpus, recipe.seed, text, progress)
    check_length(recipe, len(corpus.token_ids))
    run.write_corpus(corpus.token_ids, corpus.vocabulary, corpus.tokeniser)
