"""Run docs/notebook.ipynb from its first cell to its last, and keep what it shows.

    python tools/run_notebook.py            runs it and writes it again, outputs and all
    python tools/run_notebook.py --check    runs it and says which cells would show something else

It needs nbclient and ipykernel (`pip install --group dev`). The notebook runs in an empty folder, without a
network, and nothing of the machine stays in it: no path, no time, no version of a kernel.
"""

# ruff: noqa: INP001 - a script beside the package, not part of one

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"
MOST_BYTES = 1_500_000
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def run(notebook: Any) -> Any:
    """Return a copy of a notebook with what its cells show now."""
    fresh = nbformat.from_dict(notebook)
    with tempfile.TemporaryDirectory(prefix="notebook-") as folder:
        # Warnings and progress of libraries are no results: they would differ from machine to machine.
        os.environ["PYTHONWARNINGS"] = "ignore"
        NotebookClient(
            fresh, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}
        ).execute()
    return bare(fresh)


def bare(notebook: Any) -> Any:
    """Leave out what depends on the machine and on the moment."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = joined([one for one in cell.outputs if one.get("name") != "stderr"])
            for output in cell.outputs:
                output.pop("metadata", None)
                if output.output_type in {"display_data", "execute_result"}:
                    output.metadata = {}
                    plain = output.data.get("text/plain", "")
                    output.data["text/plain"] = _ADDRESS.sub("", plain)
    return notebook


def joined(outputs: list[Any]) -> list[Any]:
    """Join prints that follow one another: in how many pieces they arrive depends on the moment."""
    kept: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].output_type == "stream":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def shown(cell: Any) -> list[str]:
    """Return the texts that a cell shows: tables and prints, not pictures and pages."""
    outputs = cell.get("outputs", [])
    texts = [one.get("text") or one.get("data", {}).get("text/plain", "") for one in outputs]
    return ["".join(text) for text in texts]


def main() -> int:
    """Run the notebook; 1 where a check finds a difference, or it is too large."""
    kept = nbformat.read(NOTEBOOK, as_version=4)
    fresh = run(nbformat.read(NOTEBOOK, as_version=4))
    if "--check" in sys.argv[1:]:
        pairs = zip(kept.cells, fresh.cells, strict=True)
        differ = [number for number, (old, new) in enumerate(pairs) if shown(old) != shown(new)]
        sys.stdout.write(f"cells that show something else: {differ}\n")
        return 1 if differ else 0
    text = nbformat.writes(fresh, indent=1)
    NOTEBOOK.write_text(text + "\n", "utf-8")
    sys.stdout.write(f"{NOTEBOOK.name}: {len(text.encode()):,} bytes\n")
    return 1 if len(text.encode()) > MOST_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
