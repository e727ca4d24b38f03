"""The NVIDIA GPUs of this machine, as nvidia-smi lists them."""

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass  # slow to import: the functions that need it import it


@dataclass(frozen=True)
class Card:
    """A GPU as nvidia-smi lists it, which ignores ``CUDA_VISIBLE_DEVICES``."""

    uuid: str
    name: str
    memory_mib: int | None


def cards() -> list[Card]:
    """All NVIDIA GPUs of the machine; empty if nvidia-smi is missing or fails."""
    program = shutil.which("nvidia-smi")
    if not program:
        return []
    query = [program, "--query-gpu=uuid,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_cards(listed)


def parse_cards(listed: str) -> list[Card]:
    """The cards in the output of nvidia-smi, one per line."""
    rows = [[cell.strip() for cell in line.split(",")] for line in listed.splitlines() if line.count(",") == 2]
    return [Card(uuid, name, int(memory) if memory.isdigit() else None) for uuid, name, memory in rows]


def visible_cards(cards: list[Card], mask: str | None) -> list[Card | None]:
    """The cards in the order of ``CUDA_VISIBLE_DEVICES``, by index or prefix of a UUID; None for unknown ones."""
    if mask is None:
        return list(cards)
    by_index = {str(index): card for index, card in enumerate(cards)}
    names = [name.strip() for name in mask.split(",")]
    return [by_index.get(name) or next((c for c in cards if name and c.uuid.startswith(name)), None) for name in names]


def memory(name: str, card: Card | None) -> int | None:
    """The card's memory if the names match: CUDA may order GPUs by speed, nvidia-smi orders them by slot."""
    return card.memory_mib if card and card.name == name else None
