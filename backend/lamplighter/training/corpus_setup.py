"""Corpus setup: reading the corpus into the run folder before the first step."""

from __future__ import annotations

from collections.abc import Callable

from lamplighter.corpora.build import build_corpus
from lamplighter.corpora.corpus import Corpus, CorpusError
from lamplighter.corpora.reread import reread_corpus
from lamplighter.corpora.town_cache import build_cached
from lamplighter.forks.start import start_of
from lamplighter.model.batches import check_length
from lamplighter.runfolder.run_folder import RunFolder


def prepare_corpus(run: RunFolder, progress: Callable[[float, str], None] | None = None) -> None:
    """Write the corpus into the folder as token ids, unless it exists; the run then needs no file outside its
    folder. `progress`: called with the fraction done, from 0 to 1, and what is being done. Raises
    CorpusError if the text cannot be trained on.
    """
    if run.is_prepared:
        return
    recipe = run.recipe
    text: str | None = None
    if recipe.corpus.kind == "text" and not recipe.corpus.other_town:
        try:
            text = run.source_path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"the run's text cannot be read: {error}") from error
    if recipe.parent is not None:
        start = start_of(run)
        read = Corpus(start.token_ids, start.vocabulary, start.tokeniser, start.held_out_ids)
        corpus = reread_corpus(recipe.corpus, recipe.text_seed, text, read, progress)
    elif recipe.corpus.kind == "lamptown":
        corpus = build_cached(recipe.corpus, recipe.seed, progress)
    else:
        corpus = build_corpus(recipe.corpus, recipe.seed, text, progress)
    check_length(recipe, len(corpus.token_ids))
    run.write_corpus(corpus.token_ids, corpus.vocabulary, corpus.tokeniser, corpus.held_out)
