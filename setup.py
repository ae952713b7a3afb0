"""Builds the compiled core. Everything that is not a build rule stands in pyproject.toml.

The kernels are compiled once, as a static library, with one set of flags; the instruction set of a kernel stands at the
head of its file, so the result runs on every processor of the architecture.
"""

import shutil
import sys
from glob import glob

from pybind11 import get_include
from pybind11.setup_helpers import ParallelCompile
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HIDDEN = ["-fvisibility=hidden"]
# Python's own flags have -fwrapv, under which gcc takes every other pixel one by one: a frame is halved four times as
# fast without. That no sum overflows is shown under UBSan.
PIXELS = ["-O3", "-fno-wrapv", *HIDDEN]
C_FLAGS = ["-O3", "-std=c11", *HIDDEN]
EXPORTS = "native/bindings/exports.map"
SDF_EXPORTS = "native/sdf/sdf.map"
READER_EXPORTS = "native/reader/reader.map"
LINK_FLAGS = [f"-Wl,--version-script={EXPORTS}"] if sys.platform == "linux" else []
ROOMS = ["base", "sm3", "sm4", "derive", "token", "host"]
LIBCRYPTO_ROOMS = ["sm2", "sdf"]  # stand on OpenSSL's libcrypto, found at run time
INCLUDES = ["native/include", *(f"native/{room}" for room in (*ROOMS, *LIBCRYPTO_ROOMS))]
HEADERS = sorted(
    path
    for room in (*ROOMS, *LIBCRYPTO_ROOMS, "include", "frame", "grey", "reader", "bindings")
    for kind in ("h", "pxd", "pxi")
    for path in glob(f"native/{room}/*.{kind}")
)

if not shutil.which("g++") and not shutil.which("c++"):
    raise SystemExit(
        "ehc builds its kernels with gcc and its frame pipeline with g++: install both "
        "(Debian, Ubuntu: apt install gcc g++ python3-dev)"
    )

kernels = (
    "ehc_kernels",
    {
        "sources": sorted(source for room in ROOMS for source in glob(f"native/{room}/*.c")),
        "include_dirs": INCLUDES,
        "cflags": [*C_FLAGS, "-fPIC"],
    },
)

MACHINE_SOURCES = sorted(source for room in LIBCRYPTO_ROOMS for source in glob(f"native/{room}/*.c"))
machine = (
    "ehc_machine",
    {
        "sources": MACHINE_SOURCES,
        "include_dirs": INCLUDES,
        "cflags": [*C_FLAGS, "-D_GNU_SOURCE", "-fPIC"],
    },
)

native = Extension(
    "ehc._native",
    ["native/bindings/_native.pyx"],
    include_dirs=[*INCLUDES, "native/bindings"],
    extra_compile_args=["-O3", *HIDDEN],
    extra_link_args=LINK_FLAGS,
    libraries=["dl", "pthread"],
    depends=[*HEADERS, EXPORTS],
)

# The crypto machine of GM/T 0018: no Python module, a shared library beside them, for whoever opens it by its path.
sdf = Extension(
    "ehc.libehcsdf",
    MACHINE_SOURCES,
    include_dirs=INCLUDES,
    extra_compile_args=[*C_FLAGS, "-D_GNU_SOURCE"],
    extra_link_args=[f"-Wl,--version-script={SDF_EXPORTS}", "-Wl,-z,defs"] if sys.platform == "linux" else [],
    libraries=["dl", "pthread"],
    depends=[*HEADERS, SDF_EXPORTS],
)


# What a terminal vendor embeds (native/include/ehc_reader.h), a library of the same kind. Its C++ is inside: a program
# in C needs no libstdc++ beside it.
reader = Extension(
    "ehc.libehcreader",
    [*sorted(glob("native/reader/*.c*")), "native/frame/pixels.cpp", *sorted(glob("native/frame/rows*.cpp"))],
    include_dirs=[*INCLUDES, "native/frame", "native/reader"],
    extra_compile_args=["-D_GNU_SOURCE", *PIXELS],
    extra_link_args=[f"-Wl,--version-script={READER_EXPORTS}", "-Wl,-z,defs", "-static-libstdc++", "-static-libgcc"]
    if sys.platform == "linux"
    else [],
    libraries=["dl", "pthread"],
    depends=[*HEADERS, READER_EXPORTS],
    language="c++",
)
LIBRARIES = (sdf, reader)


class BuildExt(build_ext):
    """Names the shared libraries without Python's suffix."""

    def get_ext_filename(self, fullname: str) -> str:
        if fullname.endswith(("libehcsdf", "libehcreader")):
            return fullname.replace(".", "/") + ".so"
        return str(super().get_ext_filename(fullname))

    def get_export_symbols(self, ext: Extension) -> list[str]:
        return [] if ext in LIBRARIES else list(super().get_export_symbols(ext))


frame = Extension(
    "ehc._frame",
    ["native/bindings/_frame.cpp", *sorted(glob("native/frame/*.cpp"))],
    include_dirs=["native/frame", get_include()],
    extra_compile_args=["-std=c++17", *PIXELS],
    extra_link_args=LINK_FLAGS,
    depends=[*HEADERS, EXPORTS],
    language="c++",
)

grey = Extension(
    "ehc._grey",
    ["native/bindings/_grey.cpp", *sorted(glob("native/grey/*.cpp"))],
    include_dirs=["native/grey", get_include()],
    extra_compile_args=["-std=c++17", *PIXELS],
    extra_link_args=LINK_FLAGS,
    depends=[*HEADERS, EXPORTS],
    language="c++",
)

ParallelCompile().install()  # as many files at a time as there are processors
setup(libraries=[machine, kernels], ext_modules=[native, frame, grey, sdf, reader], cmdclass={"build_ext": BuildExt})
