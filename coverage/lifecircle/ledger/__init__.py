"""Keep the yearly record: an append-only register of runs, the evidence of each, and runs that were replaced.

A run's folder is written by the audit; here stands what is remembered of it. The register can always be built
again from the folders.
"""

from lifecircle.ledger._evidence import (
    EVIDENCE,
    Evidence,
    Source,
    declared_key,
    evidence_of,
    read_evidence,
    standard_key,
    without_secrets,
    write_evidence,
)
from lifecircle.ledger._register import (
    REGISTER,
    Register,
    check_register,
    note_run,
    open_register,
    rebuild_register,
    result_rows,
)
from lifecircle.ledger._superseded import (
    SUPERSEDED,
    differences,
    drop_copy,
    is_repeated,
    keep_superseded,
    run_folders,
    same_run,
    sealed,
)

__all__ = [
    "EVIDENCE",
    "REGISTER",
    "SUPERSEDED",
    "Evidence",
    "Register",
    "Source",
    "check_register",
    "declared_key",
    "differences",
    "drop_copy",
    "evidence_of",
    "is_repeated",
    "keep_superseded",
    "note_run",
    "open_register",
    "read_evidence",
    "rebuild_register",
    "result_rows",
    "run_folders",
    "same_run",
    "sealed",
    "standard_key",
    "without_secrets",
    "write_evidence",
]
