"""What an overlay's description says, as plain data: pictures tied to keypoints, or an effect on the face itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

FORMAT_VERSION: Final = 2
DESCRIPTION_NAME: Final = "overlay.toml"

MAX_PICTURES: Final = 16
MAX_ANCHORS: Final = 136
MAX_NAME_LENGTH: Final = 80
MAX_ORDER: Final = 1000
DEFAULT_ORDER: Final = 50
MAX_STRENGTH: Final = 4.0

EffectKind = Literal["blur", "pixelate"]


class Blend(Enum):
    """How a picture's colours mix with what lies under it."""

    NORMAL = "normal"
    MULTIPLY = "multiply"
    SCREEN = "screen"
    OVERLAY = "overlay"
    SOFT_LIGHT = "soft-light"


class Fit(Enum):
    """What a picture may do to follow its keypoints.

    Members
    -------
    SIMILARITY
        Move, scale and turn.
    AFFINE
        Shear as well.
    PERSPECTIVE
        Lean, as a plane in space does.
    MESH
        Bend: every anchor lies exactly on its keypoints.
    """

    SIMILARITY = "similarity"
    AFFINE = "affine"
    PERSPECTIVE = "perspective"
    MESH = "mesh"

    @property
    def least_anchors(self) -> int:
        """How many anchors it takes."""
        return {Fit.SIMILARITY: 2, Fit.AFFINE: 3, Fit.PERSPECTIVE: 4, Fit.MESH: 3}[self]

    @staticmethod
    def of_count(anchors: int) -> Fit:
        """Return what that many anchors mean where a description does not say."""
        return {2: Fit.SIMILARITY, 3: Fit.AFFINE, 4: Fit.PERSPECTIVE}.get(anchors, Fit.MESH)


@dataclass(frozen=True)
class Anchor:
    """A point of the picture, in its own pixels, and the keypoints whose mean it lies on."""

    image_px: tuple[float, float]
    keypoints: tuple[int, ...]


@dataclass(frozen=True)
class PictureDescription:
    """One picture of an overlay.

    Attributes
    ----------
    image
        Name of the SVG or PNG inside the overlay's folder.
    anchors
        What ties it to the face.
    fit
        What it may do to follow.
    blend, opacity
        How it mixes with what lies under it; opacity in (0, 1].
    mirror
        Whether it is painted once more on the other half of the face.
    """

    image: str
    anchors: tuple[Anchor, ...]
    fit: Fit = Fit.SIMILARITY
    blend: Blend = Blend.NORMAL
    opacity: float = 1.0
    mirror: bool = False


@dataclass(frozen=True)
class EffectDescription:
    """Something done to the frame inside the outline of the face.

    Attributes
    ----------
    kind
        What.
    strength
        1 hides a face already; a larger one leaves less of it, up to `MAX_STRENGTH`.
    """

    kind: EffectKind
    strength: float = 1.0


@dataclass(frozen=True)
class OverlayDescription:
    """All that an ``overlay.toml`` says.

    Attributes
    ----------
    name
        English title.
    pictures
        Painted in this order; empty for an effect.
    effect
        Or None.
    order
        Place among other overlays: a higher one lies in front.
    key
        The number key that switches it, "1" to "9"; shipped ones only.
    names
        Pairs of a language's code and the title in it.
    credit
        Who made it.
    """

    name: str
    pictures: tuple[PictureDescription, ...] = ()
    effect: EffectDescription | None = None
    order: int = DEFAULT_ORDER
    key: str | None = None
    names: tuple[tuple[str, str], ...] = ()
    credit: str = ""

    def title(self, language: str) -> str:
        """Return the title in a language ("de", "pt_BR"), or in English where it has none."""
        names = dict(self.names)
        return names.get(language) or names.get(language.partition("_")[0]) or self.name
