"""Running the functions of the application in order: one file for each flavour."""
