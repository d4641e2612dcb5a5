"""Build the Cython extensions of the DSP core and of the SIP adapter.

``THIRDRING_DSP_CHECKED=1`` builds with bounds checks and assertions, for ``nox -s dsp_checked``.
A failed extension build fails the installation: there is no pure-Python substitute.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

ROOT = Path(__file__).parent
JOBS = os.cpu_count() or 1
CHECKED = os.environ.get("THIRDRING_DSP_CHECKED") == "1"
# No -ffast-math: results must not depend on how the compiler reorders sums with NaN or infinity.
COMPILE_ARGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-Wno-unused-function"]


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
    )


setup(
    ext_modules=cythonize(
        [
            extension(path, component)
            for component in ("dsp", "device")
            for path in sorted((ROOT / component).rglob("*.pyx"))
        ],
        include_path=["dsp"],
        nthreads=JOBS,
        force=CHECKED,
        compiler_directives={
            "language_level": 3,
            "boundscheck": CHECKED,
            "wraparound": False,
            "initializedcheck": CHECKED,
            "cdivision": not CHECKED,
            "embedsignature": True,
            "freethreading_compatible": False,
        },
    ),
    options={"build_ext": {"parallel": JOBS}},
)
