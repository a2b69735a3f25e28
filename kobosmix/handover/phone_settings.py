"""The settings of KoboCollect and ODK Collect, as they are scanned from a QR code.

Their names are those of Collect's own client-settings.schema.json.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any


def phone_settings(server_url: str, project: str, account: str = "") -> dict[str, Any]:
    """What a phone is set to: this server, its forms as they are there, answers sent by itself.

    Never with a password: the page is printed and passed on.
    """
    general = {
        "server_url": server_url,
        # Forms of a wave that is over go from the phone by themselves.
        "form_update_mode": "match_exactly",
        "autosend": "wifi_and_cellular",
    }
    named = {"username": account} if account else {}
    # Collect refuses a code without the part for administrators, even where it is empty.
    return {"general": {**general, **named}, "admin": {}, "project": {"name": project}}


def settings_code(settings: dict[str, Any]) -> str:
    """The text of the QR code: JSON, compressed, in letters."""
    text = json.dumps(settings, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return base64.b64encode(zlib.compress(text.encode("utf-8"), level=9)).decode("ascii")
