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


@pytest.mark.parametrize("argument", ["--no\n\x00such", "-" + 5000 * "x"])
def test_what_cannot_be_read_is_said_in_one_short_line(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["train", argument])
    said = capsys.readouterr().err.rstrip("\n").rpartition("\n")[2]
    assert end.value.code == 2
    assert said.startswith("fkd-train: error: unrecognized") and said.isprintable() and len(said) < 300
