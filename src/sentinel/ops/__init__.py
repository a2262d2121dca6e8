"""Operations: the `sentinel` command and what it needs from the machine.

Owns the embedded PostgreSQL, the supervisor behind `sentinel up`, and one file per subcommand in
`commands/`, found by themselves. Refuses to know anything about problems, duties or mail: a
subcommand calls the services and workflows that everybody else calls, so that nothing can be done
from a shell that the rules would not allow on a screen.
"""
