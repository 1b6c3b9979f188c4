"""Pictures of the main window in every state that has no picture, or that says something over it."""

from __future__ import annotations

from pathlib import Path

from fake_camera import CAMERAS, Behaviour, Stage
from screenshots_live import ONE_FACE_S, open_camera
from shooting import load_network, new_window, shoot, wait

from fkd_desktop.controller import NetworkState, SessionState

TROUBLES = {
    "opening": (Behaviour.OPENS_FOR_EVER, SessionState.OPENING),
    "missing": (Behaviour.MISSING, SessionState.MISSING),
    "busy": (Behaviour.BUSY, SessionState.BUSY),
    "denied": (Behaviour.DENIED, SessionState.DENIED),
}


def shoot_states(home: Path) -> None:
    """Take them all."""
    window = new_window(home, "keypoints")
    controller = window._controller
    load_network(window)
    for name, (behaviour, state) in TROUBLES.items():
        Stage.behaviour = behaviour
        window.opener.open(CAMERAS[0].source_name())
        wait(lambda state=state: controller.session_state is state)
        shoot(window, f"state-{name}", rest_s=0.3)
    Stage.behaviour = Behaviour.SENDS
    open_camera(window, time_s=ONE_FACE_S)
    Stage.behaviour = Behaviour.SILENT
    wait(lambda: controller.session_state is SessionState.STALLED)
    shoot(window, "state-stalled", rest_s=0.2)
    Stage.behaviour = Behaviour.SENDS
    wait(lambda: controller.session_state is SessionState.LIVE)
    Stage.behaviour = Behaviour.UNPLUGGED
    wait(lambda: controller.session_state is SessionState.RECONNECTING)
    shoot(window, "state-lost", rest_s=0.3)
    Stage.behaviour = Behaviour.SENDS
    damaged = home / "Holiday 2019.mp4"
    damaged.write_bytes(b"\0\0\0\x20ftypisom" + bytes(4000))
    window.open_path(str(damaged))
    wait(lambda: controller.session_state is SessionState.FAILED)
    shoot(window, "state-failed", rest_s=0.3)
    window._controller.stop()
    shoot(window, "state-stopped", rest_s=0.3)
    open_camera(window)
    controller.load_network(Path("my-weights.safetensors"))
    wait(lambda: controller.network_state is NetworkState.FAILED)
    shoot(window, "bad-weights")
    window.leave()
