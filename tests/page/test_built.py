"""The built page as it is committed: fresh, small, and from nowhere else."""

import gzip
import json
import re

from tests.page.built import BUILT, HASH_FILE, WEB, source_hash

BUDGET_BYTES = 150_000


def test_the_committed_build_was_made_from_these_sources() -> None:
    assert HASH_FILE.read_text(encoding="ascii").strip() == source_hash(), "run nox -s page"


def test_the_page_is_small_when_compressed() -> None:
    files = [path for path in BUILT.rglob("*") if path.is_file()]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < BUDGET_BYTES


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in BUILT.rglob("*.html"):
        assert not re.findall(r"(?:src|href)=\"(?!/)", path.read_text(encoding="utf-8"))
    for path in BUILT.rglob("*.css"):
        assert "url(" not in path.read_text(encoding="utf-8")
    script = "".join(path.read_text(encoding="utf-8") for path in BUILT.rglob("*.js"))
    addresses = set(re.findall(r"https?://[\w.-]+", script))
    assert addresses <= {"http://www.w3.org"}, "names of XML, not addresses"


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"]
    assert not any("resolved" in package for package in lock["packages"].values())


def test_both_languages_have_every_word() -> None:
    """What a view's file lacks in Chinese the type checker finds; what two views both say it does not."""
    files = sorted((WEB / "src/i18n/words").glob("*.ts"))
    catalogues = []
    for language in ("en", "zh"):
        words = [
            re.findall(
                r'^  "([\w.]+)":', text.partition(f"export const {language}")[2].partition("\n}")[0], re.M
            )
            for text in (path.read_text(encoding="utf-8") for path in files)
        ]
        catalogues.append(sorted(word for view in words for word in view))
    assert catalogues[0] == catalogues[1]
    assert len(catalogues[0]) == len(set(catalogues[0]))
    assert len(catalogues[0]) > 200
