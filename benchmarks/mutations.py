"""Damage of files for fuzz.py: each mutation maps bytes to bytes, and draws from the generator it is given."""

import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]
TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|[^\s,;=:\[\]{}"]+')  # a key, name, number or quoted text
NESTED = 100_000  # levels; Python's JSON reader ends at about 1,000
WORDS = (
    b"", b"-1", b"0", b"3", b"0.5", b"1e308", b"-1e-320", b"1e999", b"9" * 5000, b"18446744073709551616", b"NaN", b"inf",
    b"-Infinity", b"null", b"None", b"true", b'"x"', b'""', b"'", b'"', b"[]", b"{}", b"[" * NESTED, b'{"a":' * NESTED,
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", "\u202e".encode(), b"\x1b]0;x\x07", b"[/b]", b"=1+1", b"a" * 100_000, b"a\nb",
    b"../../etc/passwd", b"/proc/self/environ", b"~", b"s3://none/none", b"2001-02-03", b"os:system", b"1_0",
)  # fmt: skip
VALUES = (
    None, True, False, -1, 0, 1, 2**31, 2**64, 10**400, 0.5, 1e308, float("nan"), float("inf"), "", "x", "\0", "\udcff", "0.5",
    "\x1b]0;x\x07", "[/b]", "../..", "x" * 100_000, [], [None], [[]], {}, {"x": {}}, {"class_name": "Lambda", "config": {}},
)  # fmt: skip


def flip(data: bytes, rng: random.Random) -> bytes:
    """Flip some bits, most of them near an end, where formats keep their tables."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 20, 200)) if data else 0):
        near = min(len(data), rng.choice((64, 1024, len(data))))
        changed[rng.choice((rng.randrange(near), -1 - rng.randrange(near)))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def number(data: bytes, rng: random.Random) -> bytes:
    """Overwrite four bytes with an extreme number."""
    at = rng.randrange(max(1, min(len(data), rng.choice((64, 1024, len(data) or 1)))))
    return (
        data[:at] + rng.choice((b"\xff" * 4, b"\x7f" + b"\xff" * 3, b"\x00" * 4, b"\x00\x00\x00\x01")) + data[at + 4 :]
    )


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.choice((0, 1, 8, rng.randrange(len(data) + 1)))]


def cut(data: bytes, rng: random.Random) -> bytes:
    start, end = part(data, rng)
    return data[:start] + data[end:]


def double(data: bytes, rng: random.Random) -> bytes:
    start, end = part(data, rng)
    return data[:end] + data[start:]


def blank(data: bytes, rng: random.Random) -> bytes:
    start, end = part(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def move(data: bytes, rng: random.Random) -> bytes:
    """Splice: put a part elsewhere."""
    start, end = part(data, rng)
    rest, at = data[:start] + data[end:], rng.randrange(len(data) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def part(data: bytes, rng: random.Random) -> tuple[int, int]:
    """Start and end of a part, at most a quarter of the whole."""
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randrange(len(data) // 4 + 2))


def word(data: bytes, rng: random.Random) -> bytes:
    """Put an odd word in the place of a key, name, number or quoted text."""
    found = [*TOKEN.finditer(data)]
    if not found:
        return data
    where = rng.choice(found)
    return data[: where.start()] + rng.choice(WORDS) + data[where.end() :]


def line(data: bytes, rng: random.Random) -> bytes:
    """Drop, double or move a line, or change all line ends or separators."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    at = rng.randrange(len(lines))
    return rng.choice(
        (
            b"".join(lines[:at] + lines[at + 1 :]),
            b"".join(lines[: at + 1] + lines[at:]),
            b"".join([*lines[1:], lines[0]]),
            data.replace(b"\n", b"\r"),
            data.replace(b",", b";"),
            b"\xef\xbb\xbf" + data,
            data.decode(errors="replace").encode("utf-16"),
        )
    )


