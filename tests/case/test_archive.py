"""``report.pdf`` is PDF/A-2u: the clauses of ISO 19005-2 that concern such a file, checked object by object.

veraPDF, the validator of the trade, is no Python package; `docs/forensics.md` says how to run it.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from fontTools.ttLib import TTFont

from tests.case.test_case import made as made

CODE = re.compile(rb"^<([0-9a-f]{4})> <([0-9a-f]{4,})>$", re.IGNORECASE | re.MULTILINE)  # of a bfchar
FORBIDDEN = {
    "/JS",
    "/JavaScript",
    "/AA",
    "/EmbeddedFiles",
    "/AF",
    "/TR",
    "/HTP",
    "/NeedsRendering",
    "/XFA",
    "/OPI",
    "/Ref",
}
FILTERS = {"/FlateDecode", "/DCTDecode"}


@pytest.fixture(scope="module")
def pdf(made) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(made / "report.pdf") as found:
        yield found


def objects(pdf: pikepdf.Pdf) -> list[pikepdf.Object]:
    """All dictionaries and streams."""
    return [each for each in pdf.objects if isinstance(each, pikepdf.Dictionary | pikepdf.Stream)]


def test_the_file_is_well_formed(pdf, made):
    """Clauses 6.1.2 to 6.1.13."""
    head = Path(made / "report.pdf").read_bytes()[:16]
    comment = head.split(b"\n")[1]
    assert head.startswith(b"%PDF-1.7\n%") and all(byte > 127 for byte in comment[1:5])
    assert pdf.check_pdf_syntax() == [] and "/ID" in pdf.trailer and not pdf.is_encrypted
    assert len(pdf.objects) < 8_388_607
    for each in objects(pdf):
        assert not FORBIDDEN & set(each.keys())
        assert all(len(str(name)) <= 127 for name in each.keys())  # noqa: SIM118 - an object of PDF has no iterator
        if isinstance(each, pikepdf.Stream):
            assert not {"/F", "/FFilter", "/FDecodeParms"} & set(each.keys())
            named = each.get("/Filter", pikepdf.Array())
            assert {str(name) for name in (named if isinstance(named, pikepdf.Array) else [named])} <= FILTERS
    for page in pdf.pages:
        depth, deepest = 0, 0
        for _, operator in pikepdf.parse_content_stream(page):
            depth += {"q": 1, "Q": -1}.get(str(operator), 0)
            deepest = max(deepest, depth)
        assert depth == 0 and deepest <= 28


def test_colours_have_a_profile_and_nothing_is_see_through(pdf):
    """Clauses 6.2.2 to 6.2.10."""
    (intent,) = pdf.Root.OutputIntents
    assert intent.S == "/GTS_PDFA1" and intent.DestOutputProfile.N == 3
    assert intent.DestOutputProfile.read_bytes()[12:24] == b"mntrRGB XYZ ", "a display profile of RGB"
    for each in objects(pdf):
        assert each.get("/SMask", "/None") == "/None" and each.get("/BM", "/Normal") in ("/Normal", "/Compatible")
        assert each.get("/CA", 1) == 1 and each.get("/ca", 1) == 1
        if each.get("/Subtype") == "/Image":
            assert each.ColorSpace == "/DeviceRGB" and not each.get("/Interpolate", False) and "/Alternates" not in each
    for page in pdf.pages:
        used = {str(operator) for _, operator in pikepdf.parse_content_stream(page)}
        assert not used & {"k", "K", "ri", "sh", "PS"}, "no CMYK without a profile"


def test_fonts_are_in_the_file_with_their_widths_and_unicode(pdf):
    """Clauses 6.2.11.2 to 6.2.11.8; level U."""
    fonts = [each for each in objects(pdf) if each.get("/Type") == "/Font" and each.Subtype == "/Type0"]
    assert len(fonts) == 3
    for font in fonts:
        (inner,) = font.DescendantFonts
        file = TTFont(io.BytesIO(inner.FontDescriptor.FontFile2.read_bytes()))
        assert font.Encoding == "/Identity-H" and str(inner.BaseFont) == str(font.BaseFont)
        glyphs, unit, widths = file.getGlyphOrder(), 1000 / file["head"].unitsPerEm, dict(_widths(inner.W))
        places = inner.get("/CIDToGIDMap", "/Identity")
        table = None if places == "/Identity" else places.read_bytes()
        shown = _codes(pdf, font)
        said = {
            int(first, 16): bytes.fromhex(text.decode()) for first, text in CODE.findall(font.ToUnicode.read_bytes())
        }
        assert shown <= set(said), "each code has its Unicode"
        assert not {said[code] for code in shown} & {b"\0\0", b"\xfe\xff", b"\xff\xfe"}
        for code in shown:
            glyph = code if table is None else int.from_bytes(table[2 * code : 2 * code + 2], "big")
            assert 0 < glyph < len(glyphs), ".notdef is not shown"
            assert abs(widths.get(code, inner.DW) - file["hmtx"][glyphs[glyph]][0] * unit) <= 1


def test_metadata_name_the_level_and_agree(pdf):
    """Clause 6.6."""
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as found:
        assert (found["pdfaid:part"], found["pdfaid:conformance"]) == ("2", "U")
        assert found["dc:title"] and found["xmp:CreatorTool"].startswith("deepfake-cli ")
        assert "/Info" not in pdf.trailer or str(pdf.docinfo.get("/Title")) == found["dc:title"]
    assert str(pdf.Root.Lang) == "en"


def _widths(widths: pikepdf.Array) -> Iterator[tuple[int, float]]:
    """The width of each code of ``/W``: ``first [width …]`` or ``first last width``."""
    rest = list(widths)
    while rest:
        first, second = int(rest.pop(0)), rest.pop(0)
        if isinstance(second, pikepdf.Array):
            yield from ((first + place, float(width)) for place, width in enumerate(second))
        else:
            width = float(rest.pop(0))
            yield from ((code, width) for code in range(first, int(second) + 1))


def _codes(pdf: pikepdf.Pdf, font: pikepdf.Object) -> set[int]:
    """The codes that pages show in a font."""
    found: set[int] = set()
    for page in pdf.pages:
        current = None
        for operands, operator in pikepdf.parse_content_stream(page):
            if str(operator) == "Tf":
                current = page.Resources.Font[str(operands[0])]
            elif str(operator) in ("Tj", "TJ") and current is not None and current.objgen == font.objgen:
                texts = operands[0] if str(operator) == "TJ" else [operands[0]]
                for text in texts:
                    if isinstance(text, pikepdf.String):
                        data = bytes(text)
                        found |= {int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)}
    return found
