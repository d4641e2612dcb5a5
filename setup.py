"""Build the Cython extensions of the DSP core and of the SIP adapter.

``THIRDRING_DSP_CHECKED=1`` builds the DSP core alone, below ``out/checked``, with bounds checks and the
address and undefined-behaviour sanitizers, for ``nox -s dsp_checked``; ``THIRDRING_DSP_CHECKED=fuzz`` does
the same with clang and its coverage counters below ``out/fuzz``, for ``nox -s fuzz``.
A failed extension build fails the installation: there is no pure-Python substitute.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

ROOT = Path(__file__).parent
JOBS = os.cpu_count() or 1
CHECKED = os.environ.get("THIRDRING_DSP_CHECKED", "")
SANITIZERS = {
    "": [],
    "1": ["address", "undefined", "float-cast-overflow"],
    "fuzz": ["address", "undefined", "float-cast-overflow", "fuzzer-no-link"],
}[CHECKED]
# No -ffast-math: results must not depend on how the compiler reorders sums with NaN or infinity.
COMPILE_ARGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-Wno-unused-function"]
LINK_ARGS: list[str] = []
if CHECKED:
    # The interpreter's own -fwrapv would hide signed overflow.
    SANITIZE = f"-fsanitize={','.join(SANITIZERS)}"
    COMPILE_ARGS += ["-O1", "-fno-wrapv", SANITIZE, "-fno-sanitize-recover=undefined,float-cast-overflow"]
    # Atheris preloads clang's runtime.
    LINK_ARGS += [SANITIZE] if CHECKED == "1" else []


def extension(path: Path, component: str) -> Extension:
    """Return the extension for one ``.pyx`` file below a component folder such as ``dsp``."""
    relative = path.relative_to(ROOT / component).with_suffix("")
    is_cpp = "language = c++" in path.read_text(encoding="utf-8").partition("\n")[0]
    return Extension(
        ".".join(relative.parts),
        [str(path.relative_to(ROOT))],
        include_dirs=[component],
        language="c++" if is_cpp else "c",
        extra_compile_args=COMPILE_ARGS,
        extra_link_args=LINK_ARGS,
    )


setup(
    ext_modules=cythonize(
        [
            extension(path, component)
            for component in (("dsp",) if CHECKED else ("dsp", "device"))
            for path in sorted((ROOT / component).rglob("*.pyx"))
        ],
        include_path=["dsp"],
        nthreads=JOBS,
        build_dir=f"out/{'fuzz' if CHECKED == 'fuzz' else 'checked'}/c" if CHECKED else None,
        compiler_directives={
            "language_level": 3,
            "boundscheck": bool(CHECKED),
            "wraparound": False,
            "initializedcheck": bool(CHECKED),
            "cdivision": True,
            "embedsignature": True,
            "freethreading_compatible": False,
        },
    ),
    options={"build_ext": {"parallel": JOBS}},
)
