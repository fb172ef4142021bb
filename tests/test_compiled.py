"""Loading of compiled loops, and the process that compiles beside the first run."""

import os
import sys
import time
from pathlib import Path

import pytest

from lifecircle import compiled, reach
from lifecircle.reach import _first_run

KERNELS = Path(reach.__path__[0]) / "_pair_kernels.py"
LAST = ("lifecircle.reach._pair_kernels", "join")
CODE = f"_pair_kernels.join-68.py{sys.version_info.major}{sys.version_info.minor}.1.nbc"


@pytest.fixture
def nobody(monkeypatch):
    """Let no process be there from before, and end the one that a test starts."""
    monkeypatch.setattr(compiled._Beside, "process", None)
    yield
    compiled._end_beside()


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Set a folder for compiled code in which nothing is stored."""
    pytest.importorskip("numba")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = tmp_path / "reach_0123"
    folder.mkdir()
    return folder


def test_a_module_is_looked_for_in_vain_only_where_nobody_has_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "sched", raising=False)
    with compiled._without("sched"), pytest.raises(ImportError):
        __import__("sched")
    assert "sched" not in sys.modules
    had = __import__("sched")
    with compiled._without("sched"):
        assert __import__("sched") is had
    assert sys.modules["sched"] is had


def test_code_is_stored_when_it_is_as_new_as_its_source(stored):
    assert not compiled._is_stored(*LAST)
    code = stored / CODE
    code.touch()
    written = KERNELS.stat().st_mtime
    for age, is_stored in ((-1.0, False), (0.0, True), (1.0, True)):
        os.utime(code, (written + age, written + age))
        assert compiled._is_stored(*LAST) is is_stored
    code.rename(stored / CODE.replace(".py", ".py9"))  # of another Python
    assert not compiled._is_stored(*LAST)


def test_code_of_a_module_that_was_installed_again_is_stored(stored):
    """Numba goes by the content of a module: its code stays older than the module, and is right."""
    code = stored / CODE
    code.touch()
    os.utime(code, (0.0, 0.0))
    assert not compiled._is_stored(*LAST)
    compiled.note_stored(*LAST)
    assert compiled._is_stored(*LAST)
    code.unlink()
    compiled.note_stored(*LAST)  # nothing is stored: nothing to note
    assert not compiled._is_stored(*LAST)


@pytest.mark.usefixtures("nobody")
def test_a_process_is_started_once_and_where_nothing_is_stored(stored):
    (stored / CODE).touch()
    assert not compiled.compile_beside("pass", last=LAST)
    (stored / CODE).unlink()
    assert compiled.compile_beside("import time; time.sleep(60)", last=LAST)
    assert not compiled.compile_beside("pass", last=LAST)
    process = compiled._Beside.process
    compiled._end_beside()
    assert process.poll() is not None


@pytest.mark.usefixtures("nobody")
def test_a_loop_is_waited_for_until_it_is_stored_or_nobody_compiles(stored):
    class Kernel:
        """What numba has of a loop that is not compiled yet."""

        signatures = ()

        class stats:  # noqa: N801 - numba's own name
            cache_path = str(stored)

        @staticmethod
        def py_func():
            """Do nothing."""

    Kernel.py_func.__qualname__ = "join"
    compiled.wait_for(Kernel)  # nobody compiles
    program = f"import time; time.sleep(0.2); open({str(stored / CODE)!r}, 'w'); time.sleep(60)"
    compiled.compile_beside(program, last=LAST)
    compiled.wait_for(Kernel)
    assert (stored / CODE).exists()
    assert compiled._Beside.process.poll() is None
    compiled._end_beside()
    (stored / CODE).unlink()
    begun = time.monotonic()
    compiled.wait_for(Kernel)  # who compiled has ended without storing it
    assert time.monotonic() - begun < 5
    assert compiled._Beside.process is None


@pytest.mark.parametrize(("name", "value"), [("LIFECIRCLE_THREADS", "1"), ("LIFECIRCLE_ENGINE", "scipy")])
@pytest.mark.usefixtures("nobody", "stored")
def test_no_process_without_a_processor_or_a_need(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert not _first_run.compile_beside()


def test_every_loop_of_an_audit_is_asked(monkeypatch):
    """The loops are those that the kept code of an audit is of: none is compiled by the audit itself."""
    pytest.importorskip("numba")
    monkeypatch.setenv("LIFECIRCLE_ENGINE", "auto")
    reach.compile_loops()
    asked = {
        "_grid_kernels": ("fill", "near", "measure"),
        "_kernels": ("nearest_kernel", "nearest_k_kernel", "within_kernel"),
        "_pair_kernels": ("turn_round", "join"),
    }
    for module, names in asked.items():
        kernels = compiled.compiled(f"lifecircle.reach.{module}")
        assert [name for name in names if not getattr(kernels, name).signatures] == []
