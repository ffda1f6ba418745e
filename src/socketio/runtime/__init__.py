"""What is not about protocols: steps, time limits, logs, forks and the end of the process."""
