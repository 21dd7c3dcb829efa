"""The parts of the report, one file each: every function takes the run and returns HTML."""
