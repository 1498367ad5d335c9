"""Write a report to a folder, in its three forms."""

from __future__ import annotations

from pathlib import Path

from eval.report import write_json
from eval.satisfaction.kept import ReportFolderError
from eval.satisfaction.page.document import Document, to_json
from eval.satisfaction.page.html import page
from eval.satisfaction.page.markdown import markdown


def write(document: Document, folder: Path) -> None:
    """report.html, report.md and report.json. Raises ReportFolderError, ReportError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.html").write_text(page(document), "utf-8")
        (folder / "report.md").write_text(markdown(document), "utf-8")
    except OSError as error:
        raise ReportFolderError(
            f"Cannot write to {str(folder)!r} ({error.strerror}): give --output a writable folder."
        ) from None
    write_json(to_json(document), folder / "report.json")
