"""Literal settings files of other versions, and what becomes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fkd_desktop import settings_migration
from fkd_desktop.i18n import translated
from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

FORMAT_0 = """\
[source]
folder=/home/ada/Videos

[view]
layers=sunglasses keypoints
mirrored=true
"""
"""As version 0.1 wrote it."""

FORMAT_1 = """\
[application]
language=de
version=1

[capture]
countdown=5
export_formats="[\\"csv\\", \\"pts\\"]"

[source]
name=camera:id=Front
recent="[\\"/films/a, b.mp4\\"]"

[view]
overlays="[[\\"hat\\", 0.5]]"
smoothing=high
"""
"""As what came after 0.1 wrote it, before there was a welcome."""

FORMAT_99 = """\
[application]
version=99

[future]
thing=kept

[view]
mirrored=true
overlays="{\\"in another way\\": 1}"
smoothing=very high
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.ini"


def test_there_is_a_step_from_every_version_to_the_next() -> None:
    assert list(settings_migration.MIGRATIONS) == list(range(settings_migration.FORMAT_VERSION))


def test_0_1s_layers_are_the_overlays_and_do_not_come_back(path: Path) -> None:
    path.write_text(FORMAT_0, encoding="utf-8")
    settings = Settings(path)
    assert json.loads(settings.overlays) == [["sunglasses", 1.0], ["keypoints", 1.0]]
    assert settings.mirrored
    assert settings.last_folder == "/home/ada/Videos"
    assert settings.notice is None
    settings.overlays = "[]"
    settings.save()
    written = path.read_text(encoding="utf-8")
    assert "layers" not in written
    assert f"version={settings_migration.FORMAT_VERSION}" in written
    assert Settings(path).overlays == "[]"


def test_without_layers_0_1s_file_says_nothing_of_overlays(path: Path) -> None:
    path.write_text("[view]\nmirrored=true\n", encoding="utf-8")
    assert Settings(path).overlays == ""


def test_format_1_is_read_as_it_is(path: Path) -> None:
    path.write_text(FORMAT_1, encoding="utf-8")
    settings = Settings(path)
    assert (settings.language, settings.countdown_s, settings.source) == ("de", 5, "camera:id=Front")
    assert settings.smoothing is SmoothingLevel.HIGH
    assert settings.export_formats == ("csv", "pts")
    assert settings.recent_sources == ("/films/a, b.mp4",)
    assert json.loads(settings.overlays) == [["hat", 0.5]]
    assert settings.version == settings_migration.FORMAT_VERSION


@pytest.mark.parametrize("old", [FORMAT_0, FORMAT_1])
def test_who_has_settings_is_no_newcomer(path: Path, old: str) -> None:
    path.write_text(old, encoding="utf-8")
    assert Settings(path).welcomed


def test_who_has_none_is_one_until_welcomed(path: Path) -> None:
    settings = Settings(path)
    assert not settings.welcomed
    settings.mirrored = True
    settings.store.sync()  # as Qt does by itself now and then, and `save` only at the end
    settings = Settings(path)
    assert not settings.welcomed, "a crash in the first minute must not make a newcomer an old hand"
    settings.welcomed = True
    settings.save()
    assert Settings(path).welcomed


@pytest.mark.parametrize("version", ["nonsense", "-3", "1.5", ""])
def test_a_version_that_is_none_counts_as_the_oldest(path: Path, version: str) -> None:
    path.write_text(f"[application]\nversion={version}\n[view]\nlayers=hat\n", encoding="utf-8")
    settings = Settings(path)
    assert json.loads(settings.overlays) == [["hat", 1.0]]
    assert settings.version == settings_migration.FORMAT_VERSION


def test_a_newer_file_is_left_as_it_is_and_what_can_be_read_is_used(path: Path, qapp: QApplication) -> None:
    path.write_text(FORMAT_99, encoding="utf-8")
    settings = Settings(path)
    assert settings.mirrored
    assert settings.smoothing is SmoothingLevel.LOW, "a value that makes no sense here is the default"
    settings.mirrored = False
    settings.save()
    del settings
    assert path.read_text(encoding="utf-8") == FORMAT_99
    again = Settings(path)
    assert not again.mirrored, "this version's own changes are kept, too"
    assert again.notice is not None
    own = path.with_name(f"settings-format-{settings_migration.FORMAT_VERSION}.ini")
    assert own.is_file()
    assert own.name in translated(again.notice)


def test_after_an_update_the_newer_file_is_the_one_in_use_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(FORMAT_99, encoding="utf-8")
    settings = Settings(path)
    settings.mirrored = False
    settings.save()
    monkeypatch.setattr(settings_migration, "FORMAT_VERSION", 99)
    updated = Settings(path)
    assert updated.mirrored
    assert updated.notice is None


def test_settings_that_were_only_looked_at_write_nothing(path: Path) -> None:
    settings = Settings(path)
    assert settings.version == settings_migration.FORMAT_VERSION
    settings.store.sync()
    assert not path.exists()
