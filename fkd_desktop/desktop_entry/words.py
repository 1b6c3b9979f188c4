"""What start menus say about the application, in each language that it speaks."""

from __future__ import annotations

from typing import Final

NAME: Final = "FKD Desktop"
COMPONENT_ID: Final = "org.fkd_desktop.fkd_desktop"
"""What software centres, macOS and Windows' taskbar know the application by. They ask for a domain written backwards,
unique and never changed; nothing is ever looked up there. See docs/decisions/0016."""
WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "generic_name": "Face Keypoints",
        "comment": "See face keypoints, sunglasses and hats live on your camera, and train the network yourself",
        "summary": "Live face keypoints and overlays",
        "keywords": "webcam;camera;face;landmarks;overlay;sunglasses;recording;training;",
        "demo": "Show the Demo Clip",
        "camera": "FKD Desktop finds faces in the camera's picture. The picture stays on this computer.",
        "about": "FKD Desktop shows the picture of a camera, a video or photographs with 68 keypoints on every face, "
        "or with sunglasses, a hat or a blur in its place. It keeps pictures, recordings and tables of the keypoints.",
        "private": "Everything happens on this computer, without a connection to anywhere. The small neural network "
        "behind it can be trained again on pictures of your own, in the window, while the live picture goes on.",
    },
    "de": {
        "generic_name": "Schlüsselpunkte im Gesicht",
        "comment": "Schlüsselpunkte, Sonnenbrillen und Hüte live im Kamerabild sehen und das Netz selbst trainieren",
        "summary": "Schlüsselpunkte und Einblendungen live im Gesicht",
        "keywords": "Webcam;Kamera;Gesicht;Schlüsselpunkte;Einblendung;Sonnenbrille;Aufnahme;Training;",
        "demo": "Democlip zeigen",
        "camera": "FKD Desktop findet Gesichter im Kamerabild. Das Bild bleibt auf diesem Computer.",
        "about": "FKD Desktop zeigt das Bild einer Kamera, ein Video oder Fotos mit 68 Schlüsselpunkten in jedem "
        "Gesicht, oder mit Sonnenbrille, Hut oder unkenntlich gemacht. Es hält Bilder, Aufnahmen und Tabellen der "
        "Punkte fest.",
        "private": "Alles geschieht auf diesem Computer, ohne eine Verbindung irgendwohin. Das kleine neuronale Netz "
        "dahinter lässt sich im Fenster mit eigenen Bildern neu trainieren, während das Livebild weiterläuft.",
    },
}
"""By language and kind of text. `comment` is a tooltip, `summary` a line in a software centre."""
