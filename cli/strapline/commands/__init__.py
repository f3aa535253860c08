"""One module a command. What a command needs beyond typer is imported inside it."""
