"""Adapters merged, models written as GGUF and for OpenVINO, and read back: the same weights each time."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import tiny
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.model import assets
from agent.model.engine import TransformersEngine
from agent.model.export import interleave, merge, write_gguf
from agent.model.language import open_language
from agent.model.llm import LocalChatModel
from finetune import export

pytestmark = pytest.mark.model
IDS = [1, 4093, 198, 30, 2000, 17, 40000, 5]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_adapter(base, tmp_path_factory.mktemp("adapter"))


@pytest.fixture(scope="module")
def exported(base: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A merged model folder with model.gguf inside, as the command writes it."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "model_folder", lambda: base)
        assert export.export(adapter, folder) == folder / "model.gguf"
    return folder


def logits(folder: Path, adapter: Path | None = None, **options: Any) -> NDArray[np.float32]:
    """(tokens, vocabulary), in 32 bits; with `adapter` beside the weights, not merged."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, str(adapter))
    with torch.inference_mode():
        return model.eval()(torch.tensor([IDS])).logits[0].numpy()


def test_merged_is_unmerged(base: Path, adapter: Path, exported: Path) -> None:
    unmerged, merged, untouched = logits(base, adapter), logits(exported), logits(base)
    assert np.abs(unmerged - untouched).mean() > 0.5
    assert np.abs(unmerged - merged).mean() < 0.02 * np.abs(unmerged).mean()


def test_gguf_read_back_is_what_was_written(exported: Path) -> None:
    """Read by transformers, which undoes the order of rows by itself."""
    from transformers import GgufConfig

    written = logits(exported)
    read = logits(exported, gguf_file="model.gguf", quantization_config=GgufConfig(dequantize=True))
    assert np.abs(read - written).mean() < 0.05 * np.abs(written).mean()


def test_each_block_is_as_close_as_eight_bits_are(exported: Path) -> None:
    from safetensors.torch import load_file

    weights = load_file(exported / "model.safetensors")
    tensors = {t.name: t for t in gguf.GGUFReader(exported / "model.gguf").tensors}
    assert len(tensors) == len(weights)
    for name, target, heads in (
        ("model.embed_tokens", "token_embd", 0),
        ("model.layers.1.mlp.down_proj", "blk.1.ffn_down", 0),
        ("model.layers.0.self_attn.q_proj", "blk.0.attn_q", 4),
        ("model.layers.1.self_attn.k_proj", "blk.1.attn_k", 2),
    ):
        tensor, weight = tensors[f"{target}.weight"], weights[f"{name}.weight"].float().numpy()
        assert tensor.tensor_type == gguf.GGMLQuantizationType.Q8_0
        blocks = (interleave(weight, heads) if heads else weight).reshape(-1, 32)
        read = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(-1, 32)
        step = np.abs(blocks).max(axis=1, keepdims=True) / 127
        assert (np.abs(read - blocks) <= 0.55 * step + 1e-6).all()


def test_rows_of_pairs() -> None:
    rows = np.arange(8.0).reshape(8, 1)  # two heads of four rows
    assert interleave(rows, 2).ravel().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_the_file_says_what_the_packaged_one_says(base: Path, exported: Path) -> None:
    files = (assets.packaged_gguf(), exported / "model.gguf")
    theirs, ours = ({n: f for n, f in gguf.GGUFReader(file).fields.items() if "." in n} for file in files)
    assert {n for n in theirs if n.startswith("llama.")} == {n for n in ours if n.startswith("llama.")}
    for name in theirs:
        if name.startswith("tokenizer."):
            assert ours[name].contents() == theirs[name].contents(), name
        if not name.startswith("general."):
            assert ours[name].types == theirs[name].types
    sizes = {name.removeprefix("llama."): ours[name].contents() for name in ours}
    config = json.loads((base / "config.json").read_text())
    assert sizes["embedding_length"] == config["hidden_size"]
    assert sizes["attention.head_count_kv"] == config["num_key_value_heads"]
    assert (sizes["rope.freq_base"], sizes["rope.dimension_count"]) == (100000.0, config["head_dim"])


def test_what_cannot_be_merged(base: Path, adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        merge(tmp_path / "nowhere", tmp_path / "a", base)
    other = tiny.write_model(tmp_path / "other", hidden_size=32)
    with pytest.raises(ModelError, match="Cannot merge the adapter"):
        merge(adapter, tmp_path / "b", other)


def test_what_cannot_be_written(base: Path, tmp_path: Path) -> None:
    config = json.loads((base / "config.json").read_text())
    for change, words in (({"model_type": "gpt2"}, "no Llama"), ({"vocab_size": 7}, "has 7 tokens")):
        (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
        with pytest.raises(ModelError, match=words):
            write_gguf(tmp_path, tmp_path / "x.gguf", like=assets.packaged_gguf())


def test_another_adapter_has_another_folder(adapter: Path, tmp_path: Path) -> None:
    source = assets.packaged_gguf()
    names = {assets._name(source), assets._name(source, adapter)}
    changed = shutil.copytree(adapter, tmp_path / "changed")
    assert assets._name(source, changed) in names
    config = json.loads((changed / "adapter_config.json").read_text())
    (changed / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 1}))
    assert assets._name(source, changed) not in names
    with pytest.raises(ModelError, match="Cannot read the adapter"):
        assets._name(source, tmp_path)


@pytest.fixture
def own_home(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own where the small model stands in the packaged one's place, converted already."""
    models = tmp_path / "home" / "models"
    models.mkdir(parents=True)
    (models / assets._name(assets.packaged_gguf())).symlink_to(base)
    monkeypatch.setenv("TASTEBUD_HOME", str(models.parent))
    return models


@pytest.mark.parametrize("fast", [True, False])
def test_the_agents_own_adapter_is_used(
    fast: bool, adapter: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fast and not assets.has_openvino():
        pytest.skip("OpenVINO is not installed: the extra `fast`")
    monkeypatch.setattr(assets, "has_openvino", lambda: fast)
    monkeypatch.setattr(assets, "WEIGHTS", adapter.parent)
    assert assets.packaged_adapter() is None
    monkeypatch.setattr(assets, "WEIGHTS", adapter)
    language = open_language("packaged")
    assert language is not None
    assert isinstance(language.model, LocalChatModel)
    engine = language.model.engine
    assert isinstance(engine, TransformersEngine) != fast
    assert ("openvino" in language.name) == fast
    assert assets._name(assets.packaged_gguf(), adapter) in language.name
    engine._restore(None)
    wanted = logits(assets.model_folder(adapter))[-1]
    assert np.abs(engine._forward(IDS) - wanted).mean() < 0.1 * np.abs(wanted).mean()
    assert not [path.name for path in own_home.rglob("*") if path.name[0] == "." or path.suffix == ".gguf"]


def test_a_conversion_that_fails_leaves_nothing(own_home: Path, tmp_path: Path) -> None:
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelError, match="Cannot merge"):
        assets.model_folder(tmp_path)
    assert [path.name for path in own_home.iterdir()] == [assets.model_folder().name]


def test_only_the_models_used_last_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "home", lambda: tmp_path)
    monkeypatch.setattr(assets, "KEPT", 2)

    def make(fresh: Path) -> None:
        (fresh / "config.json").write_text("{}")

    for place, name in enumerate(("a", "b")):
        folder = assets._made(name, make)
        os.utime(folder, (place, place))
    assets._made("a", make)  # used again, so "b" is the one that goes
    assets._made("c", make)
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["a", "c"]
