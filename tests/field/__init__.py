"""What public reports told: one file for each kind of fault, its source in the docstring."""
