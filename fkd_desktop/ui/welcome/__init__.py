"""What a newcomer sees below the picture, once."""

from fkd_desktop.ui.welcome.desk import WelcomeDesk

__all__ = ["WelcomeDesk"]
