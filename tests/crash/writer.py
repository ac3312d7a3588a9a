"""A program to kill: `python -m tests.crash.writer FOLDER START` appends the batches of START, START + 1, ...

It prints the last counter of each call of `append` once that has returned.
"""

import sys
from pathlib import Path

from cme.log.embedded import EmbeddedLog
from tests.crash.content import START_MS, group


def main(folder: Path, counter: int) -> None:
    log = EmbeddedLog.open(folder, writable=True)
    while True:
        batches = group(counter)
        log.append(batches)
        counter += len(batches)
        print(counter - 1, flush=True)
        if counter % 8 == 0:
            log.retain(START_MS)  # gives back the space of superseded batches


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
