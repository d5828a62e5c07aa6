"""Trains the small tokenizer beside this file on the text of this repository.

    pip install tokenizers==0.23.3
    python train.py

The result depends on the text as it stands, so ids change with every run: train anew only for a reason.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
MERGED = 4096
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MARKERS = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]


def texts():
    paths = sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")) + sorted(ROOT.glob("gateway-*/src/**/*.rs"))
    for path in paths:
        yield path.read_text(encoding="utf-8")


def train():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=MERGED, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in MARKERS])
    return tokenizer


def write(name, value):
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    (HERE / name).write_text(text, encoding="utf-8")


def main():
    tokenizer = train()
    tokenizer.save(str(HERE / "tokenizer.json"), pretty=False)
    ids = {text: tokenizer.token_to_id(text) for text in SPECIAL}
    write("tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": None,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": None,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 8192,
    })
    write("generation_config.json", {
        "eos_token_id": [ids["<|im_end|>"], ids["<|endoftext|>"]],
        "pad_token_id": ids["<|endoftext|>"],
        "temperature": 0.7,
        "top_p": 0.9,
    })
    write("config.json", {
        "model_type": "small",
        "eos_token_id": ids["<|im_end|>"],
        "max_position_embeddings": 8192,
        "vocab_size": tokenizer.get_vocab_size(),
    })


if __name__ == "__main__":
    main()
