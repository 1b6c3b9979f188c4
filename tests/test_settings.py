"""What is remembered, and what a damaged or old file does."""

from __future__ import annotations

from pathlib import Path

import pytest

from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.settings import Settings, _Setting

VALUES = {
    "overlays": '[["hat", 0.5], ["a; b, \\"c\\" ü", 1.0]]',
    "overlay_keys": {"my own": "5", "hat": ""},
    "shows_gallery": True,
    "mirrored": True,
    "smoothing": SmoothingLevel.HIGH,
    "source": "camera:id=Front, \u00fcber=1;2",
    "starts_with_last_source": False,
    "recent_sources": ("/a, b/c.mp4", "rtsp://host/1"),
    "last_folder": "/somewhere; else",
    "loops_videos": True,
    "releases_camera_when_minimised": True,
    "weights": "/w.safetensors",
    "device": "cuda",
    "pictures_folder": "/p",
    "videos_folder": "/v",
    "countdown_s": 5,
    "picture_format": "jpg",
    "export_folder": "/e",
    "export_formats": ("jsonl", "pts"),
    "virtual_camera_size": (640, 480),
    "data_folder": "/d",
    "language": "de",
    "welcomed": True,
    "version": 7,
}


def all_settings() -> dict[str, _Setting[object]]:
    return {name: item for name, item in vars(Settings).items() if isinstance(item, _Setting)}


def test_the_values_below_are_all_there_are() -> None:
    assert set(VALUES) == set(all_settings())


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_there_at_the_next_start(tmp_path: Path, name: str) -> None:
    path = tmp_path / "settings.ini"
    settings = Settings(path)
    assert getattr(settings, name) != VALUES[name], "the test would show nothing"
    setattr(settings, name, VALUES[name])
    settings.store.sync()
    copy = path.rename(tmp_path / "copy.ini")  # of a file of the same name, Qt has the values still in memory
    if name == "version":  # of a newer application, whose file is left alone
        assert f"version={VALUES[name]}" in copy.read_text(encoding="utf-8")
    else:
        assert getattr(Settings(copy), name) == VALUES[name]


@pytest.mark.parametrize(
    "text", ["", "maybe", "-1", "[1, 2]", '{"a": 1}', "null", "1e999", "\x00", "a, b", "[" * 100_000]
)
def test_nonsense_reads_as_the_default(tmp_path: Path, text: str) -> None:
    settings = Settings(tmp_path / "settings.ini")
    for name, setting in all_settings().items():
        settings.store.setValue(setting.key, text)
        value = getattr(settings, name)
        assert type(value) is type(setting.default) or isinstance(value, type(setting.default)), (name, value)


@pytest.mark.parametrize("written", ["a, b", "@ByteArray(a)", "@Size(1 2)", "@Invalid()", "@Rect(1 2 3 4)"])
def test_what_qt_reads_as_something_else_than_text_reads_as_the_default(tmp_path: Path, written: str) -> None:
    path = tmp_path / "settings.ini"
    path.write_text(f"[source]\nname={written}\n[view]\ngallery={written}\n")
    settings = Settings(path)
    assert (settings.source, settings.shows_gallery) == ("camera:0", False)


def test_reset_forgets_all_but_the_recent_files(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.ini")
    for name, value in VALUES.items():
        setattr(settings, name, value)
    settings.reset()
    for name, setting in all_settings().items():
        expected = VALUES[name] if name in ("recent_sources", "welcomed") else setting.default
        assert getattr(settings, name) == expected, name
