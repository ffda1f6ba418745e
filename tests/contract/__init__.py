"""The facts of other packages that the engine relies on; each version of them that is supported must have these."""
