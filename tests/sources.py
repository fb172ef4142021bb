"""The package's own source, parsed once for all tests of a worker that look for something in it."""

import ast
from functools import cache

from conftest import ROOT

PACKAGE = ROOT / "coverage" / "lifecircle"


@cache
def tree_of(path):
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"))


@cache
def nodes_of(path):
    """Return every node of a file's syntax tree, in the order of ``ast.walk``."""
    return tuple(ast.walk(tree_of(path)))
