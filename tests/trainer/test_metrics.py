import numpy as np
import pytest

from trainer.metrics import AUC_LIMIT, JUDGED_PARTS, bias, nme, nme_by_part, score


@pytest.fixture
def truth(drawn) -> np.ndarray:
    """Two faces whose outer eye corners are 64 and 32 apart."""
    return np.stack([drawn.points(width=100), drawn.points(x=9, width=50, angle=1.0)])


def test_nme_by_hand(truth: np.ndarray) -> None:
    points = truth.copy()
    points[0, :, :] += [3, 4]  # every point off by 5
    points[1, 0] += [0, 68]  # one of 68 points off by 68: 1 on average
    np.testing.assert_allclose(nme(points, truth), [5 / 64, 1 / 32], rtol=1e-5)
    assert nme(points, truth).dtype == np.float32


def test_nme_has_no_unit(truth: np.ndarray) -> None:
    points = truth + np.random.default_rng(0).normal(size=truth.shape).astype(np.float32)
    np.testing.assert_allclose(nme(points * 7, truth * 7), nme(points, truth), rtol=1e-4)


def test_nme_is_measured_by_the_true_eyes(truth: np.ndarray) -> None:
    points = truth.copy()
    points[0, 36] -= [1000, 0]  # a wild guess does not make the face larger
    assert nme(points, truth)[0] == pytest.approx(1000 / 68 / 64, rel=1e-4)


def test_nme_of_a_face_without_size_is_a_number() -> None:
    assert np.isfinite(nme(np.ones((1, 68, 2), np.float32), np.zeros((1, 68, 2), np.float32))).all()


def test_every_point_is_in_one_judged_part() -> None:
    assert sorted(np.concatenate(list(JUDGED_PARTS.values()))) == list(range(68))


def test_nme_of_a_part_is_that_of_its_points_over_the_whole_faces_size(truth: np.ndarray) -> None:
    points = truth.copy()
    points[0, 48:68] += [3, 4]  # the mouth of the first face off by 5
    parts = nme_by_part(points, truth)
    assert parts.pop("mouth") == pytest.approx(5 / 64 / 2, rel=1e-5)
    assert set(parts.values()) == {0}


def test_the_parts_make_up_the_whole(truth: np.ndarray) -> None:
    points = truth + np.random.default_rng(0).normal(size=truth.shape).astype(np.float32)
    shares = [len(indices) / 68 for indices in JUDGED_PARTS.values()]
    assert np.dot(shares, list(nme_by_part(points, truth).values())) == pytest.approx(nme(points, truth).mean())


def test_bias_is_what_noise_leaves(truth: np.ndarray) -> None:
    faces = np.tile(truth[:1], (2000, 1, 1))
    noise = np.random.default_rng(0).normal(scale=2, size=faces.shape).astype(np.float32)
    assert bias(faces + noise + np.float32([0.64, -1.28]), faces) == pytest.approx((0.01, -0.02), abs=1e-3)


def test_bias_is_in_units_of_each_face(truth: np.ndarray) -> None:
    points = truth + np.float32([[[6.4, 0]], [[3.2, 0]]])  # eyes 64 and 32 apart
    assert bias(points, truth) == pytest.approx((0.1, 0), abs=1e-5)


def test_missed_faces_are_failures_and_add_nothing_to_the_auc() -> None:
    found = score(np.float32([0.02, 0.04]))
    result = score(np.float32([0.02, 0.04]), missed=2)
    assert result.count == 4
    assert result.nme_mean == found.nme_mean
    assert result.nme_median == found.nme_median
    assert result.failure_rate == pytest.approx(0.5)
    assert result.auc == pytest.approx(found.auc / 2)


def test_only_missed_faces_have_no_error() -> None:
    result = score(np.empty(0, np.float32), missed=3)
    assert (result.count, result.failure_rate, result.auc) == (3, 1, 0)
    assert np.isnan([result.nme_mean, result.nme_median]).all()


def test_score_by_hand() -> None:
    result = score(np.float32([0.02, 0.04, 0.06, 0.12, 0.10]))
    assert result.count == 5
    assert result.nme_mean == pytest.approx(0.068)
    assert result.nme_median == pytest.approx(0.06)
    assert result.failure_rate == pytest.approx(0.2)  # 10 % itself is no failure
    assert result.auc == pytest.approx((0.75 + 0.5 + 0.25) / 5)


def test_auc_is_the_area_under_the_cumulative_error_curve() -> None:
    nmes = np.random.default_rng(1).gamma(3, 0.02, 500).astype(np.float32)
    thresholds = np.linspace(0, AUC_LIMIT, 20_001)
    below = np.searchsorted(np.sort(nmes), thresholds, side="right") / len(nmes)
    assert score(nmes).auc == pytest.approx(np.trapezoid(below, thresholds) / AUC_LIMIT, abs=1e-4)


@pytest.mark.parametrize(("nmes", "auc"), [([0, 0], 1), ([1, 1], 0), ([0, 0.08], 0.5)])
def test_auc_at_its_limits(nmes: list[float], auc: float) -> None:
    assert score(np.float32(nmes)).auc == pytest.approx(auc, abs=1e-6)


def test_no_faces_have_no_score() -> None:
    with pytest.raises(ValueError, match="no faces"):
        score(np.empty(0, np.float32))
