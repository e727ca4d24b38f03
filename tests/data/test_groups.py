"""Groups and splits, on random data."""

from collections import defaultdict

import numpy as np
import pytest

from deepfake_cli.data.groups import Link, divide, links, name_groups
from deepfake_cli.errors import DatasetError

TIMIT_PAIRS = [
    "fadg0-fram1",
    "faks0-fedw0",
    "fcft0-fdrd1",
    "fcmh0-fjre0",
    "fdac1-felc0",
    "fjas0-fjwb0",
    "fjem0-fkms0",
    "mccs0-mmdm2",
    "mcem0-mdld0",
    "mdab0-mpdf0",
    "mdbb0-mrcz0",
    "mgwt0-mjar0",
    "mjsw0-mmdb1",
    "mpgl0-mwbt0",
    "mrgg0-msjs1",
    "mrjo0-mstk0",
]  # Korshunov and Marcel 2018
KINDS = {"both": frozenset({0, 1}), "fakes": frozenset({1}), "reals": frozenset({0})}
SHARES = (
    {"train": 0.8, "val": 0.2},
    {"train": 0.6, "val": 0.2, "test": 0.2},
    {"train": 0.5, "val": 0.35, "test": 0.15},
)


def random_links(random: np.random.Generator) -> list[tuple[Link, ...]]:
    """Links of a few kinds, some with the same name."""
    names = [
        Link(str(random.choice(["person", "pair", "video"])), f"p{number % 30}")
        for number in range(random.integers(1, 40))
    ]
    return [
        tuple(names[index] for index in random.integers(0, len(names), random.integers(1, 4)))
        for _ in range(random.integers(1, 50))
    ]


def people(*names: str) -> tuple[Link, ...]:
    return tuple(Link("person", name) for name in names)


def components(tied) -> list[frozenset[Link]]:
    """Brute force: merge sets, one per clip, until nothing changes."""
    sets = [set(shared) for shared in tied]
    changed = True
    while changed:
        changed = False
        for one in sets:
            for other in sets:
                if one & other and one != other:
                    one |= other
                    other |= one
                    changed = True
    return [frozenset(each) for each in sets]


def classes_of(**counts: int) -> dict[str, frozenset[int]]:
    return {f"{kind}{number:03d}": KINDS[kind] for kind, count in counts.items() for number in range(count)}


def possible(parts: int, *, both: int, fakes: int, reals: int) -> bool:
    """A part has both classes if it has a group with both, or one of each."""
    return parts <= both + min(fakes, reals)


@pytest.mark.parametrize("seed", range(30))
def test_groups_are_the_connected_components(seed):
    random = np.random.default_rng(seed)
    tied = random_links(random)
    names, expected = name_groups(tied), components(tied)
    for one in range(len(tied)):
        for other in range(len(tied)):
            assert (names[one] == names[other]) == (expected[one] == expected[other])


@pytest.mark.parametrize("seed", range(10))
def test_group_names_do_not_depend_on_the_order(seed):
    random = np.random.default_rng(seed)
    tied = random_links(random)
    named = dict(zip(tied, name_groups(tied), strict=True))
    shuffled = [
        tuple(tied[index][place] for place in random.permutation(len(tied[index])))
        for index in random.permutation(len(tied))
    ]
    assert {frozenset(key): value for key, value in zip(shuffled, name_groups(shuffled), strict=True)} == {
        frozenset(key): value for key, value in named.items()
    }


def test_timit_has_sixteen_pairs():
    fakes = [pair.split("-") for pair in TIMIT_PAIRS]
    fakes += [pair[::-1] for pair in fakes]  # both directions
    reals = [[speaker] for pair in TIMIT_PAIRS for speaker in pair.split("-")]
    others = [[f"mxyz{number}"] for number in range(11)]  # VidTIMIT's speakers without a fake
    names = name_groups([people(*each) for each in fakes + reals + others])
    assert set(names[: len(fakes)]) == set(TIMIT_PAIRS)
    assert set(names[len(fakes) : -11]) == set(TIMIT_PAIRS)
    assert names[-11:] == [speaker for (speaker,) in others]


def test_long_groups_have_short_names():
    assert name_groups([people(*pair) for pair in ("dc", "cb", "ba", "ae")]) == ["a-b-c+2"] * 4


