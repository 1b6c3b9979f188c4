"""Every text that a user of the windows can see is translated, and the German is whole and fits."""

from __future__ import annotations

import importlib.util
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from string import Formatter

import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QObject, QTranslator

from fkd_desktop.errors import SourceError
from fkd_desktop.i18n import ERRORS_CONTEXT, numeral, translated
from trainer.core.errors import FkdError
from trainer.core.resources import assets_dir
from trainer.core.text import Text
from trainer.events import Notice, RunFailed, from_json_line, to_json_line

ROOT = assets_dir().parent
FOLDER = ROOT / "assets" / "translations"
SCRIPT = ROOT / "assets" / "scripts" / "update_translations.py"
MEND = "run: python assets/scripts/update_translations.py"
ENDINGS = (".", "…", ":", "?", "!", ",", ";")


def load_script():
    spec = importlib.util.spec_from_file_location("update_translations", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


script = load_script()


@pytest.fixture(scope="module")
def messages():
    """Return what the code has."""
    return script.collect(ROOT)


def entries(language):
    """Yield context, source, comment, forms and whether it is finished, of a .ts file."""
    for context in ET.parse(FOLDER / f"fkd_desktop_{language}.ts").getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            forms = [form.text or "" for form in translation.iter("numerusform")] or [translation.text or ""]
            key = (context.findtext("name"), message.findtext("source"), message.findtext("comment", ""))
            yield *key, forms, translation.get("type") is None


def finished_german():
    return [(context, source, forms) for context, source, _, forms, done in entries("de") if done and all(forms)]


def names(text):
    """Return the placeholders of a text, with their conversions and formats; none where there are only braces."""
    try:
        return Counter(
            f"{name}!{conversion or ''}:{spec}"
            for _, name, spec, conversion in Formatter().parse(text)
            if name is not None and re.fullmatch(r"\w+", name)
        )
    except ValueError:
        return Counter()


def mnemonic(text):
    found = re.search(r"&([^&\s])", text.replace("&&", ""))
    return found[1].lower() if found else ""


# --- the files


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_files_have_the_texts_of_the_code(messages, language):
    wanted = {(m.context, m.source, m.comment) for m in messages if language != "en" or m.is_plural}
    there = {entry[:3] for entry in entries(language)}
    assert not wanted - there, f"missing in fkd_desktop_{language}.ts: {sorted(wanted - there)[:10]}; {MEND}"
    assert not there - wanted, f"no more in the code: {sorted(there - wanted)[:10]}; {MEND}"


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_text_is_translated(language):
    unfinished = [entry[:2] for entry in entries(language) if not entry[4] or not all(entry[3])]
    assert not unfinished, f"{len(unfinished)} texts are unfinished: {unfinished[:10]}"


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_compiled_files_are_those_of_the_texts(language, tmp_path):
    compiled = tmp_path / "fresh.qm"
    script.release(FOLDER / f"fkd_desktop_{language}.ts", compiled)
    assert compiled.read_bytes() == (FOLDER / f"fkd_desktop_{language}.qm").read_bytes(), MEND


# --- the German


def test_placeholders_are_those_of_the_source():
    wrong = []
    for context, source, forms in finished_german():
        for form in forms:
            if names(form) != names(source) or ("%n" in form) > ("%n" in source):
                wrong.append((context, source, form))
    assert not wrong


def test_a_count_is_told_where_it_is_more_than_one():
    assert not [(s, f) for _, s, f in finished_german() if "%n" in s and len(f) > 1 and "%n" not in f[-1]]


def test_keys_of_menus_and_buttons_are_kept():
    assert not [(c, s, f) for c, s, forms in finished_german() for f in forms if bool(mnemonic(s)) != bool(mnemonic(f))]


def test_texts_end_alike():
    def ending(text):
        text = text.rstrip().rstrip("”“\"'")
        return next((mark for mark in ENDINGS if text.endswith(mark)), "")

    assert not [(s, f) for _, s, forms in finished_german() for f in forms if ending(s) != ending(f)]


def test_blanks_round_texts_and_tags_in_them_are_kept():
    def shape(text):
        return (
            text[: len(text) - len(text.lstrip())],
            text[len(text.rstrip()) :],
            sorted(re.findall(r"</?(?:b|i|p|br|a|h\d|tt|code|li|ul)\b", text)),
        )

    assert not [(s, f) for _, s, forms in finished_german() for f in forms if shape(s) != shape(f)]


# --- how texts are found and said


class Base(QObject):
    """Has a text."""

    def word(self):
        """Say it."""
        return self.tr("Hello")


class Derived(Base):
    """Has none of its own."""


@pytest.fixture
def install(qapp, request):
    """Install translators for the test."""
    installed = []

    def add(translator):
        qapp.installTranslator(translator)
        installed.append(translator)

    yield add
    for translator in installed:
        qapp.removeTranslator(translator)


@pytest.fixture
def made(tmp_path, install):
    """Compile and install translations: (context, source) -> form or forms."""

    def make(texts):
        written = [script.Message(c, s, is_plural=isinstance(f, tuple)) for (c, s), f in texts.items()]
        known = {(c, s, ""): f if isinstance(f, tuple) else (f,) for (c, s), f in texts.items()}
        path = tmp_path / "made.ts"
        script.write(path, "de", written, known)
        script.release(path)
        translator = QTranslator()
        assert translator.load(str(path.with_suffix(".qm")))
        install(translator)

    return make


def test_a_text_of_a_base_class_is_found_for_a_derived_one(made):
    made({("Base", "Hello"): "Hallo"})
    assert Base().word() == "Hallo"
    assert Derived().word() == "Hallo"


def test_an_error_is_said_with_its_values(made):
    made({(ERRORS_CONTEXT, "there is no camera {name}"): "es gibt keine Kamera {name}"})
    error = SourceError("there is no camera {name}", name="{7}")
    assert str(error) == "there is no camera {7}"
    assert translated(error) == "es gibt keine Kamera {7}"


def test_texts_in_texts_are_translated_with_them(made):
    made({(ERRORS_CONTEXT, "{path}: {why}"): "{path} – {why}", (ERRORS_CONTEXT, "is gone"): "ist weg"})
    inner = FkdError("is gone")
    outer = FkdError("{path}: {why}", path="a", why=inner)
    assert str(outer) == "a: is gone"
    assert translated(outer) == "a – ist weg"
    assert translated(FkdError(outer.said)) == "a – ist weg"


def test_counts_have_their_forms(made):
    text = "%n keypoint(s) instead of {expected}"
    one, many = (Text(text, n=n, expected=68) for n in (1, 5))
    assert (one, many) == ("1 keypoint instead of 68", "5 keypoints instead of 68")
    assert (translated(one), translated(many)) == (one, many)
    made({(ERRORS_CONTEXT, text): ("%n Punkt statt {expected}", "%n Punkte statt {expected}")})
    assert (translated(one), translated(many)) == ("1 Punkt statt 68", "5 Punkte statt 68")


def test_numbers_are_written_as_the_language_does(made):
    made({(ERRORS_CONTEXT, "{size:,.1f} MB"): "{size:,.1f} MB"})
    before = QLocale()
    QLocale.setDefault(QLocale("de"))
    try:
        assert translated(Text("{size:,.1f} MB", size=1234.56)) == "1.234,6 MB"
        assert numeral("3.97%") == "3,97\u00a0%"
    finally:
        QLocale.setDefault(before)


def test_what_a_process_says_can_be_translated_by_another(made):
    made(
        {
            (
                ERRORS_CONTEXT,
                "{path} is full ({reason}), {share:.0f} left",
            ): "{path} ist voll ({reason}), {share:.0f} übrig"
        }
    )
    said = Text("{path} is full ({reason}), {share:.0f} left", path=ROOT, reason=Text("no room"), share=2.4)
    for event in (Notice(said), RunFailed(said)):
        told = from_json_line(to_json_line(event))
        assert told == event
        assert translated(told.message) == f"{ROOT} ist voll (no room), 2 übrig"


def test_events_of_older_versions_are_read():
    assert from_json_line('{"event": "RunFailed", "message": "it broke"}') == RunFailed("it broke")
    with pytest.raises(ValueError, match="not a training event"):
        from_json_line(
            '{"event": "RunFailed", "message": "it broke", "said": {"text": "{a}", "values": {}, "x": 1}}'.replace(
                '"values": {}', '"values": 3'
            )
        )


def test_braces_of_paths_are_no_placeholders():
    assert str(FkdError("{path} is gone", path="/a/{b}")) == "/a/{b} is gone"
    assert str(FkdError("between { and }")) == "between { and }"
    assert QCoreApplication.translate(ERRORS_CONTEXT, "nowhere to be found") == "nowhere to be found"
