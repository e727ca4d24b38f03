"""Known marks of generators in the metadata of files, and what each of them means.

Sources: IPTC NewsCodes digitalsourcetype (2025); GB 45438-2025 (China's label of generated content); the files that the named
programs write. A mark can be removed or forged: one that is missing says nothing.
"""

import re
from collections.abc import Mapping

from pydantic import Field

from deepfake_cli.media.header import Fact
from deepfake_cli.media.texts import plain

SOURCE_TYPES = {  # codes of IPTC, and what they say of a file
    "trainedAlgorithmicMedia": "created by generative AI",
    "compositeWithTrainedAlgorithmicMedia": "a composite with parts made by generative AI",
    "compositeSynthetic": "a composite with synthetic parts",
    "algorithmicMedia": "created by an algorithm without training data",
    "algorithmicallyEnhanced": "enhanced by an algorithm",
    "dataDrivenMedia": "made from data",
    "virtualRecording": "a recording of a virtual event",
    "digitalCreation": "created by a person with digital tools",
    "digitalArt": "created by a person with digital tools",
    "composite": "a composite",
    "compositeCapture": "a composite of captures",
    "humanEdits": "edited by a person",
    "minorHumanEdits": "edited slightly by a person",
    "digitalCapture": "captured by a camera",
    "computationalCapture": "captured by a camera that combines several exposures",
    "screenCapture": "a capture of a screen",
    "negativeFilm": "digitised from film",
    "positiveFilm": "digitised from film",
    "print": "digitised from a print",
}
MARKS = {  # name of the field, text in it: what it means
    (r"parameters", r"Steps: \d+.*Sampler"): "settings of a Stable Diffusion interface",
    (r"prompt|workflow", r"class_type|\"nodes\""): "a workflow of ComfyUI",
    (r"invokeai_metadata|invokeai_graph|sd-metadata|Dream", r"."): "settings of InvokeAI",
    (r"Software|Source|Title", r"NovelAI"): "made by NovelAI",
    (r"Description|ImageDescription", r"Job ID: [0-9a-f]{8}-"): "a job of Midjourney",
    (r"(?:XMP )?AIGC", r"."): "a label of generated content (GB 45438-2025)",
    (r".*Credit", r"Made with Google AI|Edited with Google AI"): "a credit line of Google's generators",
    (r"aigc_info", r"aigc_label_type\W+[1-9]"): "TikTok's label of generated content",
}
NAMES = (
    "DeepFaceLab", "FaceFusion", "faceswap", "Deep-Live-Cam", "roop", "FaceApp", "Reface", "HeyGen", "Synthesia",
    "Stable Diffusion", "ComfyUI", "InvokeAI", "Midjourney", "DALL-E", "DALL·E", "Adobe Firefly", "OpenAI", "Sora",
    "Veo", "Runway", "Kling", "Pika Labs", "Luma AI", "Hailuo", "Grok", "GPT-4o", "Seedance", "Hunyuan", "Wan2",
)  # fmt: skip  # programs and services that generate or swap faces
NAMED = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, NAMES))})(?!\w)", re.IGNORECASE)
TITLES = ("title", "Title", "description", "synopsis", "artist", "album")  # people write there about anything


class Mark(Fact):
    """A field that names a generator or states a source type."""

    field: str
    text: str
    meaning: str = Field(description="What the mark means if it is genuine")

    @property
    def sentence(self) -> str:
        """The mark in words."""
        return f"Metadata field {self.field}: {self.meaning} ({plain(self.text, 80)})"


def marks(fields: Mapping[str, str]) -> list[Mark]:
    """The marks in the fields of a file.

    Args:
        fields: text by name.
    """
    found = []
    for field, text in fields.items():
        meaning = _meaning(field, text)
        if meaning:
            found.append(Mark(field=field, text=text, meaning=meaning))
    return found


def source_type(address: str) -> str:
    """What a source type says: its code and, if it is one of IPTC's, its meaning."""
    code = re.split(r"[/#:]", address)[-1]
    return f"{SOURCE_TYPES[code]} ({code})" if code in SOURCE_TYPES else plain(address, 120)


def _meaning(field: str, text: str) -> str:
    if field.endswith("DigitalSourceType"):
        return f"source type: {source_type(text)}"
    for (name, pattern), meaning in MARKS.items():
        if re.fullmatch(name, field) and re.search(pattern, text, re.DOTALL):
            return meaning
    named = None if field in TITLES else NAMED.search(text)
    return f"names {named[0]}" if named else ""
