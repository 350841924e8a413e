"""Import name -> installed version, from the names of directories."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ddsimport.analysis import distributions, sealed
from ddsimport.analysis.distributions import keep_in, version_of


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder)])
    monkeypatch.setattr(distributions, "_directory", [])
    distributions.forget()
    yield folder
    distributions.forget()


def install(site: Path, name: str, version: str, record: str = "", top_level: str = "") -> None:
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    if record:
        (info / "RECORD").write_text(record)
    if top_level:
        (info / "top_level.txt").write_text(top_level)


def test_the_names_come_from_the_record_or_the_list(site: Path) -> None:
    install(
        site,
        "Pillow",
        "10.1",
        record="PIL/__init__.py,sha256=x,1\nPillow-10.1.dist-info/METADATA,,\n",
    )
    install(site, "six", "1.16", record="six.py,sha256=x,1\n../../bin/six,,\n")
    install(site, "old_dist", "2.0", top_level="one\ntwo\n")
    assert version_of("PIL") == "Pillow==10.1"
    assert version_of("six") == "six==1.16"
    assert version_of("one") == version_of("two") == "old_dist==2.0"


def test_a_namespace_has_all_of_its_distributions(site: Path) -> None:
    install(site, "google_a", "1.0", record="google/a/x.py,,\n")
    install(site, "google_b", "2.0", record="google/b/x.py,,\n")
    assert version_of("google") == "google_a==1.0, google_b==2.0"


def test_an_upgrade_is_seen(site: Path) -> None:
    install(site, "lib", "1.0", top_level="lib\n")
    assert version_of("lib") == "lib==1.0"
    (site / "lib-1.0.dist-info").rename(site / "lib-1.1.dist-info")
    distributions._versions.clear()
    assert version_of("lib") == "lib==1.1"


def test_the_index_is_kept_on_disk_until_the_directory_changes(site: Path, tmp_path: Path) -> None:
    keep_in(str(tmp_path / "kept"))
    install(site, "lib", "1.0", top_level="lib\n")
    assert version_of("lib") == "lib==1.0"
    (kept,) = (tmp_path / "kept").iterdir()
    sealed.write(str(kept), {"lib": ["from the disk"]})
    distributions.forget()
    assert version_of("lib") == "from the disk"
    for damaged in ("", "[]", "{"):
        kept.write_text(damaged)
        distributions.forget()
        assert version_of("lib") == "lib==1.0"
    install(site, "new", "1.0", top_level="new\n")
    distributions.forget()
    assert version_of("new") == "new==1.0"


def test_the_first_on_the_path_hides_the_others(site: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    sys.path.append(str(second))
    for folder, version in ((site, "1.0"), (second, "2.0")):
        install(folder, "lib", version, top_level="lib\n")
        (folder / "lib.py").write_text("")
    assert version_of("lib") == "lib==1.0"


def test_without_metadata_the_content_counts(site: Path) -> None:
    (site / "alone.py").write_text("x = 1\n")
    (site / "folder").mkdir()
    (site / "folder" / "__init__.py").write_text("")
    first = version_of("alone"), version_of("folder")
    assert all(version.startswith("unknown ") for version in first)
    (site / "alone.py").write_text("x = 2\n")
    (site / "folder" / "more.py").write_text("y\n")
    distributions.forget()
    sys.path_importer_cache.clear()
    assert version_of("alone") != first[0]
    assert version_of("folder") != first[1]
    assert version_of("not_there_at_all") == "missing"


def test_the_standard_library_has_no_version_of_its_own() -> None:
    assert version_of("json") == version_of("sys") == ""


def test_it_agrees_with_importlib_metadata() -> None:
    distributions.forget()
    names = importlib.metadata.packages_distributions()
    for name in ("blake3", "libcst", "hypothesis", "pytest", "numpy", "pandas"):
        if name not in names:
            continue  # before Python 3.11 it looks at `top_level.txt` only
        (distribution,) = set(names[name])
        assert version_of(name).endswith(f"=={importlib.metadata.version(distribution)}")
