"""Read tables of any format, check one against its schema, and write one whole or not at all.

A source is a path (csv, xlsx, gpkg, shp, geojson, parquet), the address of a table in a database, or a frame.
A schema states which columns a table must have. A fault of a row becomes a reject row and the reading goes
on; a fault of the file raises an error. This room knows neither coordinates (``datum``) nor what a table is
about.
"""

from __future__ import annotations

from lifecircle.cells import is_one_value, parse_date, parse_flag, plain_numbers, plain_text, plain_texts
from lifecircle.tables._csv import decoded, delimiter_of
from lifecircle.tables._guard import UNREADABLE, check_file
from lifecircle.tables._postgres import (
    Snapshot,
    connect,
    database_snapshot,
    driven,
    is_database,
    refused,
    shown_address,
    snapshot_of,
    sqlalchemy,
)
from lifecircle.tables._read import SUFFIXES, Source, Table, is_raster, read_table
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
from lifecircle.tables._write import rearmed, unarmed, write_csv, write_features, write_layers

__all__ = [
    "DATE_DTYPE",
    "REJECT_COLUMNS",
    "SUFFIXES",
    "UNREADABLE",
    "Checked",
    "Column",
    "Schema",
    "Snapshot",
    "Source",
    "Table",
    "check_file",
    "check_table",
    "connect",
    "database_snapshot",
    "decoded",
    "delimiter_of",
    "driven",
    "headings_of",
    "is_database",
    "is_one_value",
    "is_raster",
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
    "refused",
    "reject_rows",
    "rejected_rows",
    "row_labels",
    "shown_address",
    "snapshot_of",
    "sqlalchemy",
    "strange_names",
    "too_many_rejects",
    "unarmed",
    "unit_notes",
    "write_csv",
    "write_features",
    "write_layers",
]
