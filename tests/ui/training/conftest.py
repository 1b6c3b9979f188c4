"""A run that tells what a test says, and the view of it."""

from __future__ import annotations

import pytest

from fkd_desktop.training.run import TrainingController
from fkd_desktop.ui.training.config_form import ConfigForm
from fkd_desktop.ui.training.progress_view import ProgressView
from tests.ui.training.told_training import Training


@pytest.fixture
def training(qapp, tmp_path) -> Training:
    return Training(tmp_path)


@pytest.fixture
def open_view(qtbot):
    def make(training: TrainingController) -> ProgressView:
        view = ProgressView(training)
        qtbot.addWidget(view)
        view.resize(1040, 660)
        view.show()
        qtbot.waitUntil(lambda: view.plot is not None)
        return view

    return make


@pytest.fixture
def form(qtbot):
    """The settings form, on show."""
    form = ConfigForm()
    qtbot.addWidget(form)
    form.resize(420, 700)
    form.show()
    qtbot.waitExposed(form)
    return form
