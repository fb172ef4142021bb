"""Read tables of any format, check one against its schema, and write one whole or not at all.

A source is a path (csv, xlsx, gpkg, shp, geojson, parquet) or a frame in memory. A schema states which
columns a table must have. A fault of a row becomes a reject row and the reading goes on; a fault of the file
raises an error. This room knows neither coordinates (``datum``) nor what a table is about.
"""

from __future__ import annotations

from lifecircle.cells import is_one_value, parse_date, parse_flag, plain_numbers, plain_text, plain_texts
from lifecircle.tables._csv import decoded, delimiter_of
from lifecircle.tables._guard import check_file
from lifecircle.tables._read import SUFFIXES, Source, Table, read_table
from lifecircle.tables._rejects import (
    REJECT_COLUMNS,
    join_rejects,
    no_rejects,
    reject_rows,
    rejected_rows,
    too_many_rejects,
)
from lifecircle.tables._schema import (
    DATE_DTYPE,
    Checked,
    Column,
    Schema,
    check_table,
    headings_of,
    missing_column,
    names_of,
    nearest_name,
    row_labels,
    strange_names,
    unit_notes,
)
from lifecircle.tables._write import rearmed, unarmed, write_csv, write_layers

__all__ = [
    "DATE_DTYPE",
    "REJECT_COLUMNS",
    "SUFFIXES",
    "Checked",
    "Column",
    "Schema",
    "Source",
    "Table",
    "check_file",
    "check_table",
    "decoded",
    "delimiter_of",
    "headings_of",
    "is_one_value",
    "join_rejects",
    "missing_column",
    "names_of",
    "nearest_name",
    "no_rejects",
    "parse_date",
    "parse_flag",
    "plain_numbers",
    "plain_text",
    "plain_texts",
    "read_table",
    "rearmed",
    "reject_rows",
    "rejected_rows",
    "row_labels",
    "strange_names",
    "too_many_rejects",
    "unarmed",
    "unit_notes",
    "write_csv",
    "write_layers",
]
