"""Everything that a file says of its origin."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from deepfake_cli.media.header import Fact, Header
from deepfake_cli.media.texts import plain
from deepfake_cli.provenance.credentials import Credentials, credentials
from deepfake_cli.provenance.marks import Mark, marks
from deepfake_cli.provenance.scan import scan, values
from deepfake_cli.storage.disk import reason

SOFTWARE = (  # fields of headers and XMP that name what wrote a file
    "Software", "encoder", "CreatorTool", "softwareAgent", "AISystemUsed", "Make", "Model", "HostComputer", "make", "model",
    "com.apple.quicktime.make", "com.apple.quicktime.model", "com.apple.quicktime.software", "com.android.version",
    "ProcessingSoftware", "creation_time", "date", "CreateDate", "ModifyDate", "DateTime", "DateTimeOriginal",
)  # fmt: skip
XMP = (
    "CreatorTool",
    "softwareAgent",
    "AISystemUsed",
    "DigitalSourceType",
    "Credit",
    "AIGC",
    "CreateDate",
    "ModifyDate",
)
MOST = 16  # values of a property


class Provenance(Fact):
    """Where a file says it came from; all but a valid signature can be forged by anyone."""

    credentials: Credentials
    software: dict[str, str] = Field({}, description="Software, devices and dates that the file names")
    marks: list[Mark] = Field([], description="Fields that name a generator or state a source type")

    @property
    def lines(self) -> list[str]:
        """The findings that a reader must not miss, a sentence each; empty without Content Credentials and marks."""
        said = [self.credentials.sentence] if self.credentials.sentence else []
        return said + [mark.sentence for mark in self.marks]


def provenance(path: Path, header: Header | None, trust: Path | None = None) -> Provenance:
    """Read where a file says it came from. Nothing is fetched from a network, and a damaged file is no error.

    Args:
        path: a local file.
        header: its header; None if it has none that can be read.
        trust: certificates (PEM) of signers to trust.
    """
    try:
        found = scan(path)
    except OSError as error:
        return Provenance(credentials=Credentials(state="unreadable", faults=[plain(reason(error))]))
    fields = _fields(header, found.xmp)
    remote = next(iter(values(found.xmp, "provenance")), None)
    return Provenance(
        credentials=credentials(path, found.store, plain(remote) if remote else None, trust),
        software={name: text for name, text in fields.items() if name.rpartition(" ")[2] in SOFTWARE},
        marks=marks(fields),
    )


def _fields(header: Header | None, xmp: list[str]) -> Mapping[str, str]:
    """All fields of a file by name; those of XMP and of streams have where they are from before it."""
    found = dict(header.tags) if header else {}
    for track in header.streams if header else ():
        found |= {f"stream {track.index} {name}": text for name, text in track.tags.items()}
    if header and header.encoder_settings:
        found["stream encoder"] = header.encoder_settings.partition(" - http")[0]
    for name in XMP:
        if texts := list(dict.fromkeys(plain(text) for text in values(xmp, name) if text))[:MOST]:
            found[f"XMP {name}"] = "; ".join(texts)
    return found
