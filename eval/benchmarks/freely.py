"""What a model writes with nothing to hold it, many prompts at once, for adapters that cannot be merged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

BATCH = 24


def write_freely(
    base: Path, adapter: Path | None, prompts: Sequence[Sequence[dict[str, str]]], most: int
) -> list[str]:
    """The greedy answer to each chat, at most `most` tokens. `base`: a model folder; `adapter`: a PEFT folder
    put on it, unmerged; None for the base alone.
    """
    import torch

    from finetune.lora import load_base

    model, tokenizer = load_base(base)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(adapter), autocast_adapter_dtype=False)
    model.eval()
    tokenizer.padding_side = "left"
    chats = [
        tokenizer.apply_chat_template(list(p), tokenize=False, add_generation_prompt=True) for p in prompts
    ]
    order = sorted(range(len(chats)), key=lambda place: len(chats[place]))  # little padding
    texts = [""] * len(chats)
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        given: Any = tokenizer([chats[place] for place in places], padding=True, return_tensors="pt")
        with torch.inference_mode():
            out = model.generate(
                **given, max_new_tokens=most, do_sample=False, pad_token_id=tokenizer.pad_token_id
            )
        answers = out[:, given["input_ids"].shape[1] :]
        for place, text in zip(
            places, tokenizer.batch_decode(answers, skip_special_tokens=True), strict=True
        ):
            texts[place] = text.strip()
    return texts
