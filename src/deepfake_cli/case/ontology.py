"""``record.jsonld``: the examination in CASE/UCO, which tools for digital evidence exchange.

Source: Cyber-investigation Analysis Standard Expression, CASE 1.5.0, https://caseontology.org. The program ``case_validate`` of
the package case-utils checks it.
"""

from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from deepfake_cli.storage.escapes import encodable

NAME = "record.jsonld"
BASE = "https://ontology.unifiedcyberontology.org/uco"
CONTEXT = {
    "kb": "urn:deepfake-cli:",
    "investigation": "https://ontology.caseontology.org/case/investigation/",
    **{name: f"{BASE}/{name}/" for name in ("action", "analysis", "core", "observable", "tool", "types")},
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def graph(record: dict[str, Any]) -> dict[str, Any]:
    """The graph of a case: its files with their hashes, the tool, and an action with its result for each file.

    Args:
        record: of the case, as `deepfake_cli.case.schema.Case` has it.
    """
    files = [(number, entry) for number, entry in enumerate(record["files"], 1) if entry["record"]]
    nodes = [node for number, entry in files for node in _examination(record, number, entry)]
    tools = _tools(record, files[0][1]["record"]) if files else ()
    return {"@context": CONTEXT, "@graph": [*tools, *nodes]}


def _examination(record: dict[str, Any], number: int, entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    facts = entry["record"]
    file, result = (_id(kind, record, str(number)) for kind in ("File", "Result"))
    yield {"@id": file, "@type": "observable:File", "core:hasFacet": _facets(record, number, entry)}
    score = "no score" if entry["score"] is None else f"score {entry['score']}"
    words = f"{score}; {entry['reason']}" if entry["reason"] else f"{score}; threshold {entry['threshold']}"
    made = _node("ArtifactClassification", record, f"{number}") | {
        "@type": "analysis:ArtifactClassification",
        "analysis:class": entry["verdict"],
        "core:description": words,
    }
    facet = _node("Classification", record, f"{number}") | {
        "@type": "analysis:ArtifactClassificationResultFacet",
        "analysis:classification": made,
    }
    yield {"@id": result, "@type": "analysis:AnalyticResult", "core:hasFacet": facet}
    yield _node("InvestigativeAction", record, str(number)) | {
        "@type": "investigation:InvestigativeAction",
        "core:name": "Search for face manipulation",
        "action:startTime": _typed("dateTime", facts["began"]),
        "action:endTime": _typed("dateTime", facts["ended"]),
        "action:instrument": [{"@id": _id("Tool", record, name)} for name in ("program", "detector")],
        "action:object": {"@id": file},
        "action:result": {"@id": result},
    }


def _facets(record: dict[str, Any], number: int, entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Name, size and hash of a file."""
    found = entry["record"]["file"]
    name = {"@type": "observable:FileFacet", "observable:fileName": entry["path"].rpartition("/")[2]}
    if found.get("bytes") is not None:
        name["observable:sizeInBytes"] = _typed("integer", str(found["bytes"]))
    facets = [_node("FileFacet", record, str(number)) | name]
    if found.get("sha256"):
        content = {
            "@type": "observable:ContentDataFacet",
            "observable:hash": _hash(record, str(number), found["sha256"]),
        }
        facets.append(_node("ContentDataFacet", record, str(number)) | content)
    return facets


def _tools(record: dict[str, Any], facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The program and the detector."""
    name, _, version = facts["tool"].partition(" ")
    tool = {"@type": "tool:Tool", "core:name": name, "tool:version": version}
    yield _node("Tool", record, "program") | tool
    detector = facts["detector"]
    words = f"SHA-256 {detector.get('sha256') or 'unknown'}"
    model = {"@type": "tool:Tool", "core:name": f"detector {detector['model']}", "core:description": words}
    yield _node("Tool", record, "detector") | model


def _hash(record: dict[str, Any], key: str, digits: str) -> dict[str, Any]:
    return _node("Hash", record, key) | {
        "@type": "types:Hash",
        "types:hashMethod": "SHA256",
        "types:hashValue": _typed("hexBinary", digits),
    }


def _typed(kind: str, text: str) -> dict[str, str]:
    return {"@type": f"xsd:{kind}", "@value": text}


def _node(kind: str, record: dict[str, Any], key: str) -> dict[str, Any]:
    return {"@id": _id(kind, record, key)}


def _id(kind: str, record: dict[str, Any], key: str) -> str:
    """The name of a node: its kind and a UUID of the case and the key."""
    name = encodable(" ".join((record["created"], record["command"], kind, key)))
    return f"kb:{kind}-{uuid5(NAMESPACE_URL, name)}"
