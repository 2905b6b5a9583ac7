"""How a stage runs as a command: log to standard error, one line for a user's mistake."""

import logging
import os
import sys
from collections.abc import Callable

from bycase.core.errors import UserError, out_of_memory


def run_stage(name: str, main: Callable[[], None]) -> None:
    """Run a stage's ``main`` and exit with 0, or with 1 and one line on standard error.

    Parameters
    ----------
    name : str
        The stage's name, which begins every line that it logs.
    main : callable
        The stage. A `UserError`, a lack of disk space or of memory becomes one line; any other exception is
        a defect of this project and keeps its traceback.
    """
    logging.basicConfig(level=logging.INFO, format=f"{name}: %(message)s", stream=sys.stderr)
    logging.captureWarnings(True)
    try:
        main()
    except UserError as error:
        sys.exit(f"{name}: error: {' '.join(str(error).split())}")
    except BrokenPipeError:
        # Who reads the output, such as head, has enough; what is still buffered would be said to fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (PermissionError, OSError) as error:
        if error.filename is None and error.errno is None:
            raise
        place = error.filename or "while reading or writing"
        sys.exit(f"{name}: error: {place}: {error.strerror or error}; free or unlock it and run again")
    except Exception as error:
        if not out_of_memory(error):
            raise
        sys.exit(f"{name}: error: memory ran out; what was finished is kept: free memory and run again")
    except KeyboardInterrupt:
        sys.exit(f"{name}: interrupted; run again to continue")
