"""``record.json`` and its JSON schema."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from deepfake_cli.inference.record import Record

NAME, SCHEMA = "record.json", "record.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Part(BaseModel):
    """A part of the record; later versions may add keys."""

    model_config = ConfigDict(extra="allow", defer_build=True)


class Frame(Part):
    """A face in a frame that the report shows."""

    frame: int = Field(description="Index of the frame in the file, from 0")
    time: float | None = Field(description="Seconds from the start; null for images")
    face: int = Field(description="Number of the face, from 1")
    score: float
    box: list[float] = Field(description="Left, top, right, bottom, in pixels of the shown frame")
    picture: str = Field(description="The frame as it was decoded, upright, as PNG")
    face_picture: str = Field(description="The crop that was scored")
    heat_picture: str | None = Field(description="Heat map over the crop; null if the detector has none")


class Face(Part):
    """Scores of a face over time."""

    score: float | None
    low: float | None
    high: float | None
    frames: list[int]
    scores: list[float | None] = Field(description="By frame; null where the face was not judged")
    times: list[float] | None


class Examined(Part):
    """A verdict, as ``deepfake predict --json`` prints it, with the frames that the report shows."""

    path: str
    verdict: Literal["fake", "real", "undecided"]
    reason: str = Field(description="Why it is undecided; else empty")
    score: float | None = Field(description="0 to 1, high for fake")
    probability: float | None = Field(description="The score, if the detector is calibrated")
    low: float | None = Field(description="Lower end of the 95 % interval over the frames of this file")
    high: float | None
    threshold: float = Field(description="Scores at or above this are fake")
    real_below: float = Field(description="Scores below this are real; in between, undecided")
    frames: int
    fps: float
    left_out: dict[str, int]
    notes: list[str]
    seconds: float
    condition: dict[str, Any] | None = Field(description="What is known to change error rates; null without a face")
    likelihood_ratio: dict[str, Any] | None = Field(description="Null if the detector has none")
    error_rates: dict[str, Any] | None = Field(
        description="By property of the condition, of the files measured; null if none were, or at other thresholds"
    )
    faces: list[Face]
    record: Record | None
    shown: list[Frame]


class Case(Part):
    """The record of a case."""

    version: Literal[1] = 1
    created: str = Field(description="UTC time")
    command: str = Field(description="That made the case")
    settings: dict[str, Any] = Field(description="All settings of the command, with defaults")
    detector: str
    rates: str = Field(
        description="Error rates of the detector on the files named here, whatever their condition; empty if none were measured"
    )
    terms: str = Field(description="What the licence of the detector forbids; empty if it forbids no use")
    files: list[Examined]
    skipped: list[str] = Field(description="Files of given folders that are not named as videos or images")
    unread: dict[str, str] = Field(description="Folders that could not be listed, with the reason")


def schema() -> dict[str, Any]:
    """The JSON schema of the record."""
    return {"$schema": DIALECT, **Case.model_json_schema(mode="serialization")}
