"""The programs that are measured. Each is given a job, and reports: see measuring.py."""
