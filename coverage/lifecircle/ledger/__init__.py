"""Keep the yearly record: an append-only register of runs, the evidence of each, and runs that were replaced.

A run's folder is written by the audit; here stands what is remembered of it. The register can always be built
again from the folders.
"""

from lifecircle.ledger._evidence import EVIDENCE, Evidence, evidence_of, read_evidence, write_evidence
from lifecircle.ledger._register import REGISTER, History, Register, check_register, open_register
from lifecircle.ledger._superseded import (
    SUPERSEDED,
    differences,
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
    "History",
    "Register",
    "check_register",
    "differences",
    "evidence_of",
    "keep_superseded",
    "open_register",
    "read_evidence",
    "run_folders",
    "same_run",
    "sealed",
    "write_evidence",
]
