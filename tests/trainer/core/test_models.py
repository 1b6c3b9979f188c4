import pytest
import torch
from torch import nn

from trainer.core.models import NETWORKS, build_network, count_parameters
from trainer.core.names import DEFAULT_NETWORK, NETWORK_NAMES


@pytest.fixture(params=list(NETWORKS))
def name(request) -> str:
    return request.param


def on_meta(name: str) -> nn.Module:
    """Shapes without numbers: `two_conv` would fill 2 GB."""
    with torch.device("meta"):
        return build_network(name).eval()


def layers(network: nn.Module) -> list[str]:
    return [f"{key}: {module}" for key, module in network.named_children()]


def test_two_conv_is_the_published_network() -> None:
    network = on_meta("two_conv")
    assert layers(network) == [
        "conv1: Conv2d(1, 32, kernel_size=(5, 5), stride=(1, 1))",
        "pool1: MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
        "conv2: Conv2d(32, 64, kernel_size=(5, 5), stride=(1, 1))",
        "pool2: MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
        "fc1: Linear(in_features=179776, out_features=3000, bias=True)",
        "fc2: Linear(in_features=3000, out_features=500, bias=True)",
        "fc3: Linear(in_features=500, out_features=136, bias=True)",
    ]
    assert count_parameters(network) == 540_951_732


def test_simple_is_the_published_network() -> None:
    network = on_meta("simple")
    assert layers(network) == [
        "conv1: Conv2d(1, 32, kernel_size=(5, 5), stride=(1, 1))",
        "pool1: MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
        "fc1: Linear(in_features=387200, out_features=136, bias=True)",
    ]
    assert count_parameters(network) == 32 * 25 + 32 + 387_200 * 136 + 136


@pytest.mark.parametrize("baseline", ["simple", "two_conv"])
def test_the_baseline_takes_224_px_crops(baseline: str) -> None:
    assert NETWORKS[baseline].input_spec.size_px == 224


def test_the_default_network_is_small() -> None:
    assert tuple(NETWORKS) == NETWORK_NAMES
    assert DEFAULT_NETWORK == "compact"
    assert count_parameters(on_meta("compact")) < 700_000 < count_parameters(on_meta("large")) < 1_100_000


@pytest.mark.parametrize("count", [1, 3])
def test_outputs_have_the_promised_shapes(name: str, count: int) -> None:
    network = on_meta(name)
    size = NETWORKS[name].input_spec.size_px
    output = network(torch.zeros(count, 1, size, size, device="meta"))
    assert output.points.shape == (count, 68, 2)
    if name in {"compact", "large"}:
        assert output.face_logit.shape == (count,)
    else:
        assert output.face_logit is None


def test_the_baseline_decodes_as_published() -> None:
    """An output of 0 is the crop's pixel 100; one unit is 50 pixels; of 224."""
    network = on_meta("simple").to_empty(device="cpu")
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    with torch.inference_mode():
        network.fc1.bias[0] = 1.0
        points = network(torch.rand(2, 1, 224, 224)).points
    assert points[:, 0, 0].tolist() == pytest.approx([150 / 224] * 2)
    assert points[:, 0, 1].tolist() == pytest.approx([100 / 224] * 2)
    assert points[:, 1:].flatten().tolist() == pytest.approx([100 / 224] * (2 * 67 * 2))


def unsettled(seed: int) -> nn.Module:
    """A compact network whose batch normalisations are far from doing nothing."""
    torch.manual_seed(seed)
    network = build_network("compact").eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.3, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    return network


def test_folding_keeps_the_results_and_drops_the_norms() -> None:
    network, crops = unsettled(3), torch.rand(4, 1, 96, 96)
    with torch.inference_mode():
        before = network(crops)
        network.fold()
        after = network(crops)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    torch.testing.assert_close(after.points, before.points, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(after.face_logit, before.face_logit, atol=1e-4, rtol=1e-4)


def test_folding_twice_is_folding_once() -> None:
    network, crops = unsettled(3), torch.rand(1, 1, 96, 96)
    with torch.inference_mode():
        network.fold()
        once = network(crops).points
        network.fold()
        assert torch.equal(network(crops).points, once)


def test_folding_a_network_in_training_mode_uses_what_it_has_learned() -> None:
    network, crops = unsettled(4), torch.rand(2, 1, 96, 96)
    with torch.inference_mode():
        expected = network(crops).points
        network.train()
        network.fold()
        torch.testing.assert_close(network(crops).points, expected, atol=1e-5, rtol=1e-4)


def test_compact_sees_no_difference_in_lighting() -> None:
    network, crops = unsettled(5), torch.rand(2, 1, 96, 96)
    with torch.inference_mode():
        bright, dim = network(crops).points, network(crops * 0.5 + 0.3).points
    torch.testing.assert_close(bright, dim, atol=0.02, rtol=0)


def test_compact_bears_a_flat_crop() -> None:
    with torch.inference_mode():
        output = unsettled(6)(torch.full((1, 1, 96, 96), 0.5))
    assert torch.isfinite(output.points).all()
    assert torch.isfinite(output.face_logit).all()


def test_an_unknown_network_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'resnet'.*simple, two_conv, compact, large"):
        build_network("resnet")
