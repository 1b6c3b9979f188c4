"""What a check found: can it be trained on, how much is there, what is wrong, and what the faces look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from fkd_desktop.i18n import numeral
from fkd_desktop.training.data import DataState
from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.training.data_problems import ProblemsView
from fkd_desktop.ui.training.data_thumbnails import ThumbnailStrip
from fkd_desktop.ui.training.data_widgets import check_mark, fault_colour, good_colour
from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from fkd_desktop.training.data import DataController
    from trainer.check import DatasetReport, Range

_VERDICT_ICON_PX: Final = 24


class DataDetails(QWidget):
    """A report on a data set."""

    problem_opened = Signal(object)
    """`Problem`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_good = True
        self._icon = QLabel()
        self._icon.setFixedSize(_VERDICT_ICON_PX, _VERDICT_ICON_PX)
        self._verdict = _text()
        font = self._verdict.font()
        font.setBold(True)
        self._verdict.setFont(font)
        self._message = _text()
        self._message.setContentsMargins(_VERDICT_ICON_PX + 8, 0, 0, 0)
        self.leave_out_button = QPushButton(self.tr("Leave them out…"))
        self.browse_button = QPushButton(self.tr("Browse the data set…"))
        for button in (self.leave_out_button, self.browse_button):
            button.setAutoDefault(False)
        self._figures = [(QLabel(), QLabel()) for _ in range(4)]
        self._problems_title = QLabel()
        self.problems = ProblemsView()
        self.problems.opened.connect(self.problem_opened)
        self._faces_title = QLabel()
        self.strip = ThumbnailStrip()
        self._lay_out()

    def _lay_out(self) -> None:
        verdict, figures, faces = QHBoxLayout(), QGridLayout(), QHBoxLayout()
        verdict.setSpacing(8)
        verdict.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        verdict.addWidget(self._verdict, 1)
        verdict.addWidget(self.leave_out_button, alignment=Qt.AlignmentFlag.AlignTop)
        figures.setHorizontalSpacing(18)
        figures.setVerticalSpacing(3)
        figures.setContentsMargins(_VERDICT_ICON_PX + 8, 0, 0, 0)
        figures.setColumnStretch(1, 1)
        for row, (name, value) in enumerate(self._figures):
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            figures.addWidget(name, row, 0)
            figures.addWidget(value, row, 1)
        faces.addWidget(self._faces_title)
        faces.addStretch(1)
        faces.addWidget(self.browse_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(verdict)
        layout.addWidget(self._message)
        layout.addLayout(figures)
        layout.addSpacing(2)
        layout.addWidget(self._problems_title)
        layout.addWidget(self.problems, 3)
        layout.addLayout(faces)
        layout.addWidget(self.strip, 2)
        layout.addStretch(0)

    @property
    def verdict(self) -> str:
        """Whether it can be trained on, as shown."""
        return self._verdict.text()

    @property
    def message(self) -> str:
        """What was said beside the verdict, as shown."""
        return self._message.text()

    def figures(self) -> dict[str, str]:
        """Return the figures on show by their names."""
        return {name.text(): value.text() for name, value in self._figures if name.isVisibleTo(self)}

    def show_data(self, data: DataController) -> None:
        """Show the report that a controller holds, which must be there."""
        report = data.report
        assert report is not None
        self._is_good = data.state is not DataState.UNUSABLE
        self._refresh_icon()
        good = self.tr("Training can start on these faces.")
        self._verdict.setText(good if self._is_good else sentence(data.why_not))
        self._message.setText(sentence(data.message))
        self._message.setVisible(bool(data.message) and data.message != data.why_not)
        self.leave_out_button.setVisible(data.can_leave_out)
        self._show_figures(report)
        self._show_problems(report)
        self._faces_title.setText(
            self.tr("{0} of its faces, as they are labelled").format(len(data.thumbnails)) if data.thumbnails else ""
        )
        self.strip.setVisible(bool(data.thumbnails))
        self.strip.show_thumbnails(data.thumbnails)

    def changeEvent(self, event: QEvent) -> None:
        """Give the icon the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "strip"):  # Qt sends some before that
            self._refresh_icon()
        super().changeEvent(event)

    def _refresh_icon(self) -> None:
        palette, ratio = self.palette(), self.devicePixelRatioF()
        if self._is_good:
            self._icon.setPixmap(check_mark(_VERDICT_ICON_PX, good_colour(palette), ratio))
        else:
            self._icon.setPixmap(tinted_pixmap("warning", _VERDICT_ICON_PX, fault_colour(palette), ratio))

    def _show_figures(self, report: DatasetReport) -> None:
        names = {"training": self.tr("Training"), "test": self.tr("Test")}
        identities = report.identities
        lines = [
            (
                names[part],
                self.tr("{faces} of {people}").format(
                    faces=self._faces(faces),
                    people=self._people(identities[part]),
                ),
            )
            for part, faces in report.faces.items()
        ]
        if report.image_width_px and report.image_height_px and report.iod_px:
            width, height, iod = map(self._span, (report.image_width_px, report.image_height_px, report.iod_px))
            lines.append((self.tr("Pictures"), self.tr("{0} px wide, {1} px high").format(width, height)))
            lines.append((self.tr("Inter-ocular distance"), self.tr("{0} px").format(iod)))
        for number, (name, value) in enumerate(self._figures):
            is_used = number < len(lines)
            name.setVisible(is_used)
            value.setVisible(is_used)
            if is_used:
                name.setText(lines[number][0])
                value.setText(lines[number][1])

    def _faces(self, count: int) -> str:
        return self.tr("1 face") if count == 1 else self.tr("{0} faces").format(numeral(f"{count:,}"))

    def _people(self, count: int) -> str:
        return self.tr("1 person") if count == 1 else self.tr("{0} people").format(numeral(f"{count:,}"))

    def _span(self, values: Range) -> str:
        low, high = (numeral(f"{round(value):,}") for value in values)
        return self.tr("{0} to {1}").format(low, high) if low != high else low

    def _show_problems(self, report: DatasetReport) -> None:
        problems, warnings = report.problems, report.warnings
        said = []
        if problems:
            one = self.tr("1 problem") if len(problems) == 1 else self.tr("{0} problems")
            said.append(one.format(numeral(f"{len(problems):,}")))
        if warnings:
            one = self.tr("1 thing good to know") if len(warnings) == 1 else self.tr("{0} things good to know")
            said.append(one.format(numeral(f"{len(warnings):,}")))
        self._problems_title.setText(", ".join(said))
        for widget in (self._problems_title, self.problems):
            widget.setVisible(bool(said))
        self.problems.show_problems(problems, warnings)


def _text() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label
