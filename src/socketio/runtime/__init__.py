"""What the library needs of threads, event loops, processes and logs."""
