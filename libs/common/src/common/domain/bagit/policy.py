"""What this archive accepts beyond and below what BagIt says."""

from __future__ import annotations

from dataclasses import dataclass

from common.domain.bagit.lines import TextLimits
from common.domain.problem import Severity

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Policy:
    """The defaults are the strictest reading that valid bags of careful makers pass."""

    allow_fetch: bool = False
    """Whether a bag may have a fetch.txt. Which URLs are good is the caller's business."""
    weak_checksums: Severity = Severity.WARNING
    """Files that only MD5 or SHA-1 protect."""
    unreferenced_tag_files: Severity = Severity.ERROR
    """Tag files that no tag manifest lists, and bags without a tag manifest."""
    refuse_windows_names: bool = True
    """Whether backslashes, drive letters and %VARIABLES% make a path unsafe; no path uses them as such here."""
    max_line_length: int = 64 * 1024
    """Characters in a line of any tag file."""
    max_manifest_bytes: int = 1024 * _MIB
    """Of each manifest and of fetch.txt."""
    max_entries: int = 5_000_000
    """Of each manifest and of fetch.txt."""
    max_info_bytes: int = 16 * _MIB
    """Of bag-info.txt, which is held in memory."""

    @property
    def manifest_limits(self) -> TextLimits:
        return TextLimits(max_line=self.max_line_length, max_file=self.max_manifest_bytes)

    @property
    def info_limits(self) -> TextLimits:
        return TextLimits(max_line=self.max_line_length, max_file=self.max_info_bytes)
