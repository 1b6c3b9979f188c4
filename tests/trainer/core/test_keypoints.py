import numpy as np
import pytest

from trainer.core.keypoints import (
    EDGES,
    FACE_PARTS,
    FLIP_ORDER,
    LEFT_EYE,
    NUM_KEYPOINTS,
    OUTER_EYE_CORNERS,
    RIGHT_EYE,
    inter_ocular_distance,
)


def test_every_keypoint_is_in_exactly_one_part() -> None:
    indices = [index for part in FACE_PARTS.values() for index in part.indices]
    assert sorted(indices) == list(range(NUM_KEYPOINTS))


def test_mirroring_twice_changes_nothing() -> None:
    assert FLIP_ORDER.shape == (NUM_KEYPOINTS,)
    assert (FLIP_ORDER[FLIP_ORDER] == np.arange(NUM_KEYPOINTS)).all()


def test_a_symmetric_face_is_its_own_mirror_image(drawn) -> None:
    mirrored = drawn.neutral * [-1, 1]
    np.testing.assert_allclose(mirrored[FLIP_ORDER], drawn.neutral, atol=1e-6)


@pytest.mark.parametrize(
    ("part", "mirror_image"),
    [
        ("right_eye", "left_eye"),
        ("right_brow", "left_brow"),
        ("jaw", "jaw"),
        ("nose", "nose"),
        ("outer_lips", "outer_lips"),
        ("inner_lips", "inner_lips"),
    ],
)
def test_mirroring_maps_a_part_to_its_counterpart(part: str, mirror_image: str) -> None:
    mirrored = {int(FLIP_ORDER[index]) for index in FACE_PARTS[part].indices}
    assert mirrored == set(FACE_PARTS[mirror_image].indices)


def test_points_on_the_axis_are_their_own_mirror_image() -> None:
    own = np.flatnonzero(np.equal(FLIP_ORDER, range(NUM_KEYPOINTS)))
    assert own.tolist() == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]


def test_the_flip_order_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        FLIP_ORDER[0] = 1


def test_edges_join_neighbours_of_one_part_once() -> None:
    part_of = {index: name for name, part in FACE_PARTS.items() for index in part.indices}
    assert all(part_of[a] == part_of[b] for a, b in EDGES)
    assert len({frozenset(edge) for edge in EDGES}) == len(EDGES)
    assert {index for edge in EDGES for index in edge} == set(range(NUM_KEYPOINTS))
    # Open parts have one edge fewer than points, closed ones as many; the nose lacks the line from tip to nostril.
    assert len(EDGES) == 16 + 4 + 4 + 7 + 6 + 6 + 12 + 8


def test_eyes_and_lips_are_closed_loops() -> None:
    for name in ("right_eye", "left_eye", "outer_lips", "inner_lips"):
        part = FACE_PARTS[name]
        assert part.edges[-1] == (part.indices[-1], part.indices[0])
        degree = np.bincount(np.array(part.edges).flatten(), minlength=NUM_KEYPOINTS)
        assert set(degree[list(part.indices)]) == {2}


def test_edges_mirror_to_edges() -> None:
    edges = {frozenset(edge) for edge in EDGES}
    assert {frozenset((int(FLIP_ORDER[a]), int(FLIP_ORDER[b]))) for a, b in EDGES} == edges


def test_the_right_eye_is_left_in_an_unmirrored_picture(drawn) -> None:
    assert drawn.neutral[list(RIGHT_EYE), 0].max() < drawn.neutral[list(LEFT_EYE), 0].min()


def test_the_inter_ocular_distance_is_between_the_outer_corners(drawn) -> None:
    assert OUTER_EYE_CORNERS == (36, 45)
    faces = np.stack([drawn.points(width=1), drawn.points(x=7, width=100, angle=0.4)])
    np.testing.assert_allclose(inter_ocular_distance(faces), [0.64, 64], rtol=1e-5)
    assert inter_ocular_distance(faces[0]).shape == ()
