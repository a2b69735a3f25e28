"""The only door to segno: texts as QR codes."""

from __future__ import annotations

# In modules; scanners look for a white border of four.
_BORDER = 4


def qr_svg(text: str) -> str:
    """The QR code as SVG that stands in a page and grows with its box."""
    import segno

    # Of the sizes that hold the text the smallest, and then as much of it restorable as fits:
    # paper gets folded and wet.
    code = segno.make(text, error="m", micro=False, boost_error=True)
    return code.svg_inline(
        border=_BORDER, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
