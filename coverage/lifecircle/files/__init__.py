"""Write files whole or not at all, hash them, swap folders, and store arrays between runs in a cache.

A command may be killed at any moment. Until then it writes beside the target under a name of its own, locked
for as long as the process lives; the next command that comes to the place finishes or restores it and removes
what no process works on.
"""

from lifecircle.files._array_cache import cache_folder, load_arrays, save_arrays
from lifecircle.files._claims import LOCK, clear_beside, one_writer
from lifecircle.files._content import FORMAT, content_key, file_hash, files_of
from lifecircle.files._folders import (
    Results,
    check_folder,
    complete_folder,
    flush_files,
    recover,
    remove_folder,
    scratch_folder,
    whole_folder,
)
from lifecircle.files._one_file import check_file, check_room, written

__all__ = [
    "FORMAT",
    "LOCK",
    "Results",
    "cache_folder",
    "check_file",
    "check_folder",
    "check_room",
    "clear_beside",
    "complete_folder",
    "content_key",
    "file_hash",
    "files_of",
    "flush_files",
    "load_arrays",
    "one_writer",
    "recover",
    "remove_folder",
    "save_arrays",
    "scratch_folder",
    "whole_folder",
    "written",
]
