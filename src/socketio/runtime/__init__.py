"""Code that is independent of protocols: steps, time limits, logs, forks and the end of the process."""
