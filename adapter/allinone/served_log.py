"""The log of `tidecast up`, served to adapters elsewhere that follow it."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from cryptography import x509

from adapter.allinone.cluster import Beat
from adapter.allinone.launch import listen
from adapter.api.tls import ServerTls
from cme.core.errors import InvalidInput
from cme.core.settings import LogLink
from cme.log.server import Served, serving

REFRESH_MS = 10_000


@contextlib.asynccontextmanager
async def log_served(log: Served, link: LogLink | None) -> AsyncIterator[Sequence[Beat]]:
    """While the block runs, if there is a link; gives what is to run on a beat. `log` is open to write: this process may
    not have a second connection that, for a damaged file, reads its bytes beside SQLite (cme/log/salvage.py).

    Raises InvalidInput, StartFailed.
    """
    if link is None:
        yield []
        return
    tls = ServerTls(link, authorities(link), required=True)

    async def refresh() -> None:
        tls.refresh(authorities(link))

    with listen(link.address, "serveLog.address") as sock:
        async with serving(log, sock, tls.context):
            yield [(REFRESH_MS, refresh)]


def authorities(link: LogLink) -> str:
    """PEM of whose certificates are accepted: one at least. Raises InvalidInput."""
    try:
        text = link.ca_file.read_text()
        x509.load_pem_x509_certificates(text.encode())
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else "no certificate in PEM is in it"
        raise InvalidInput(
            f"can't be read ({cause})", f"authorities {link.ca_file}", "give those of the followers"
        ) from None
    return text
