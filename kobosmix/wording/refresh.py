"""`make catalogues`: bring the catalogues of the repository up to the bank, for its maintainers."""

from __future__ import annotations

from kobosmix import content
from kobosmix.bank import read_bank
from kobosmix.wording.po import read_po, refresh_po


def refresh_catalogues() -> list[str]:
    """Refresh every shipped catalogue; one of an adaptation keeps to the keys it has."""
    bank, folder = read_bank(content.item_templates()), content.translations()
    refreshed = list[str]()
    for path in sorted(folder.glob("*.po")):
        language = bank.languages[path.stem]
        keys = None
        if language.parent:
            own = {entry.key for entry in read_po(path)}
            keys = [key for key in bank.sentences if key in own]
        refresh_po(path, language.tag, bank, keys)
        refreshed.append(path.name)
    return refreshed


if __name__ == "__main__":
    refresh_catalogues()
