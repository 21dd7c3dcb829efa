"""Why a program was stopped, as a closed list, and the exit code with which it is."""

STOPPED = 77
"""Exit code after a forbidden act, which is in the report."""
PROCESS = "started a process"
NETWORK = "opened a connection"
WROTE = "wrote outside its directory"
READ = "read outside its directory"
MUCH = "wrote too much"
MEMORY = "used too much memory"
INTERNALS = "reached into the interpreter"
NOT_PLAIN = "its value cannot be compared as data"
