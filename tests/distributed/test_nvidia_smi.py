import pytest

from deepfake_cli.distributed import nvidia_smi

LISTED = "GPU-aaa, A100, 40960\nGPU-bbb, A100, 40960\nMIG-1, T4, [N/A]\n"


@pytest.mark.parametrize(
    ("mask", "uuids"),
    [
        (None, ["GPU-aaa", "GPU-bbb", "MIG-1"]),
        ("1,0", ["GPU-bbb", "GPU-aaa"]),
        ("GPU-b, 7", ["GPU-bbb", None]),
        ("", [None]),
    ],
)
def test_cards_follow_cuda_visible_devices(mask, uuids):
    cards = nvidia_smi.visible_cards(nvidia_smi.parse_cards(LISTED), mask)
    assert [card and card.uuid for card in cards] == uuids


def test_memory_is_reported_only_for_the_same_card():
    a100, _, t4 = nvidia_smi.parse_cards(LISTED)
    assert nvidia_smi.memory("A100", a100) == 40960
    assert nvidia_smi.memory("T4", a100) is nvidia_smi.memory("T4", t4) is nvidia_smi.memory("T4", None) is None
