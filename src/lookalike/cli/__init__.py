"""The command line: one thin file for each verb. The only part that uses typer and rich."""
