"""One command per habit, run in the environment that scripts/setup made: ``nox -s lint``."""

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "type", "test"]


@nox.session
def lint(session: nox.Session) -> None:
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def type(session: nox.Session) -> None:  # noqa: A001
    session.run("mypy")


@nox.session
def test(session: nox.Session) -> None:
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def dsp(session: nox.Session) -> None:
    session.run("python", "-m", "pytest", "tests/dsp", *session.posargs)


@nox.session
def conformance(session: nox.Session) -> None:
    session.run("python", "-m", "bench.conformance", *session.posargs)


@nox.session
def bench_dsp(session: nox.Session) -> None:
    session.run("python", "-m", "bench.dsp", *session.posargs)


@nox.session
def dsp_checked(session: nox.Session) -> None:
    """Run the DSP tests on a bounds-checked build, then put the fast build back."""
    try:
        session.run(
            "python",
            "setup.py",
            "-q",
            "build_ext",
            "--inplace",
            "--force",
            env={"THIRDRING_DSP_CHECKED": "1"},
        )
        session.run("python", "-m", "pytest", "tests/dsp", *session.posargs)
    finally:
        session.run("python", "setup.py", "-q", "build_ext", "--inplace", "--force")


@nox.session
def docs(session: nox.Session) -> None:
    session.run("python", "docs/generate.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    session.run("python", "-m", "bench.telephone", *session.posargs)


@nox.session
def hil(session: nox.Session) -> None:
    """Run the bench; arguments as in ``nox -s hil -- --targets simulator,/dev/ttyUSB0``."""
    session.run("python", "-m", "pytest", "hil/suites", *session.posargs)


@nox.session
def endurance(session: nox.Session) -> None:
    session.run("python", "-m", "bench.endurance", *session.posargs)
