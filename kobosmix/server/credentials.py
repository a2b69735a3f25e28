"""Where a person's token for a server lies: never in the study, never on the command line."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from kobosmix.errors import UsageError
from kobosmix.server.address import server_origin

TOKEN_VARIABLE = "KOBOSMIX_TOKEN"  # noqa: S105 - the name of a variable, not a token
FOLDER_VARIABLE = "KOBOSMIX_CONFIG_DIR"


def token_for(server: str) -> str:
    """The token for this server: from KOBOSMIX_TOKEN, else from the private file.

    None given is a UsageError that says both ways to give one.
    """
    address = server_origin(server)
    token = os.environ.get(TOKEN_VARIABLE, "").strip() or _saved().get(address, "")
    if not token:
        raise UsageError(
            f"there is no token for {address}. Set {TOKEN_VARIABLE} for this session, or let "
            f"kobosmix keep the token in {credentials_file()}."
        )
    return token


def save_token(server: str, token: str) -> Path:
    """Keep a token for later runs, in a file only its owner can read; the file's path."""
    path = credentials_file()
    tokens = {**_saved(), server_origin(server): token.strip()}
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_private(path, json.dumps({"format": 1, "tokens": tokens}, indent=2) + "\n")
    return path


def credentials_file() -> Path:
    """Where tokens are kept; KOBOSMIX_CONFIG_DIR names another folder than the system's."""
    from platformdirs import user_config_dir

    folder = os.environ.get(FOLDER_VARIABLE) or user_config_dir("kobosmix")
    return Path(folder) / "credentials.json"


def _saved() -> dict[str, str]:
    path = credentials_file()
    try:
        _refuse_shared(path)
        tokens = json.loads(path.read_text(encoding="utf-8"))["tokens"]
        return {str(server): str(token) for server, token in tokens.items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is damaged; delete it and give the token again") from error


def _refuse_shared(path: Path) -> None:
    # Windows keeps a person's settings from other accounts itself, and has no such bits.
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise UsageError(
            f"other people on this machine can read {path}. Run 'chmod 600 {path}'; if others "
            "may have read it, make a new token on the server too."
        )


def _write_private(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".credentials.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as part:
            part.write(text)
            part.flush()
            os.fsync(part.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
