"""Groups of videos, and splits that share no group."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from deepfake_cli.errors import DatasetError

MOST_NAMED = 3  # links in the name of a group


class Link(NamedTuple):
    """A property that clips may share: ``("person", "fadg0")``, ``("video", "fadg0/sa1")``."""

    kind: str
    name: str


def links(people: Sequence[str], sources: Sequence[str], by: str) -> tuple[Link, ...]:
    """The links of a clip.

    Args:
        people: the person seen, and the donor of a fake.
        sources: the real videos that it was made from.
        by: ``"person"``: link its people and source videos, so that parts share no face;
            ``"pair"``: link the pair of target and donor, and source videos;
            ``"video"``: link source videos only.
    """
    videos = tuple(Link("video", name) for name in sources)
    if by == "person":
        return tuple(Link("person", name) for name in people) + videos
    if by == "pair" and len(people) > 1:
        return (Link("pair", "-".join(sorted(people))), *videos)
    return videos


def name_groups(tied: Sequence[Sequence[Link]]) -> list[str]:
    """Name the group of each clip: its connected component over shared links.

    Args:
        tied: the links of each clip, at least one.

    Returns:
        A name per clip, from the people of the component, else its pairs, else its videos: ``"fadg0-fram1"``.
    """
    parent: dict[Link, Link] = {}

    def root(link: Link) -> Link:
        while parent.setdefault(link, link) != link:
            parent[link] = link = parent[parent[link]]
        return link

    for shared in tied:
        for link in shared[1:]:
            parent[root(link)] = root(shared[0])
    members = defaultdict(list)
    for link in sorted(set().union(*tied)):
        members[root(link)].append(link)
    names: dict[str, Link] = {}
    for top, component in members.items():
        name = _name(component)
        while name in names:  # a person and a video may have the same name
            name += "'"
        names[name] = top
    named = {top: name for name, top in names.items()}
    return [named[root(shared[0])] for shared in tied]


def _name(component: list[Link]) -> str:
    kind = min((link.kind for link in component), key=("person", "pair", "video").index)
    names = [link.name for link in component if link.kind == kind]
    rest = len(names) - MOST_NAMED
    return "-".join(names[:MOST_NAMED]) + (f"+{rest}" if rest > 0 else "")


def divide(classes: Mapping[str, frozenset[int]], shares: Mapping[str, float], *, seed: int) -> dict[str, str]:
    """Split groups into parts, so that every part has both classes, if there are both.

    Stratified: groups with both classes, with fakes only and with reals only are split separately.

    Args:
        classes: the labels in each group.
        shares: the fraction of groups of each part; they sum to 1.
        seed: random seed; the result does not depend on the order of the groups.

    Returns:
        The part of each group.

    Raises:
        DatasetError: there are too few groups for every part to have all classes.
    """
    random = np.random.default_rng(seed)
    parts: dict[str, str] = {}
    for kind in (frozenset({0, 1}), frozenset({1}), frozenset({0})):
        groups = sorted(group for group, labels in classes.items() if labels == kind)
        lacking = [part for part in shares if not kind <= _labels(parts, classes, part)]
        counts = _counts(len(groups), shares, lacking)
        order = iter(random.permutation(len(groups)))
        parts |= {groups[next(order)]: part for part in shares for _ in range(counts[part])}
    both = frozenset[int]().union(*classes.values())
    for part in shares:
        if not both or _labels(parts, classes, part) != both:
            lacks = f"reals and fakes in each: {part} has one class only" if len(both) > 1 else "a video in each"
            raise DatasetError(
                f"{len(classes)} groups are too few for {len(shares)} parts with {lacks}. Remove --test-ratio, or add "
                "videos of other people."
            )
    return parts


def _labels(parts: Mapping[str, str], classes: Mapping[str, frozenset[int]], part: str) -> set[Hashable]:
    return {label for group, where in parts.items() if where == part for label in classes[group]}


def _counts(groups: int, shares: Mapping[str, float], lacking: Sequence[str]) -> dict[str, int]:
    """Largest remainder method (Hamilton); then parts that lack this kind get a group from the largest part."""
    exact = {part: share * groups for part, share in shares.items()}
    counts = {part: int(value + 1e-9) for part, value in exact.items()}
    for part in sorted(exact, key=lambda part: counts[part] - exact[part])[: groups - sum(counts.values())]:
        counts[part] += 1
    for part in lacking:
        givers = [other for other in counts if counts[other] > (other in lacking)]
        if not counts[part] and givers:
            fullest = max(givers, key=lambda other: counts[other])
            counts[fullest], counts[part] = counts[fullest] - 1, 1
    return counts
