"""Run a command, and say on standard error how many seconds it took and the most memory that it held, in kB.

Linux begins the memory of a process at what its parent held, so a command is started from here, where that is little.
"""

import os
import sys
import time

begun = time.perf_counter()
nowhere = os.open(os.devnull, os.O_WRONLY)
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nowhere, 2)])
_, status, used = os.wait4(child, 0)
print(time.perf_counter() - begun, used.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
