import numpy as np
import pytest

from trainer.metrics import AUC_LIMIT, nme, score


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
