"""One face tracker in a process of its own; `benchmarks.peers` starts it, with the Python that has its package.

python benchmarks/peer.py KIND SETTINGS FRAMES.npy: says in a line of JSON that it is ready, or what is missing; then
for each line "FIRST LAST" on its input it looks at these frames, the first one twice, and answers with the times of all
but the first look. Needs nothing of this project but for the kinds "ours" and "haar". Loading a picture is not timed,
nor is turning its colours for a peer that wants RGB.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Look = Callable[[NDArray[np.uint8], float], int]
    """From a frame and its time in seconds to the number of faces whose keypoints were found."""

WARM_UP = 5


class MissingError(Exception):
    """Something has to be installed or given."""


def _package(name: str) -> Any:
    """Import what only some have; checked by nobody's stubs.

    Raises
    ------
    MissingError
        If it is not there.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingError(f"{name} cannot be imported by {sys.executable} ({error})") from error


def ours(_: dict[str, Any]) -> tuple[Look, bool]:
    """Follow with the project's pipeline, its search beside the loop as in a live session."""
    from fkd_desktop.live.network import load_predictor
    from fkd_desktop.live.pipeline import Pipeline
    from fkd_desktop.live.search import SearchBeside

    pipeline = Pipeline(load_predictor(device="cpu"), search=SearchBeside())
    return lambda frame, time_s: len(pipeline.process(frame, time_s)), False


def haar(_: dict[str, Any]) -> tuple[Look, bool]:
    """Use OpenCV's cascade on every full frame, and our network on what it finds."""
    import cv2

    from fkd_desktop.live.network import load_predictor
    from trainer.core.detector import CASCADE_NAME, load_cascade, shipped_cascade

    cascade, predictor = load_cascade(shipped_cascade(CASCADE_NAME)), load_predictor(device="cpu")

    def look(frame: NDArray[np.uint8], _time_s: float) -> int:
        boxes = cascade.detectMultiScale(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), 1.2, 2)
        return len(predictor.predict(frame, np.asarray(boxes, np.float32).reshape(-1, 4)).points_px)

    return look, False


def mediapipe(settings: dict[str, Any]) -> tuple[Look, bool]:
    """Follow with MediaPipe Face Mesh; its models are in the packages before 0.10.30 or so."""
    mp = _package("mediapipe")
    if not hasattr(mp, "solutions"):
        raise MissingError(
            f"mediapipe {mp.__version__} no longer has Face Mesh; give --mediapipe-task FILE, or 0.10.21"
        )
    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=False, max_num_faces=settings["faces"])

    def look(frame: NDArray[np.uint8], _time_s: float) -> int:
        return len(mesh.process(frame).multi_face_landmarks or ())

    return look, True


def mediapipe_task(settings: dict[str, Any]) -> tuple[Look, bool]:
    """Follow with MediaPipe Face Landmarker in its video mode, with a model file of its own."""
    if not settings["task"]:
        raise MissingError("give its model: --mediapipe-task face_landmarker.task")
    mp = _package("mediapipe")
    vision = mp.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=settings["task"]),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=settings["faces"],
    )
    landmarker = vision.FaceLandmarker.create_from_options(options)

    def look(frame: NDArray[np.uint8], time_s: float) -> int:
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=frame)
        return len(landmarker.detect_for_video(image, round(1000 * time_s)).face_landmarks)

    return look, True


def dlib(settings: dict[str, Any]) -> tuple[Look, bool]:
    """Use dlib's HOG detector, which does not enlarge here, and its shape predictor, on every frame."""
    if not settings["predictor"]:
        raise MissingError("give its model: --dlib-predictor shape_predictor_68_face_landmarks.dat")
    library = _package("dlib")
    detector, predictor = library.get_frontal_face_detector(), library.shape_predictor(settings["predictor"])

    def look(frame: NDArray[np.uint8], _time_s: float) -> int:
        return sum(predictor(frame, box).num_parts > 0 for box in detector(frame, 0))

    return look, True


def onnx(settings: dict[str, Any]) -> tuple[Look, bool]:
    """Use a detector and a network for keypoints in ONNX Runtime, on every frame, in one thread.

    The detector gives scores (1, N, 2) and corners (1, N, 4) in [0, 1] of a picture normalised to (x - 127) / 128, as
    Ultra-Light-Fast-Generic-Face-Detector does; the other takes a square crop in [0, 1], as PFLD does.
    """
    if not settings["onnx"]:
        raise MissingError("give its models: --onnx DETECTOR.onnx,LANDMARKS.onnx")
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    cv2, onnxruntime = _package("cv2"), _package("onnxruntime")
    threads = onnxruntime.SessionOptions()
    threads.intra_op_num_threads = 1
    detector, landmarks = (
        onnxruntime.InferenceSession(path, threads, providers=["CPUExecutionProvider"])
        for path in settings["onnx"].split(",")
    )
    d_input, l_input = detector.get_inputs()[0], landmarks.get_inputs()[0]
    d_size, l_size = (int(d_input.shape[3]), int(d_input.shape[2])), int(l_input.shape[2])

    def look(frame: NDArray[np.uint8], _time_s: float) -> int:
        height, width = frame.shape[:2]
        small = (cv2.resize(frame, d_size).astype(np.float32) - 127) / 128
        outputs = detector.run(None, {d_input.name: small.transpose(2, 0, 1)[None]})
        scores, corners = sorted((each[0] for each in outputs), key=lambda each: each.shape[-1])
        sure = scores[:, 1] > 0.7
        corners = corners[sure] * np.array([width, height, width, height], np.float32)
        boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        kept = np.array(cv2.dnn.NMSBoxes(boxes.tolist(), scores[sure, 1].tolist(), 0.7, 0.3), int).reshape(-1)
        for x, y, w, h in boxes[kept]:
            side = round(1.1 * max(w, h))
            corner = (max(0, int(x + w / 2 - side / 2)), max(0, int(y + h / 2 - side / 2)))
            crop = cv2.resize(frame[corner[1] : corner[1] + side, corner[0] : corner[0] + side], (l_size, l_size))
            landmarks.run(None, {l_input.name: (crop.astype(np.float32) / 255).transpose(2, 0, 1)[None]})
        return len(kept)

    return look, True


KINDS = {
    "ours": ours, "haar": haar, "mediapipe": mediapipe, "mediapipe_task": mediapipe_task, "dlib": dlib, "onnx": onnx,
}  # fmt: skip


def main() -> int:
    kind, settings, path = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # what a package prints is no answer
        frames = np.load(path, mmap_mode="r")
        try:
            look, wants_rgb = KINDS[kind](settings)
        except MissingError as error:
            print(json.dumps({"missing": str(error)}), file=answers, flush=True)
            return 0
        frame_count = 0

        def look_at(number: int) -> tuple[float, float, int]:
            nonlocal frame_count
            frame_count += 1
            frame = np.ascontiguousarray(frames[number][:, :, ::-1] if wants_rgb else frames[number])
            start_s, cpu_s = time.perf_counter(), time.process_time()
            faces = look(frame, frame_count / 30)
            return 1000 * (time.perf_counter() - start_s), 1000 * (time.process_time() - cpu_s), faces

        for number in range(min(WARM_UP, len(frames))):
            look_at(number)
        print(json.dumps({"ready": True}), file=answers, flush=True)
        for line in sys.stdin:
            first, last = map(int, line.split())
            look_at(first)  # it has slept: what that costs is no frame's
            ms, cpu_ms, faces = zip(*map(look_at, range(first, last)), strict=True)
            print(json.dumps({"ms": ms, "cpu_ms": cpu_ms, "faces": faces}), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
