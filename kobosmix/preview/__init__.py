"""All forms of a study in one page that needs no network: to read and try before the field."""

from kobosmix.preview.page import PreviewForm, preview_page

__all__ = ["PreviewForm", "preview_page"]
