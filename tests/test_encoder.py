"""The packaged MiniLM: vectors that mean something, at the speed that indexing needs."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from retrieval.encoder import REMEMBERED, TextEncoder, packaged_model
from retrieval.errors import WorkspaceError
from retrieval.text import item_text, meaning_text
from retrieval.types import Item


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder()


def test_vectors_are_unit_length_float32(encoder):
    vectors = encoder.encode(["a dark thriller", "", "🎬 \ud800 مرحبا <b>", "x" * 1_000_000])
    assert (vectors.shape, vectors.dtype) == ((4, 384), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_no_texts_are_no_vectors(encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_meaning_is_near(encoder):
    heist, robbery, romance = encoder.encode(["a bank heist", "robbing a bank", "a wedding romance"])
    assert heist @ robbery > heist @ romance + 0.2


def test_order_and_company_do_not_matter(encoder):
    texts = [f"film {'very ' * (row % 7)}number {row}" for row in range(150)]
    together = TextEncoder().encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts[::29]])
    assert together[::29] == pytest.approx(alone, abs=1e-6)


def test_it_agrees_with_the_model_in_full_precision(encoder):
    from sentence_transformers import SentenceTransformer

    texts = ["Heat (1995). Crime, thriller. Directed by Michael Mann.", "something funny for the family"]
    model = SentenceTransformer(str(packaged_model()), device="cpu", local_files_only=True)
    exact = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    assert (encoder.encode(texts) * exact).sum(axis=1).min() > 0.999


def test_progress_counts_up_to_the_end(encoder):
    seen = []
    encoder.encode([f"text {row}" for row in range(130)], lambda done, total: seen.append((done, total)))
    assert seen == [(64, 130), (128, 130), (130, 130)]


def test_a_query_seen_before_is_not_encoded_again(encoder, monkeypatch):
    first = encoder.encode(["seen before"])
    monkeypatch.setattr("retrieval.encoder._encode_many", lambda *_: pytest.fail("encoded again"))
    assert np.array_equal(encoder.encode(["seen before"]), first)


def test_only_so_many_queries_are_remembered(monkeypatch):
    asked, encoder = [], TextEncoder()

    def vectors(texts, progress):
        asked.extend(texts)
        return np.ones((len(texts), 384), np.float32)

    monkeypatch.setattr(encoder, "_encode", vectors)
    encoder.encode(["the first"])
    encoder.encode([f"q{row}" for row in range(REMEMBERED - 1)])
    encoder.encode(["the first", "one more"])
    encoder.encode(["q0", "the first"])
    assert asked.count("the first") == 1
    assert asked[-2:] == ["one more", "q0"]


def test_changing_an_answer_does_not_change_the_next(encoder):
    encoder.encode(["mine"])[:] = 0
    assert np.linalg.norm(encoder.encode(["mine"])) == pytest.approx(1, abs=1e-5)


def test_threads_may_share_it(encoder):
    texts = [f"thread {row}" for row in range(24)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: encoder.encode([text])[0], texts))
    expected = np.concatenate([encoder.encode([text]) for text in texts])
    assert (np.stack(found) * expected).sum(axis=1).min() > 0.999


def test_indexing_speed(encoder):
    texts = [item_text(Item(str(row), f"Film number {row}", 1990, ("comedy", "drama"))) for row in range(600)]
    started = time.perf_counter()
    encoder.encode(texts)
    assert len(texts) / (time.perf_counter() - started) >= 150


def test_a_missing_package_names_the_command(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(WorkspaceError, match=r"make chat.*assets\.txt"):
        TextEncoder()


def test_importing_and_opening_are_light():
    code = (
        "import sys; from retrieval.encoder import TextEncoder; import retrieval.ranker, retrieval.dense\n"
        "TextEncoder(); print({'torch', 'transformers', 'chromadb'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_item_text_says_what_is_known_once():
    item = Item(
        "1",
        "Heat",
        1995,
        genres=("crime", "thriller"),
        directors=("Michael Mann",),
        cast=("Al Pacino", "Robert De Niro"),
        themes=("heists",),
        moods=("tense",),
        countries=("usa",),
        description="A thief and a detective.",
    )
    assert item_text(item) == (
        "Heat (1995). A thief and a detective. Crime, thriller. About heists. Mood: tense. From usa. "
        "Directed by Michael Mann. With Al Pacino, Robert De Niro."
    )
    assert item_text(Item("2", "Who Framed Roger Rabbit?")) == "Who Framed Roger Rabbit?"
    assert meaning_text(item) == "Heat. A thief and a detective. Heists, crime, thriller."
