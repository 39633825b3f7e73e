#!/usr/bin/env python3
"""Writes server/llm/src/pricing/data.rs and unit_data.rs from public price tables.

    python3 scripts/refresh_prices.py

Figures come from two packages of the Python registry, installed into a temporary environment: `litellm` (its JSON
table) and, for models that are not in it, `genai-prices`. Only figures are taken, no code. Prices are list prices in US
dollars: of tokens, no batch, priority, regional or long-context tiers; and of what is not charged by tokens, one price a
model: no sizes or qualities of images.

Look at the difference before committing it.
"""

import json
import subprocess
import sys
import tempfile
import venv
from datetime import date
from decimal import Decimal
from pathlib import Path

PRICING = Path(__file__).parent.parent / "server/llm/src/pricing"
OUT = PRICING / "data.rs"
UNITS_OUT = PRICING / "unit_data.rs"

# Provider kind: its names in litellm, the prefixes there of its models, its id in genai-prices.
KINDS = {
    "anthropic": (["anthropic"], ["anthropic/"], "anthropic"),
    "cerebras": (["cerebras"], ["cerebras/"], "cerebras"),
    "cohere": (["cohere", "cohere_chat"], ["cohere/", "cohere_chat/"], "cohere"),
    "deepseek": (["deepseek"], ["deepseek/"], "deepseek"),
    "fireworks": (["fireworks_ai", "fireworks_ai-embedding-models"], ["fireworks_ai/"], "fireworks"),
    "gemini": (["gemini"], ["gemini/"], "google"),
    "groq": (["groq"], ["groq/"], "groq"),
    "mistral": (["mistral"], ["mistral/"], "mistral"),
    "openai": (["openai", "text-completion-openai"], ["openai/"], "openai"),
    "openrouter": (["openrouter"], ["openrouter/"], "openrouter"),
    "perplexity": (["perplexity"], ["perplexity/"], "perplexity"),
    "together": (["together_ai"], ["together_ai/"], "together"),
    "xai": (["xai"], ["xai/"], "x-ai"),
}
MODES = {"chat", "completion", "responses", "embedding"}
# What is charged by something else than tokens: the mode, the figures that may say so, and what it is called here.
UNITS = {
    "audio_speech": (["input_cost_per_character"], "Character"),
    "audio_transcription": (["input_cost_per_second"], "AudioSecond"),
    "image_generation": (["output_cost_per_image", "input_cost_per_image"], "Image"),
    "rerank": (["input_cost_per_query"], "Search"),
}
# Misprints of the sources: a thousand times what the maker charges.
WRONG = {("cohere", "embed-multilingual-light-v3.0")}
# Of the hundreds that one provider resells, those of the best-known makers.
RESOLD = ("anthropic/", "deepseek/", "google/", "meta-llama/", "mistralai/", "moonshotai/", "openai/", "qwen/", "x-ai/", "z-ai/")