def test_links_of_a_clip():
    """Two fakes of one target by two donors, a real of the target, and another unrelated real of it."""
    clips = [(("a", "b"), ("a/1",)), (("a", "c"), ("a/1",)), (("a",), ("a/1",)), (("a",), ("a/2",)), (("c",), ("c/1",))]
    groups = {by: name_groups([links(*clip, by) for clip in clips]) for by in ("person", "pair", "video")}
    assert groups["person"] == ["a-b-c"] * 5
    assert groups["pair"] == ["a-b-a-c"] * 3 + ["a/2", "c/1"]
    assert groups["video"] == ["a/1"] * 3 + ["a/2", "c/1"]


def test_person_and_video_of_the_same_name_are_two_groups():
    assert len(set(name_groups([(Link("person", "0"),), (Link("video", "0"),)]))) == 2


@pytest.mark.parametrize("seed", range(100))
def test_parts_are_disjoint_complete_and_have_both_classes(seed):
    random = np.random.default_rng(seed)
    counts = dict(zip(KINDS, map(int, random.integers(3, 30, 3)), strict=True))
    classes, shares = classes_of(**counts), SHARES[seed % len(SHARES)]
    parts = divide(classes, shares, seed=seed)
    assert parts.keys() == classes.keys(), "each group is in one part, and in one only"
    assert set(parts.values()) == set(shares)
    labels = defaultdict(set)
    for group, part in parts.items():
        labels[part] |= classes[group]
    assert all(labels[part] == {0, 1} for part in shares)


@pytest.mark.parametrize("shares", SHARES)
def test_divide_fails_only_with_too_few_groups(shares):
    """All numbers of groups up to four of each kind."""
    for numbers in np.ndindex(5, 5, 5):
        counts = dict(zip(KINDS, numbers, strict=True))
        classes = classes_of(**counts)
        there = frozenset().union(*classes.values())
        if possible(len(shares), **counts) if len(there) > 1 else len(classes) >= len(shares):
            parts = divide(classes, shares, seed=0)
            for part in shares:
                assert frozenset().union(*(classes[group] for group in parts if parts[group] == part)) == there
        else:
            with pytest.raises(
                DatasetError,
                match=f"^{len(classes)} groups are too few for {len(shares)} parts.*(one class only|a video in each)",
            ):
                divide(classes, shares, seed=0)


@pytest.mark.parametrize("seed", range(20))
def test_divide_does_not_depend_on_order(seed):
    random = np.random.default_rng(seed)
    classes = classes_of(both=12, fakes=9, reals=7)
    groups = list(classes)
    shuffled = {groups[index]: classes[groups[index]] for index in random.permutation(len(groups))}
    before = np.random.get_state()[1].copy()
    assert divide(classes, SHARES[1], seed=seed) == divide(shuffled, SHARES[1], seed=seed)
    assert (np.random.get_state()[1] == before).all(), "the global generator stays as it is"


def test_different_seeds_give_different_parts():
    """Of 20 splits of 16 groups (at least 4,368 ways), few coincide."""
    drawn = {tuple(sorted(divide(classes_of(both=16), SHARES[0], seed=seed).items())) for seed in range(20)}
    assert len(drawn) >= 18


def test_every_group_reaches_every_part():
    classes = classes_of(both=6)
    seen = defaultdict(set)
    for seed in range(60):
        for group, part in divide(classes, SHARES[1], seed=seed).items():
            seen[group].add(part)
    assert all(parts == set(SHARES[1]) for parts in seen.values())


@pytest.mark.parametrize("seed", range(50))
def test_shares_hold_within_one_group_for_each_kind(seed):
    """If each part is due a group of this kind; otherwise others may get one, to have both classes."""
    random = np.random.default_rng(seed)
    shares = SHARES[seed % len(SHARES)]
    counts = dict(zip(KINDS, map(int, random.integers(7, 60, 3)), strict=True))
    classes = classes_of(**counts)
    parts = divide(classes, shares, seed=seed)
    for kind, total in counts.items():
        for part, share in shares.items():
            found = sum(parts[group] == part for group in classes if classes[group] == KINDS[kind])
            assert abs(found - share * total) < 1


def test_timits_sixteen_and_uadfvs_forty_nine_at_the_default_ratio():
    for groups, training in ((16, 13), (49, 39)):
        parts = list(divide(classes_of(both=groups), SHARES[0], seed=0).values())
        assert (parts.count("train"), parts.count("val")) == (training, groups - training)
