"""A Typer program of one command."""

from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def hello(name: Annotated[str, typer.Argument(help="Whom to greet.")] = "you") -> None:
    """Greet somebody."""
    print(name)


app()
