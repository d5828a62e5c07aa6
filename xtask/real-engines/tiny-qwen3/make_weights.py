"""make_weights.py MODEL_DIR: weights for the tiny model, drawn from a fixed seed.

An engine's own dummy weights are so small that the answer depends on the last token alone, and wrong
KV would go unseen. These attend sharply and mix strongly, so the answer depends on the whole prompt.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

SEED = 1
SHARP_ATTENTION = 2.0
STRONG_MIXING = 4.0


def main(folder: pathlib.Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    head = config["head_dim"]
    query, key = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    generator = torch.Generator().manual_seed(SEED)

    def matrix(rows: int, columns: int, gain: float = 1.0) -> torch.Tensor:
        return (torch.randn(rows, columns, generator=generator) * gain / columns**0.5).bfloat16()

    def constant(size: int, value: float = 1.0) -> torch.Tensor:
        return torch.full((size,), value).bfloat16()

    embedding = torch.randn(config["vocab_size"], hidden, generator=generator).bfloat16()
    tensors = {"model.embed_tokens.weight": embedding, "model.norm.weight": constant(hidden)}
    for number in range(config["num_hidden_layers"]):
        layer = {
            "self_attn.q_proj": matrix(query, hidden, SHARP_ATTENTION),
            "self_attn.k_proj": matrix(key, hidden, SHARP_ATTENTION),
            "self_attn.v_proj": matrix(key, hidden, STRONG_MIXING),
            "self_attn.o_proj": matrix(hidden, query, STRONG_MIXING),
            "self_attn.q_norm": constant(head, SHARP_ATTENTION),
            "self_attn.k_norm": constant(head, SHARP_ATTENTION),
            "mlp.gate_proj": matrix(inner, hidden),
            "mlp.up_proj": matrix(inner, hidden),
            "mlp.down_proj": matrix(hidden, inner),
            "input_layernorm": constant(hidden),
            "post_attention_layernorm": constant(hidden),
        }
        tensors.update({f"model.layers.{number}.{name}.weight": tensor for name, tensor in layer.items()})
    partial = folder / "model.safetensors.partial"
    save_file(tensors, partial, metadata={"format": "pt"})
    partial.rename(folder / "model.safetensors")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
