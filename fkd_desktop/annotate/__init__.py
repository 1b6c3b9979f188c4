"""Working through files without a window: the same pipeline and painters as on the screen, into files."""

from fkd_desktop.annotate.clip import AnnotationSummary, annotate, once

__all__ = ["AnnotationSummary", "annotate", "once"]
