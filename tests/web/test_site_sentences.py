"""What lists say: a third of the sentences or more name a figure, a third at most are about other investors."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from pathfolio.embeddings.train import train_vectors
from pathfolio.explain.reasons.kind import Subject
from pathfolio.explain.reasons.kinds import KIND_OF
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.kg.progress import Progress
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.size import END
from pathfolio.recommender.build import Build, BuildOptions, load_build, write_build
from pathfolio.recommender.gat.attention import train_attention
from pathfolio.recommender.score_inputs import LearnedParts
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.web.site.listed import spoken
from pathfolio.web.sources import from_folder
from tests.web.site_world import ATTENTION, SIZE, VECTORS

INVESTORS = 30


def subjects(build: Build) -> Counter[Subject]:
    """How many sentences of each subject stand on the lists of the first investors."""
    adviser = Adviser(build, load_rules("tw"))
    users = build.graph.nodes.id[build.graph.users[:INVESTORS]]
    advised = (adviser.advise(Question("test", "site", str(user), 10)) for user in users)
    return Counter(
        KIND_OF[reason.trigger].subject
        for advice in advised
        for explanation in advice.explanations
        for reason in spoken(explanation, "en")
    )


@pytest.fixture(scope="module")
def three_years(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A small sample market with as many years of closes as the whole one, so that it has the same figures."""
    folder, silent = tmp_path_factory.mktemp("sentences"), Progress(None)
    write_sample_market(folder / "market", seed=3, size=replace(SIZE, years=SampleSize().years))
    source = from_folder(folder / "market", END, silent)
    graph = source.graph
    learned = LearnedParts(train_vectors(graph, VECTORS, silent), train_attention(graph, ATTENTION, silent))
    write_build(graph, learned, folder / "build", BuildOptions(), silent, source.beside())
    return load_build(folder / "build")


def test_sentences_name_figures_and_do_not_dwell_on_others(three_years: Build) -> None:
    counted = subjects(three_years)
    total = sum(counted.values())
    assert total > 10 * INVESTORS
    assert counted[Subject.FIGURES] >= total / 3, counted
    assert counted[Subject.OTHERS] <= total / 3, counted
