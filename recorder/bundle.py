"""A bundle of evidence as handed out, a folder or a ZIP (docs/guides/evidence-bundle.md). Nothing is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from recorder.canonical import strict_object

FORM = "agent-desktop evidence bundle"
VERSION = 1
_LARGEST_JSON = 256 * 1024 * 1024
"""A list of a seat's numbers may be long; a bomb is longer."""


UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError)
"""What reading from a damaged, encrypted or odd archive may raise."""


class BundleError(Exception):
    """This is no bundle that can be checked; the text is one sentence."""


class Bundle:
    """Read-only; one thread. Names are those of the format, never taken from the bundle itself."""

    def __init__(self, path: Path) -> None:
        """Raises ``BundleError``, ``OSError``."""
        self._folder = path if path.is_dir() else None
        self._zip: zipfile.ZipFile | None = None
        if self._folder is None:
            try:
                self._zip = zipfile.ZipFile(path)
            except zipfile.BadZipFile as error:
                raise BundleError(f"{path.name} is neither a folder nor a ZIP.") from error
        self.contents = self._contents(path.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._zip is not None:
            self._zip.close()

    def open(self, name: str) -> BinaryIO | None:
        """The file ``name``; None when there is none that can be opened. Reading may raise ``UNREADABLE``."""
        if self._zip is not None:
            try:
                member = self._zip.open(name)
            except (KeyError, *UNREADABLE):
                return None
            # The archive's CRC would stop the reading of a changed file, and only its SHA-256 says what was signed.
            member._expected_crc = None  # type: ignore[attr-defined]
            return member  # type: ignore[return-value]
        assert self._folder is not None
        path = self._folder / name
        return path.open("rb") if path.is_file() else None

    def read(self, name: str) -> bytes | None:
        """A small file whole; None when it is not there, damaged or far too large."""
        file = self.open(name)
        if file is None:
            return None
        with file:
            try:
                data = file.read(_LARGEST_JSON + 1)
            except UNREADABLE:
                return None
        return data if len(data) <= _LARGEST_JSON else None

    def json(self, name: str) -> dict[str, Any] | None:
        """A JSON object; None when it is not there or not one."""
        data = self.read(name)
        try:
            return strict_object(data) if data is not None else None
        except ValueError:
            return None

    def folders(self) -> set[str]:
        """Names of the folders in it."""
        if self._zip is not None:
            return {name.split("/")[0] for name in self._zip.namelist() if "/" in name}
        assert self._folder is not None
        return {path.name for path in self._folder.iterdir() if path.is_dir()}

    def _contents(self, name: str) -> dict[str, Any]:
        found = self.json("bundle.json")
        if found is None or found.get("form") != FORM:
            raise BundleError(f"{name} is no bundle of evidence: it has no readable bundle.json.")
        if found.get("version") != VERSION:
            raise BundleError(f"{name} is a bundle of version {found.get('version')}, which is not known here.")
        return found


def is_bundle(path: Path) -> bool:
    """A folder or a ZIP, and so not a sealed recording."""
    return path.is_dir() or zipfile.is_zipfile(path)
