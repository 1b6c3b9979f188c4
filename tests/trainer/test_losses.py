import math

import pytest
import torch

from trainer.losses import SOFTENING, WING_CURVATURE, WING_WIDTH, euclidean, keypoint_loss, wing


def one(error: float) -> torch.Tensor:
    return torch.tensor([error], dtype=torch.float64)


@pytest.mark.parametrize(
    ("error", "value"),
    [
        (0, 0.0),
        (1, 5 * math.log(2)),
        (4, 5 * math.log(5)),
        (5, 5 * math.log(6)),
        (10, 10 - (5 - 5 * math.log(6))),
        (100, 95 + 5 * math.log(6)),
    ],
)
def test_wing_by_hand(error: float, value: float) -> None:
    assert (WING_WIDTH, WING_CURVATURE) == (5, 1)
    assert wing(one(error)).item() == pytest.approx(value)
    assert wing(one(-error)).item() == pytest.approx(value)


def test_wing_with_other_constants() -> None:
    # Feng et al.'s own: width 10, curvature 2.
    assert wing(one(3), width=10, curvature=2).item() == pytest.approx(10 * math.log(2.5))
    assert wing(one(12), width=10, curvature=2).item() == pytest.approx(12 - (10 - 10 * math.log(6)))


@pytest.mark.parametrize(("width", "curvature"), [(5, 1), (10, 2), (3, 0.5)])
def test_the_pieces_of_wing_join_at_its_width(width: float, curvature: float) -> None:
    below, above = (wing(one(width + step), width=width, curvature=curvature).item() for step in (-1e-9, 1e-9))
    assert below == pytest.approx(above, abs=1e-7)


def test_wing_grows_and_pulls_hardest_at_small_errors() -> None:
    errors = torch.linspace(0.01, 20, 500, dtype=torch.float64, requires_grad=True)
    (wing(errors) * len(errors)).backward()
    assert (errors.grad > 0).all()
    near, far = errors < WING_WIDTH, errors >= WING_WIDTH
    assert (errors.grad[near].diff() < 0).all()
    assert errors.grad[far].numpy() == pytest.approx(1)


def test_wing_of_no_error_has_a_gradient_that_is_a_number() -> None:
    errors = torch.zeros(3, requires_grad=True)
    wing(errors).backward()
    assert torch.isfinite(errors.grad).all()


def test_losses_are_means() -> None:
    errors = torch.tensor([[0.0, 1.0], [-2.0, 10.0]], dtype=torch.float64)
    assert keypoint_loss("mse", errors).item() == pytest.approx((0 + 1 + 4 + 100) / 4)
    assert keypoint_loss("smooth_l1", errors).item() == pytest.approx((0 + 0.5 + 1.5 + 9.5) / 4)
    wings = [0, 5 * math.log(2), 5 * math.log(3), 5 + 5 * math.log(6)]
    assert keypoint_loss("wing", errors).item() == pytest.approx(sum(wings) / 4)


def test_euclidean_is_the_distance_but_for_very_small_ones() -> None:
    errors = torch.tensor([[3.0, 4.0], [-60.0, 80.0]], dtype=torch.float64)
    assert euclidean(errors).item() == pytest.approx((5 + 100) / 2, rel=1e-3)
    assert keypoint_loss("euclidean", errors).item() == euclidean(errors).item()
    assert euclidean(torch.zeros(4, 68, 2)).item() == pytest.approx(SOFTENING)
    assert euclidean(torch.tensor([[0.0, 1e-4]])).item() == pytest.approx(SOFTENING, rel=1e-3)


def test_euclidean_pulls_along_the_error_and_no_harder_far_away() -> None:
    errors = torch.tensor([[3.0, -4.0], [300.0, -400.0], [0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    (euclidean(errors) * len(errors)).backward()
    near, far, none = errors.grad
    torch.testing.assert_close(near, torch.tensor([0.6, -0.8], dtype=torch.float64), rtol=1e-3, atol=0)
    torch.testing.assert_close(far, torch.tensor([0.6, -0.8], dtype=torch.float64), rtol=1e-6, atol=1e-6)
    assert none.tolist() == [0, 0]


@pytest.mark.parametrize("name", ["euclidean", "wing", "smooth_l1", "mse"])
def test_losses_of_batches_are_scalars_with_gradients(name) -> None:
    errors = torch.randn(4, 68, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = keypoint_loss(name, errors)
    assert loss.shape == ()
    loss.backward()
    assert errors.grad.abs().sum() > 0
    assert torch.isfinite(errors.grad).all()
    smaller = keypoint_loss(name, errors.detach() - 0.1 * errors.grad)
    assert smaller < loss
