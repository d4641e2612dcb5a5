"""A gated recurrent unit trained with jax, and the header the detectors are compiled with."""

import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Loss = Callable[[Any, Any], Any]
"""Of the output, (scenes, frames), and the truth of the same scenes."""


def forward(weights: Any, inputs: Any) -> Any:
    units = weights["output"].shape[0]
    driven = inputs @ weights["input"] + weights["bias"]

    def step(hidden: Any, now: Any) -> Any:
        fed = hidden @ weights["recurrent"]
        reset = jax.nn.sigmoid(now[:, :units] + fed[:, :units])
        update = jax.nn.sigmoid(now[:, units : 2 * units] + fed[:, units : 2 * units])
        candidate = jnp.tanh(now[:, 2 * units :] + reset * (fed[:, 2 * units :] + weights["candidate_bias"]))
        hidden = hidden + update * (candidate - hidden)
        return hidden, hidden

    _, states = jax.lax.scan(step, jnp.zeros((inputs.shape[0], units)), driven.transpose(1, 0, 2), unroll=8)
    return states.transpose(1, 0, 2) @ weights["output"] + weights["output_bias"]


def train(inputs: Floats, truth: Any, loss: Loss, units: int, steps: int) -> dict[str, Floats]:
    """Return weights for raw inputs: their mean and deviation are folded in."""
    rng = np.random.default_rng(0)
    mean, deviation = inputs.mean((0, 1)), inputs.std((0, 1)) + 1e-3
    count = inputs.shape[2]
    weights: Any = {
        "input": rng.normal(0, count**-0.5, (count, 3 * units)),
        "recurrent": rng.normal(0, 0.7 * units**-0.5, (units, 3 * units)),
        "bias": np.concatenate([np.zeros(units), -np.ones(units), np.zeros(units)]),
        "candidate_bias": np.zeros(units),
        "output": rng.normal(0, 0.3, units),
        "output_bias": np.zeros(()),
    }
    weights = {name: jnp.asarray(value, jnp.float32) for name, value in weights.items()}
    schedule = optax.cosine_onecycle_schedule(steps, 4e-3)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))
    state = optimizer.init(weights)

    def step(weights: Any, state: Any, some: Any, wanted: Any) -> Any:
        value, slope = jax.value_and_grad(lambda w: loss(forward(w, some), wanted))(weights)
        change, state = optimizer.update(slope, state)
        return optax.apply_updates(weights, change), state, value

    fast = jax.jit(step)
    for number in range(steps):
        chosen = rng.integers(0, len(inputs), 48)
        weights, state, value = fast(weights, state, (inputs[chosen] - mean) / deviation, truth[chosen])
        if number % 250 == 249:
            print(f"step {number + 1}: loss {float(value):.4f}", file=sys.stderr, flush=True)
    made = {name: np.asarray(value, np.float32) for name, value in weights.items()}
    made["bias"] = made["bias"] - (mean / deviation) @ made["input"]
    made["input"] = made["input"] / deviation[:, np.newaxis]
    return made


def header(weights: dict[str, Floats], prefix: str) -> str:
    """Return the C header; the inputs are filled up to 40 with zeros."""
    filled = np.zeros((40, weights["input"].shape[1]), np.float32)
    filled[: len(weights["input"])] = weights["input"]
    lines = ["/* Made by bench/training; do not edit. */"]
    for name in ("input", "recurrent", "bias", "candidate_bias", "output", "output_bias", "scale"):
        if name not in weights:
            continue
        array = filled if name == "input" else weights[name]
        sizes = "".join(f"[{size}]" for size in array.shape)
        numbers = [f"{float(value):.5e}f" for value in array.reshape(-1)]
        body = ",\n".join(", ".join(numbers[at : at + 7]) for at in range(0, len(numbers), 7))
        body = f"{{\n{body}\n}}" if sizes else body
        if array.ndim == 2:  # braces of each row
            rows = (", ".join(f"{float(value):.5e}f" for value in row) for row in array)
            body = "{\n" + ",\n".join(f"{{{row}}}" for row in rows) + "\n}"
        lines.append(f"static const float {prefix}_{name.upper()}{sizes} = {body};")
    return "\n".join(lines) + "\n"
