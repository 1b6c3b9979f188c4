import pytest

from trainer.cli import main

COMMANDS = ["check", "train", "evaluate", "export", "download"]


@pytest.mark.parametrize("arguments", [[], ["explode"], ["evaluate"], ["evaluate", "--data", "x", "--split", "half"]])
def test_a_command_that_is_none_ends_with_2(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_help_names_the_commands(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    words = capsys.readouterr().out.split()
    assert all(command in words for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"fkd-train {command}" in capsys.readouterr().out
