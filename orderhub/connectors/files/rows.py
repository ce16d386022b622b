"""One file of a merchant with its profile: where each of our fields stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orderhub.connectors.files.dialects import Profile
from orderhub.connectors.files.records import Form


class Sheet:
    """One file with its profile: where each of our fields stands, and how its records are cut."""

    def __init__(
        self,
        *,
        name: str,
        path: Path,
        profile: Profile,
        encoding: str,
        delimiter: str,
        newline: bytes,
        header: list[str],
    ) -> None:
        self.name = name
        self.path = path
        self.profile = profile
        self.encoding = encoding
        self.delimiter = delimiter
        self.newline = newline
        self.header = header
        self.columns = profile.resolve(header)
        self.id_column = self.columns.get("order_no", -1)

    @property
    def form(self) -> Form:
        """How the file is written."""
        return Form(self.encoding, self.delimiter, self.newline, self.is_quoting)

    @property
    def is_quoting(self) -> bool:
        """Whether quotes enclose cells; Amazon's tab-separated reports know no quoting."""
        return self.delimiter not in self.profile.unquoted_delimiters

    @property
    def column_map(self) -> Mapping[str, str]:
        """Our field names to the header's names."""
        return {ours: self.header[number] for ours, number in self.columns.items()}

    def column(self, ours: str) -> str:
        """The header's name of a field, or ours where the file lacks the column."""
        number = self.columns.get(ours)
        return ours if number is None else self.header[number]

    def cell(self, cells: list[str], ours: str) -> str:
        """The raw cell of a field, blank where the column is absent; `cells` end with one added blank."""
        return cells[self.columns.get(ours, -1)]
