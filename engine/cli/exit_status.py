"""What the command tells the shell at its end."""

OK, FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143  # the last two are 128 + SIGINT and + SIGTERM
