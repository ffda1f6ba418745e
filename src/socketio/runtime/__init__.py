"""What both flavours need around the protocols: steps, time limits, logs, forks and the end of the process."""
