"""What the command tells the shell at its end."""

OK, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