READ_GENAI = """
import json
from genai_prices.data import providers

def amount(price):
    if price is None:
        return None
    return str(getattr(price, "base", price))

def names(clause):
    if hasattr(clause, "equals"):
        return [clause.equals]
    return [name for part in getattr(clause, "or_", []) for name in names(part)]

out = []
for provider in providers:
    for model in provider.models:
        prices = model.prices
        if isinstance(prices, list):
            # Without a constraint first, then by date or hour: the last one is what holds now.
            plain = [p for p in prices if p.constraint is None]
            prices = (plain or prices)[-1].prices
        fields = ["input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok"]
        row = [amount(getattr(prices, field, None)) for field in fields]
        for name in {model.id, *names(model.match)}:
            out.append([provider.id, name, row])
print(json.dumps(out))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin/python"
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "genai-prices"], check=True)
        subprocess.run([*pip, "--no-deps", "litellm"], check=True)
        [package] = Path(folder).glob("lib/python*/site-packages")
        versions = {name: version(package, name) for name in ("litellm", "genai_prices")}
        litellm = json.loads((package / "litellm/model_prices_and_context_window_backup.json").read_text())
        genai = json.loads(subprocess.check_output([python, "-c", READ_GENAI]))
    table = {kind: {} for kind in KINDS}
    add_genai(table, genai)
    add_litellm(table, litellm)
    for kind, name in WRONG:
        del table[kind][name]
    OUT.write_text(rust(table, versions))
    UNITS_OUT.write_text(units(litellm, versions))
    count = sum(len(models) for models in table.values())
    print(f"{OUT}: {count} models, {OUT.stat().st_size} bytes", file=sys.stderr)


def version(package: Path, name: str) -> str:
    [info] = package.glob(f"{name}-*.dist-info")
    return info.name.removeprefix(f"{name}-").removesuffix(".dist-info")


def add_genai(table: dict, rows: list) -> None:
    kinds = {genai: kind for kind, (_, _, genai) in KINDS.items()}
    for provider, model, prices in rows:
        kind = kinds.get(provider)
        if kind is None or kind == "openrouter" and not model.startswith(RESOLD):
            continue
        # Dollars per million tokens.
        nanos = [None if price is None else round(Decimal(price) * 10**9) for price in prices]
        add(table[kind], model, *nanos)


def add_litellm(table: dict, rows: dict) -> None:
    for kind, (owners, prefixes, _) in KINDS.items():
        for name, row in rows.items():
            if row.get("litellm_provider") not in owners or row.get("mode") not in MODES:
                continue
            for prefix in prefixes:
                name = name.removeprefix(prefix)
            if name.startswith("ft:") or kind == "openrouter" and not name.startswith(RESOLD):
                continue
            # Dollars per token.
            fields = ["input", "cache_read_input", "cache_creation_input", "output"]
            costs = [row.get(f"{field}_token_cost") or row.get(f"{field}_cost_per_token") for field in fields]
            nanos = [None if cost is None else round(Decimal(str(cost)) * 10**15) for cost in costs]
            add(table[kind], name, *nanos)


def add(models: dict, name: str, input, cached, write, output) -> None:
    """What has no price of its own costs what plain input does."""
    output = output or 0
    if input is None or input + output == 0:
        return
    if not (name.isascii() and name.isprintable()) or '"' in name or "\\" in name:
        return
    # 0 stands for "as input" in the sources, and nobody writes to or reads from a cache at a loss.
    models[name] = (input, cached or input, write or input, output)


def units(rows: dict, versions: dict) -> str:
    found = {}
    for kind, (owners, prefixes, _) in KINDS.items():
        for name, row in rows.items():
            fields, unit = UNITS.get(row.get("mode"), ([], ""))
            cost = next((row[field] for field in fields if row.get(field)), None)
            if row.get("litellm_provider") not in owners or cost is None:
                continue
            for prefix in prefixes:
                name = name.removeprefix(prefix)
            # A slash is a size or a quality.
            if name.isascii() and name.isprintable() and not set(name) & set('/"\\\\'):
                found[kind, name] = (unit, round(Decimal(str(cost)) * 10**9))
    lines = [
        "//! List prices of what is not charged by tokens. Written by `scripts/refresh_prices.py`: change that, not this.",
        "//!",
        f"//! From the Python package litellm {versions['litellm']}, on {date.today().isoformat()}.",
        "",
        "use super::units::{Row, Unit, row};",
        "",
        "/// Provider kind, model, what is charged for, and billionths of a US dollar for each. Sorted.",
        "#[rustfmt::skip]",
        "pub(super) static PRICES: &[Row] = &[",
    ]
    for (kind, name), (unit, price) in sorted(found.items()):
        lines.append(f'    row("{kind}", "{name}", Unit::{unit}, {price:_}),')
    return "\n".join([*lines, "];", ""])


def rust(table: dict, versions: dict) -> str:
    lines = [
        "//! List prices. Written by `scripts/refresh_prices.py`: change that, not this.",
        "//!",
        f"//! From the Python packages litellm {versions['litellm']} and genai-prices {versions['genai_prices']},",
        f"//! on {date.today().isoformat()}.",
        "",
        "use super::table::{Row, row};",
        "",
        "/// Provider kind, model, then billionths of a US dollar per million tokens of input, input read from",
        "/// the cache, input written to it, and output. Sorted.",
        "#[rustfmt::skip]",
        "pub(super) static PRICES: &[Row] = &[",
    ]
    for kind in sorted(table):
        for name, prices in sorted(table[kind].items()):
            figures = ", ".join(f"{price:_}" for price in prices)
            lines.append(f'    row("{kind}", "{name}", [{figures}]),')
    return "\n".join([*lines, "];", ""])


if __name__ == "__main__":
    main()
