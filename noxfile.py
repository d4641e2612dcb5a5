"""One command per habit, run in the environment that scripts/setup made: ``nox -s lint``."""

import shutil
from pathlib import Path

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
def judged(session: nox.Session) -> None:
    """Judge calls with known truth; arguments as in ``nox -s judged -- --seed 7 --calls 500``."""
    session.run("python", "-m", "bench.judged", *session.posargs)


@nox.session
def judged_sip(session: nox.Session) -> None:
    """Place calls of that corpus over SIP; arguments as in ``nox -s judged_sip -- --seed 7 --calls 50``."""
    session.run("python", "-m", "bench.judged.over_sip", *session.posargs)


@nox.session
def bench_dsp(session: nox.Session) -> None:
    session.run("python", "-m", "bench.dsp", *session.posargs)


@nox.session
def schemathesis(session: nox.Session) -> None:
    """Fuzz the running appliance by its OpenAPI document; ``nox -s schemathesis -- --seconds 120``."""
    session.run("python", "-m", "bench.api_fuzz", *session.posargs)


def build_sanitized(session: nox.Session, kind: str, **env: str) -> str:
    """Build the DSP core with sanitizers below ``out`` (setup.py says how) and return its folder."""
    base = Path("out", kind).absolute()
    library = str(base / "lib")
    arguments = ["build", "--build-base", str(base), "--build-lib", library]
    session.run("python", "setup.py", "-q", *arguments, env=env)
    return library


@nox.session
def dsp_checked(session: nox.Session) -> None:
    """Run the DSP tests on a build with bounds checks, address and undefined-behaviour sanitizer."""
    library = build_sanitized(session, "checked", THIRDRING_DSP_CHECKED="1")
    asan = session.run("gcc", "-print-file-name=libasan.so", external=True, silent=True)
    # The interpreter itself frees little when it ends: leaks are not looked for.
    env = {"PYTHONPATH": library, "LD_PRELOAD": str(asan).strip(), "ASAN_OPTIONS": "detect_leaks=0"}
    used = session.run(
        "python", "-c", "import thirdring_dsp.dtmf as m; print(m.__file__)", env=env, silent=True
    )
    if not str(used).strip().startswith(library):
        session.error(f"not the checked build: {used}")
    # Reports of the sanitizers go to the file descriptor, which pytest must not capture.
    session.run("python", "-m", "pytest", "--capture=sys", *(session.posargs or ["tests/dsp"]), env=env)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz the DSP core; arguments as in ``nox -s fuzz -- --seconds 120 DtmfDetector``."""
    # Atheris brings libFuzzer and the sanitizers' runtime of clang in one library.
    script = "import importlib.util as u; s = u.find_spec('asan_with_fuzzer'); print(s.origin if s else '')"
    runtime = str(session.run("python", "-c", script, silent=True)).strip()
    if not runtime or not shutil.which("clang-16"):
        session.error("needs: pip install -c constraints.txt -e '.[fuzz]'; apt-get install clang-16")
    library = build_sanitized(
        session, "fuzz", THIRDRING_DSP_CHECKED="fuzz", CC="clang-16", LDSHARED="clang-16 -shared"
    )
    env = {"PYTHONPATH": library, "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"}
    session.run("python", "-m", "bench.fuzz_dsp", *session.posargs, env=env)


@nox.session
def page(session: nox.Session) -> None:
    """Build the web page anew (needs node 20 or newer); what comes out is committed."""
    with session.chdir("device/thirdring_device/gateway/web"):
        session.run("npm", "ci", external=True)
        session.run("npm", "run", "build", external=True)
    session.run("python", "-m", "tests.page.built")


@nox.session
def page_pictures(session: nox.Session) -> None:
    """Take the pictures of the page in docs/pictures anew, from a call on the simulator board."""
    session.run("python", "-m", "tests.page.pictures")


@nox.session
def docs(session: nox.Session) -> None:
    session.run("python", "docs/generate.py", *session.posargs)


def built_stack(session: nox.Session, *, required: bool) -> str:
    """Return the folder of the pjsua2 that scripts/build-pjsua2 made; empty when there is none."""
    command = ["scripts/build-pjsua2", "--print-path", *([] if required else ["--if-cached"])]
    # Status 3: there is no build, and none was asked for.
    said = session.run(*command, external=True, silent=True, success_codes=[0] if required else [0, 3])
    lines = str(said).strip().splitlines()
    return lines[-1] if lines and Path(lines[-1]).is_dir() else ""


@nox.session
def sip_both(session: nox.Session) -> None:
    """Run the SIP tests on the wheel and on the built pjsua2 (built first when it is not there)."""
    path = built_stack(session, required=True)
    tests = session.posargs or ["tests/adapters", "tests/integration"]
    session.run("python", "-m", "pytest", *tests)
    session.run("python", "-m", "pytest", *tests, env={"PYTHONPATH": path})


@nox.session
def interop(session: nox.Session) -> None:
    """Prove docs/interop.md anew on both SIP stacks."""
    notes = Path("docs/interop.json")
    notes.unlink(missing_ok=True)
    tests = ["-m", "interop", "--interop", str(notes), *(session.posargs or ["tests"])]
    path = built_stack(session, required=True)
    session.run("python", "-m", "pytest", *tests)
    session.run("python", "-m", "pytest", *tests, env={"PYTHONPATH": path})
    session.run("python", "docs/generate.py")


@nox.session
def at_conformance(session: nox.Session) -> None:
    """Prove docs/at-conformance.md anew."""
    tests = session.posargs or ["tests/at", "tests/clients"]
    session.run("python", "-m", "pytest", "-m", "console", "--console", "docs/at-conformance.json", *tests)
    session.run("python", "docs/generate.py")


@nox.session
def dtmf_relay(session: nox.Session) -> None:
    """Send 1,000 digits each way by each method through a lossy relay, on both SIP stacks."""
    arguments = session.posargs or ["--note"]
    path = built_stack(session, required=True)
    session.run("python", "-m", "bench.dtmf_relay", *arguments)
    session.run("python", "-m", "bench.dtmf_relay", *arguments, env={"PYTHONPATH": path})
    session.run("python", "docs/generate.py")


@nox.session
def bench(session: nox.Session) -> None:
    session.run("python", "-m", "bench.telephone", *session.posargs)


@nox.session
def bench_sdk(session: nox.Session) -> None:
    """Measure a host's round trips over HTTP and over serial; arguments as in ``-- --rounds 200``."""
    session.run("python", "-m", "bench.sdk_round_trip", *session.posargs)


