"""How items look: images that are drawn here, read by a tiny CLIP or as vectors of their colours."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small
from PIL import Image, ImageDraw
from retriever_contract import FILMS, RetrieverContract

from retrieval.catalogue import Catalogue, CatalogueRead
from retrieval.changes import Changes
from retrieval.clip import ClipEncoder
from retrieval.errors import CatalogueError, WorkspaceError
from retrieval.filters import eligible
from retrieval.images import ImageRetriever
from retrieval.indexing import change, index
from retrieval.looks import Looks, LooksRead, encode_images, read_vectors
from retrieval.snapshot import Former, Snapshot
from retrieval.types import Constraints, Facet, Item, Query
from retrieval.workspace import Workspace

ENCODER = small.WordEncoder()
COLOURS = {"a": "red", "b": "firebrick", "c": "blue", "d": "navy", "e": "green"}
ANY = eligible(FILMS, Constraints(), ())


def looks_of(*pairs: tuple[str, Sequence[float]], name: str = "by hand") -> Looks:
    vectors = np.array([vector for _, vector in pairs], dtype=np.float32)
    return Looks(name, tuple(i for i, _ in pairs), vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


class TestImages(RetrieverContract):
    looks = looks_of(
        *(("10", (1, 0, 0)), ("11", (0.9, 0.1, 0)), ("12", (0, 1, 0)), ("13", (0.1, 0.9, 0.1))),
        *(("14", (0, 0.1, 1)), ("15", (0.5, 0.5, 0)), ("17", (0, 0, -1))),
    )

    @pytest.fixture(scope="class")
    def retriever(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("images")
        ImageRetriever.build(folder, FILMS, self.looks)
        return ImageRetriever(folder, FILMS, self.looks)

    def ids(self, retriever, **said):
        return [c.item_id for c in retriever.retrieve(Query(**said), ANY, 8)]

    def test_what_looks_most_alike_comes_first(self, retriever):
        assert self.ids(retriever, liked=("10",))[:3] == ["10", "11", "15"]
        found = retriever.retrieve(Query(liked=("12",)), ANY, 3)
        assert [c.score for c in found] == pytest.approx([1, 0.9 / 0.83**0.5, 0.5**0.5], abs=1e-5)

    def test_dislikes_push_away(self, retriever):
        both = self.ids(retriever, liked=("15",))
        without = self.ids(retriever, liked=("15",), disliked=("12",))
        assert without.index("13") > both.index("13")

    def test_items_without_a_look_neither_come_nor_speak(self, retriever):
        assert "16" not in self.ids(retriever, liked=("10",))
        assert self.ids(retriever, liked=("16",)) == []
        assert self.ids(retriever, text="space", disliked=("10",)) == []
        assert self.ids(retriever, liked=("16", "12"))[0] == "12"

    def test_a_filter_holds_for_items_without_a_look_too(self, retriever):
        family = eligible(FILMS, Constraints(require=((Facet("audience", "family"),),)), ())
        assert [c.item_id for c in retriever.retrieve(Query(liked=("13",)), family, 8)] == ["12"]

    @pytest.mark.parametrize("vector", [(1, 0, 0), (0, 0, 5)], ids=["as before", "another"])
    def test_a_store_is_carried_on_as_if_it_was_new(self, retriever, tmp_path, vector):
        before = Snapshot(FILMS, None, self.looks)
        ImageRetriever.build(tmp_path / "one", FILMS, self.looks)
        fewer = Catalogue([*FILMS.items[:6], Item("new", "New")])
        kept = self.looks.of(fewer)
        assert kept is not None
        now = looks_of(("new", (0.8, 0, 0.2)), ("10", vector)).beside(
            Looks("by hand", kept.ids, kept.vectors)
        )
        found = now.of(fewer)
        assert found is not None
        assert found.ids == ("10", "11", "12", "13", "14", "15", "new")
        ImageRetriever.build(tmp_path / "two", fewer, found, Former(tmp_path / "one", before))
        ImageRetriever.build(tmp_path / "three", fewer, found)
        everything = eligible(fewer, Constraints(), ())
        one, other = (
            ImageRetriever(tmp_path / name, fewer, found).retrieve(Query(liked=("11",)), everything, 8)
            for name in ("two", "three")
        )
        assert one == other
        assert len(one) == 7


# Images that are drawn


def draw(folder: Path, **colours: str) -> None:
    for name, colour in colours.items():
        image = Image.new("RGB", (48, 40), colour)
        ImageDraw.Draw(image).ellipse((10, 10, 20, 20), "white")
        image.save(folder / f"{name}.png")


def histogram(path: Path) -> list[float]:
    """How much of each of eight colours there is."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3) // 128
    return np.bincount(pixels @ (4, 2, 1), minlength=8).astype(float).tolist()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a catalogue of five posters, one image that is on the web and one that is missing."""
    draw(tmp_path, **COLOURS)
    (tmp_path / "noise.png").write_bytes(b"no image at all")
    paths = {name: f"{name}.png" for name in COLOURS} | {"w": "https://x.test/w.png", "m": "m.png"}
    rows = [{"id": name, "title": f"Poster {name}", "image": path} for name, path in paths.items()]
    rows += [
        {"id": "n", "title": "Noise", "image": "noise.png"},
        {"id": "o", "title": "No image", "image": ""},
    ]
    with open(tmp_path / "posters.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "title", "image"])
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of a few thousand random weights, saved as any other one is."""
    import torch
    from transformers import (
        CLIPConfig,
        CLIPImageProcessorPil,
        CLIPModel,
        CLIPProcessor,
        CLIPTokenizerFast,
    )

    folder = tmp_path_factory.mktemp("clip")
    (folder / "vocab.json").write_text(json.dumps({"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
    size = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    words = {"vocab_size": 3, "max_position_embeddings": 8, "bos_token_id": 0, "eos_token_id": 1}
    torch.manual_seed(0)
    CLIPModel(
        CLIPConfig(
            text_config={**size, **words, "pad_token_id": 1},
            vision_config={**size, "image_size": 32, "patch_size": 8},
            projection_dim=16,
        )
    ).save_pretrained(folder)
    square = {"height": 32, "width": 32}
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=square)
    CLIPProcessor(processor, tokenizer).save_pretrained(folder)
    return folder


def alike(opened: Workspace, item_id: str) -> list[str]:
    """What the source `images` finds for one liked item, itself left out."""
    query = Query(liked=(item_id,))
    allowed = eligible(opened.catalogue, Constraints(), {item_id})
    return [c.item_id for c in opened.ranker.sources["images"].retrieve(query, allowed, 9)]


def reasons(report_file: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in report_file.read_text().splitlines()]
    return {row["value"]: row["reason"] for row in rows}


def test_precomputed_vectors_end_to_end(files: Path) -> None:
    table = files / "colours.jsonl"
    rows = [{"item_id": name, "vector": histogram(files / f"{name}.png")} for name in COLOURS]
    rows.append({"item_id": "zzz", "vector": [1.0] * 8})
    table.write_text("\n".join(map(json.dumps, rows)))
    folder = files / "w"
    report = index(files / "posters.csv", None, folder, encoder=ENCODER, vectors=table)
    assert report.looks is not None
    assert (report.looks.total, report.looks.kept, report.looks.rejected) == (6, 5, 1)
    assert reasons(report.rejected_file) == {"zzz": "unknown item_id"}
    opened = Workspace.open(folder, ENCODER)
    assert alike(opened, "c")[0] == "d"  # navy is a kind of blue, firebrick of red
    assert set(alike(opened, "a")) == set(COLOURS) - {"a"}
    ranking = opened.ranker.rank(Query(liked=("c",)), 20)
    evidence = {c.item_id: {e.source for e in c.evidence} for c in ranking.candidates}
    assert "images" in evidence["d"]
    assert "images" not in evidence["o"]
    assert len(ranking.candidates) == 8


def test_images_by_a_clip_end_to_end(files: Path, clip: Path) -> None:
    folder, seen = files / "w", []
    report = index(
        files / "posters.csv",
        None,
        folder,
        encoder=ENCODER,
        images=clip,
        progress=lambda *step: seen.append(step),
    )
    assert report.looks is not None
    assert (report.looks.total, report.looks.kept, report.looks.rejected) == (8, 5, 3)
    assert ("images", 8, 8) in seen
    why = reasons(report.rejected_file)
    assert why["https://x.test/w.png"].endswith("an image on the web is not fetched: give the path of a copy")
    assert why["m.png"] == "image does not exist"
    assert why["noise.png"].startswith("image cannot be read")
    opened = Workspace.open(folder, ENCODER)
    encoder = ClipEncoder(clip)
    images = [Image.open(files / f"{name}.png").convert("RGB") for name in COLOURS]
    vectors = encoder.encode(images)
    cosines = {name: float(vectors[0] @ vector) for name, vector in zip(COLOURS, vectors, strict=True)}
    expected = sorted(set(COLOURS) - {"a"}, key=lambda name: -cosines[name])
    assert alike(opened, "a") == expected
    assert str(clip) in opened.manifest.source


def test_images_come_and_go_with_their_items(files: Path, clip: Path) -> None:
    folder = files / "w"
    index(files / "posters.csv", None, folder, encoder=ENCODER, images=clip)
    draw(files, f="#f01010", g="black")
    more = files / "more.csv"
    more.write_text("id,title,image\nf,Poster f,f.png\nc,Poster c,g.png\n")
    report = change(folder, more, ["b"], encoder=ENCODER, images=clip)
    assert (report.added, report.changed, report.removed) == (1, 1, 1)
    opened = Workspace.open(folder, ENCODER)
    assert opened.snapshot.looks is not None
    assert opened.snapshot.looks.ids == ("a", "c", "d", "e", "f")
    assert alike(opened, "a")[0] == "f"
    again = Workspace.build(
        files / "fresh",
        CatalogueRead(opened.catalogue, (), len(opened.catalogue)),
        encoder=ENCODER,
        looks_read=encode_images(opened.catalogue.items, more, ClipEncoder(clip)),
    )
    for item_id in opened.snapshot.looks.ids:
        assert alike(opened, item_id) == alike(again, item_id)
    # An item that changes its image without --images no longer looks like the old one.
    more.write_text("id,title,image\nc,Poster c,c.png\nf,Poster six,f.png\n")
    change(folder, more, encoder=ENCODER)
    left = Workspace.open(folder, ENCODER).snapshot.looks
    assert left is not None
    assert left.ids == ("a", "d", "e", "f")
    last = Workspace.open(folder, ENCODER).remove(left.ids)
    assert last.snapshot.looks is None
    assert "images" not in last.ranker.sources


def test_vectors_can_be_added_to_a_workspace_that_has_none(files: Path) -> None:
    folder = files / "w"
    index(files / "posters.csv", None, folder, encoder=ENCODER)
    assert "images" not in Workspace.open(folder, ENCODER).ranker.sources
    table = files / "v.csv"
    table.write_text('item_id,embedding\na,"1, 0"\nb,[0.9 0.1]\nc,0|1\n')
    change(folder, encoder=ENCODER, vectors=table)
    assert alike(Workspace.open(folder, ENCODER), "a") == ["b", "c"]
    table.write_text("item_id,embedding\nc,1 0.01\n")
    change(folder, encoder=ENCODER, vectors=table)
    assert alike(Workspace.open(folder, ENCODER), "a") == ["c", "b"]
    table.write_text("item_id,embedding\nc,1 0 0\n")
    with pytest.raises(WorkspaceError, match=r"'precomputed' \(3 numbers\) cannot stand beside those of"):
        change(folder, encoder=ENCODER, vectors=table)
    table.write_text("item_id,embedding\nc,1 0\nzzz,1 0\n")
    with pytest.raises(CatalogueError, match=r"v.csv, row 2: unknown item_id: 'zzz'. Nothing was changed"):
        change(folder, encoder=ENCODER, vectors=table)
    assert alike(Workspace.open(folder, ENCODER), "a") == ["c", "b"]


def test_a_damaged_store_of_looks_repairs_itself_and_damaged_looks_are_named(files: Path) -> None:
    folder = files / "w"
    table = files / "v.csv"
    table.write_text("item_id,vector\na,1 0\nb,1 1\nc,0 1\n")
    index(files / "posters.csv", None, folder, encoder=ENCODER, vectors=table)
    opened = Workspace.open(folder, ENCODER)
    expected, build = alike(opened, "a"), folder / "builds" / opened.manifest.build
    (build / "images" / "chroma" / "index.json").write_text("{")
    assert alike(Workspace.open(folder, ENCODER), "a") == expected == ["b", "c"]
    (build / "looks.npz").write_bytes(b"")
    with pytest.raises(WorkspaceError, match=r"looks.npz is missing or damaged"):
        Workspace.open(folder, ENCODER)


@pytest.mark.parametrize(
    ("vector", "reason"),
    [
        ("", "no list of numbers"),
        ("1 x", "no list of numbers"),
        ("0 0", "numbers that are not finite, or all zero"),
        ("nan 1", "numbers that are not finite, or all zero"),
        ("inf 1", "numbers that are not finite, or all zero"),
        ("1e999 1", "numbers that are not finite, or all zero"),
        ("1 2 3", "not as many numbers as in the first vector"),
    ],
)
def test_a_vector_that_cannot_be_used_is_rejected_alone(tmp_path: Path, vector: str, reason: str) -> None:
    table = tmp_path / "v.csv"
    table.write_text(f"item_id,vector\n10,1 0\n11,{vector}\n10,0 1\n,1 0\n12,3 4\n")
    read = read_vectors(table, FILMS)
    assert read.looks is not None
    assert read.looks.ids == ("10", "12")
    assert read.looks.vectors.tolist() == [[1, 0], pytest.approx([0.6, 0.8])]
    assert [row.reason for row in read.rejected] == [reason, "duplicate item_id", "missing item_id"]
    assert read.total == 5


def test_vectors_in_parquet(tmp_path: Path) -> None:
    table = pa.table({"item_id": ["12", "10"], "vector": [[0.0, 2.0], [3.0, 0.0]]})
    pq.write_table(table, tmp_path / "v.parquet")
    read = read_vectors(tmp_path / "v.parquet", FILMS)
    assert read.looks is not None
    assert (read.looks.ids, read.looks.vectors.tolist()) == (("10", "12"), [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("item_id,title\n10,x\n", "needs the columns item_id and vector; its columns: item_id, title"),
        ("item_id,vector\nzzz,1\n", "no usable row. The first: unknown item_id: 'zzz'"),
        ("item_id,vector\n", "no usable row"),
    ],
)
def test_a_file_without_vectors_is_an_error(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "v.csv").write_text(content)
    with pytest.raises(CatalogueError, match=said):
        read_vectors(tmp_path / "v.csv", FILMS)


def test_a_folder_that_is_no_clip_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="holds no weights as"):
        ClipEncoder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(WorkspaceError, match=r"cannot be opened") as caught:
        ClipEncoder(tmp_path)
    assert "\n" not in str(caught.value)


def test_no_image_at_all_is_no_source(tmp_path: Path) -> None:
    items = [Item("1", "A"), Item("2", "B", image="none.png")]
    read = encode_images(items, tmp_path / "c.csv", None)  # type: ignore[arg-type]
    assert (read.looks, read.total, len(read.rejected)) == (None, 1, 1)
    built = Workspace.build(
        tmp_path / "w", CatalogueRead(Catalogue(items), (), 2), encoder=ENCODER, looks_read=read
    )
    assert "images" not in built.ranker.sources
    looks = looks_of(("1", (1, 0)))
    changed = built.change(Changes(looks=looks))
    assert changed.snapshot.looks is not None
    assert changed.snapshot.looks.same(looks)
    assert changed.change(Changes(looks=looks)).manifest == changed.manifest
    assert LooksRead(looks, (), 1).looks is looks
