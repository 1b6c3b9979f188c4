"""The overlay in the editor: what is done to it, and undone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fkd_desktop.overlays.description import Anchor, Fit
from fkd_desktop.ui.overlays.draft import MAX_ANCHORS, PRESETS, Document, Draft
from fkd_desktop.ui.overlays.picture_file import read_picture
from fkd_desktop.ui.overlays.snapping import place_of
from trainer.core.keypoints import LEFT_EYE, RIGHT_EYE


@pytest.fixture
def picture(glasses_png):
    return read_picture(glasses_png)


@pytest.fixture
def document(qapp, picture):
    document = Document()
    document.set_picture(picture)
    return document


@pytest.fixture
def face(drawn):
    return drawn.points(x=200, y=200, width=200)


def test_a_new_picture_is_put_on_like_glasses_and_named_after_its_file(document):
    draft = document.draft
    assert draft.title == "Red glasses"
    assert draft.anchors == (Anchor((100, 80), RIGHT_EYE), Anchor((300, 80), LEFT_EYE))
    assert document.is_modified


@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_tie_the_picture_down_within_what_it_shows(document, name):
    document.apply_preset(name)
    draft = document.draft
    assert draft.is_tied_down
    assert all(draft.picture.drawn.contains(*anchor.image_px) for anchor in draft.anchors)
    assert draft.order == PRESETS[name].order


def test_a_drag_is_undone_as_one_step_and_a_new_drag_is_another(document):
    before = document.draft
    for x in range(100, 160, 5):
        document.move_on_picture(0, (x, 40), "drag 1")
    once = document.draft
    document.move_on_picture(0, (20, 40), "drag 2")
    document.undo_stack.undo()
    assert document.draft == once
    document.undo_stack.undo()
    assert document.draft == before
    document.undo_stack.redo()
    assert document.draft.anchors[0].image_px == (155, 40)


def test_an_anchor_that_is_dragged_back_leaves_no_step(document):
    count, at = document.undo_stack.count(), document.draft.anchors[0].image_px
    document.move_on_picture(0, (20, 40), "drag 1")
    document.move_on_picture(0, at, "drag 1")
    assert document.undo_stack.count() == count


def test_anchors_stay_on_the_picture_and_off_each_other(document):
    document.move_on_picture(0, (-50, 1000), "drag")
    assert document.draft.anchors[0].image_px == (0, 160)
    document.move_on_picture(0, (300, 80), "drag")
    assert document.draft.anchors[0].image_px == (0, 160)
    document.tie(0, place_of(LEFT_EYE), "drag")
    assert document.draft.anchors[0].keypoints == RIGHT_EYE


def test_anchors_are_added_up_to_a_limit_where_the_picture_lies_already_and_removed_down_to_two(document, face):
    document.add_anchor(face)
    first, second, third = document.draft.anchors
    assert document.selected == 2
    assert document.draft.is_tied_down
    # The two eyes place the picture by a similarity: the third point must lie where that puts it.
    eyes = [face[list(anchor.keypoints)].mean(axis=0) for anchor in (first, second)]
    scale = 200 / (eyes[1] - eyes[0])[0]
    expected = (face[list(third.keypoints)].mean(axis=0) - eyes[0]) * scale + first.image_px
    assert third.image_px == pytest.approx(tuple(expected), abs=0.5)
    for _ in range(10):
        document.add_anchor(face)
    anchors = document.draft.anchors
    assert len(anchors) == MAX_ANCHORS
    assert len({frozenset(anchor.keypoints) for anchor in anchors}) == MAX_ANCHORS
    assert len({anchor.image_px for anchor in anchors}) == MAX_ANCHORS
    for _ in range(10):
        document.remove_anchor(0)
    assert len(document.draft.anchors) == 2


def test_a_fourth_anchor_leaves_a_sheared_picture_where_it_is(document, face):
    document.apply_preset("face")
    document.add_anchor(face)
    *three, fourth = document.draft.anchors
    on_face = np.array([[*face[list(anchor.keypoints)].mean(axis=0), 1] for anchor in three])
    on_picture = np.array([anchor.image_px for anchor in three])
    to_picture = np.linalg.solve(on_face, on_picture)
    expected = np.array([*face[list(fourth.keypoints)].mean(axis=0), 1]) @ to_picture
    assert fourth.image_px == pytest.approx(tuple(np.clip(expected, 0, (400, 160))), abs=0.5)


def test_anchors_on_a_line_do_not_tie_a_picture_down_unless_it_keeps_its_shape(document):
    in_line = tuple(Anchor((100.0 * i, 80.0), (i,)) for i in range(3))
    draft = replace(document.draft, anchors=in_line)
    assert not draft.is_tied_down
    assert replace(draft, fit=Fit.SIMILARITY).is_tied_down
    four = (*in_line, Anchor((50, 10), (9,)))
    assert not replace(draft, anchors=four).is_tied_down
    assert replace(draft, anchors=(*four[:2], four[3])).is_tied_down
    assert not Draft().is_tied_down


def test_another_picture_of_the_same_size_keeps_the_anchors_and_another_size_does_not(document, picture, tmp_path):
    document.move_on_picture(0, (20, 40), "drag")
    document.set_picture(replace(picture))
    assert document.draft.anchors[0].image_px == (20, 40)
    picture.image.scaled(200, 200).save(str(tmp_path / "other.png"))
    document.set_picture(read_picture(tmp_path / "other.png"))
    assert document.draft.anchors[0].image_px == (50, 100)
    assert document.draft.title == "Other", "nobody gave it a name"
    document.change("", title="Mine")
    document.set_picture(picture)
    assert document.draft.title == "Mine"


def test_the_description_says_what_the_draft_does(document):
    description = document.draft.description("picture.png")
    (picture,) = description.pictures
    assert (picture.image, picture.fit, picture.anchors) == ("picture.png", Fit.SIMILARITY, document.draft.anchors)
    document.apply_preset("face")
    assert document.draft.description("picture.png").pictures[0].fit is Fit.AFFINE
    assert document.draft.description("picture.png").order == 30