def value(data: bytes, rng: random.Random) -> bytes:
    """Put a value of another type or size in the place of one in JSON, at any depth; or drop it."""
    try:
        whole = {"": json.loads(data)}
    except (ValueError, RecursionError):  # damaged by the mutation before
        return word(data, rng)
    holder, key = rng.choice([*places(whole)])
    if key and rng.random() < 0.2:
        del holder[key]
    else:
        holder[key] = rng.choice(VALUES)
    return json.dumps(whole.get("")).encode()


def places(tree: Any) -> Any:
    """Each dictionary or list in a tree, with each of its keys or indices."""
    for key, below in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(below, dict | list):
            yield from places(below)


def archive(data: bytes, rng: random.Random) -> bytes:
    """Damage, drop or double a member of a zip, such as a Keras archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            members = [(name, source.read(name)) for name in source.namelist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return flip(data, rng)
    at = rng.randrange(len(members) or 1)
    name, content = members[at]
    change = rng.choice((value, value, word)) if name.endswith(".json") else rng.choice((flip, truncate, number))
    members[at : at + 1] = rng.choice(
        ([(name, change(content, rng))] * 8, [], [(name, content), (f"../{name}", content)])
    )[:2]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as written:
        for each in dict(members).items():
            written.writestr(*each)
    return target.getvalue()


def graph(data: bytes, rng: random.Random) -> bytes:
    """Change metadata, a size, weights or a node of an ONNX model."""
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        return flip(data, rng)
    nodes, entries = model.graph.node, model.metadata_props
    what = rng.choice(("metadata", "metadata", "size", "weights", "attribute", "node", "wire"))
    if what == "metadata" and entries:
        entry = rng.choice(entries)
        change = rng.choice((value, word))
        entry.value = change(entry.value.encode(), rng).decode(errors="ignore")
    elif what == "size":
        ends = [*model.graph.input, *model.graph.output]
        dimensions = [each for end in ends for each in end.type.tensor_type.shape.dim]
        if dimensions:
            rng.choice(dimensions).dim_value = rng.choice((-1, 0, 1, 3, 2**31, 2**62))
    elif what == "weights" and model.graph.initializer:
        tensor = rng.choice(model.graph.initializer)
        if tensor.dims and rng.random() < 0.5:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice((-1, 0, 2**31, 2**62))
        else:
            tensor.raw_data = rng.choice((b"", b"\xff" * len(tensor.raw_data), tensor.raw_data[:-4]))
    elif what == "attribute" and (attributes := [each for node in nodes for each in node.attribute]):
        attribute = rng.choice(attributes)
        attribute.i = rng.choice((-1, 0, 2**40))
        for at in range(len(attribute.ints)):
            attribute.ints[at] = rng.choice((-1, 0, 1, 2**40))
    elif what == "node" and nodes:
        del nodes[rng.randrange(len(nodes))]
    elif what == "wire" and nodes:
        node = rng.choice(nodes)
        if node.input:
            node.input[rng.randrange(len(node.input))] = rng.choice(["", "x", *(each.output[0] for each in nodes)])
    return model.SerializeToString()


BYTES: tuple[Mutation, ...] = (flip, flip, number, truncate, cut, double, blank, move)
TEXT: tuple[Mutation, ...] = (word, word, word, line, flip, truncate, cut, double, move)
JSON: tuple[Mutation, ...] = (value, value, value, value, word, word, truncate, cut)
ONNX: tuple[Mutation, ...] = (graph, graph, graph, flip, number, truncate, blank)
KERAS: tuple[Mutation, ...] = (archive, archive, archive, flip, truncate)


def mutate(data: bytes, mutations: tuple[Mutation, ...], rng: random.Random) -> tuple[bytes, str]:
    """Apply one to three mutations; return the bytes and the names of the mutations."""
    chosen = rng.choices(mutations, k=rng.choice((1, 1, 2, 3)))
    for each in chosen:
        data = each(data, rng)
    return data, " ".join(each.__name__ for each in chosen)