@nox.session
def bench_page(session: nox.Session) -> None:
    """Measure the page's first paint and what it costs the browser during a call."""
    session.run("python", "-m", "bench.page", *session.posargs)


@nox.session
def bench_sound(session: nox.Session) -> None:
    """Measure mouth to wire beside baresip at a virtual headset."""
    session.run("python", "-m", "bench.sound_delay", *session.posargs)


@nox.session
def bench_stream(session: nox.Session) -> None:
    """Serve fifty WebSocket clients during a call, one of which does not read."""
    session.run("python", "-m", "bench.stream_clients", *session.posargs)


@nox.session
def hil(session: nox.Session) -> None:
    """Run the bench; arguments as in ``nox -s hil -- --targets simulator,/dev/ttyUSB0``."""
    session.run("python", "-m", "pytest", "hil/suites", *session.posargs)


@nox.session
def hil_qemu(session: nox.Session) -> None:
    """Run the bench on a virtual board of QEMU, from an image that is built first when it is not there.

    Arguments as in ``nox -s hil_qemu -- --suites console,telephone --soak-calls 5``.
    """
    if not Path("out/images/thirdring-qemu-amd64.img").exists():
        session.run("scripts/build-image", "qemu-amd64", "--spoiled", external=True)
    command = ["python", "-m", "thirdring_hil.cli", "run", "--target", "qemu-amd64"]
    session.run(*command, "--output", "out/hil-qemu", *session.posargs)


@nox.session
def hil_qemu_arm64(session: nox.Session) -> None:
    """Run what an emulated arm64 board has to pass; its image is built first when it is not there."""
    _emulated(session, "qemu-arm64", "console,self_test,telephone,recorded")


@nox.session
def hil_qemu_raspi3b(session: nox.Session) -> None:
    """Run what the Pi that QEMU imitates has to pass; its card is built first when it is not there."""
    _emulated(session, "qemu-raspi3b", "console,self_test,telephone,lamps")


def _emulated(session: nox.Session, board: str, suites: str) -> None:
    if not Path(f"out/images/thirdring-{board}.img").exists():
        session.run("scripts/build-image", board, external=True)
    command = ["python", "-m", "thirdring_hil.cli", "run", "--target", board, "--suites", suites]
    session.run(*command, "--output", f"out/hil-{board}", *session.posargs)


@nox.session
def hil_note(session: nox.Session) -> None:
    """Run the bench on the simulator and take its figures over into docs/hil.md."""
    session.run("python", "-m", "thirdring_hil.cli", "run", "--target", "simulator", "--output", "out/hil")
    session.run("python", "-m", "thirdring_hil.page", "out/hil/record.json")
    session.run("python", "docs/generate.py")


@nox.session
def hil_faults(session: nox.Session) -> None:
    """Prove that the bench finds each deliberate fault; arguments as in ``nox -s hil_faults -- late_180``."""
    session.run("python", "hil/faults/prove.py", *session.posargs)


@nox.session
def endurance(session: nox.Session) -> None:
    session.run("python", "-m", "bench.endurance", *session.posargs)
