"""Holds an adapter to the contract of the metrics APIs.

  python -m tests.contract.metrics_api https://ADAPTER:PORT --ca ca.crt --token-file token
  python -m tests.contract.metrics_api https://API-SERVER:PORT --ca ca.crt --cert admin.crt --key admin.key

Against an adapter itself or through the API server's aggregator. Metrics are discovered; what an adapter does not list
is told with --object, --pods, --namespace-metric, --root and --external, a label that one of the objects has with
--object-label. One line a request, then how many passed.
Exits with 1 when any differs that is not known to (--known), with 2 when it can't be asked.
"""

import argparse
import ssl
import sys
from http.client import HTTPException
from pathlib import Path

from tests.contract.metrics_api.client import Client
from tests.contract.metrics_api.differences import DIFFERENCES, as_markdown
from tests.contract.metrics_api.found import FORMS, Found, find, form_of, told
from tests.contract.metrics_api.verdicts import run, summary


def main() -> int:
    options = _options()
    if options.differences:
        print(as_markdown())
        return 0
    try:
        client, known = _client(options), DIFFERENCES[options.known].reasons if options.known else {}
        found = find(client, _told(options), options.namespace)
    except (OSError, HTTPException, ValueError) as error:
        print(f"{options.url} can't be asked: {error}", file=sys.stderr)
        return 2
    verdicts = run(client, found, known)
    for verdict in verdicts:
        print(verdict.line())
    print(summary(verdicts))
    return int(any(verdict.difference and not verdict.reason for verdict in verdicts))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.contract.metrics_api",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", nargs="?", help="scheme, host and port of the adapter or of the API server")
    parser.add_argument("--ca", type=Path, help="PEM file of the authority to trust")
    parser.add_argument("--insecure", action="store_true", help="trust whatever certificate is shown")
    parser.add_argument("--cert", type=Path, help="PEM file of the client certificate")
    parser.add_argument("--key", type=Path, help="PEM file of its key")
    parser.add_argument("--token-file", type=Path, help="file with a bearer token")
    parser.add_argument(
        "--namespace", action="append", default=[], help="where to look for metrics; repeatable"
    )
    for form in FORMS:
        flag = "namespace-metric" if form == "namespace" else form
        parser.add_argument(
            f"--{flag}", dest=form + "_told", metavar=form_of(form), help="what there is to ask for"
        )
    parser.add_argument("--known", choices=sorted(DIFFERENCES), help="whose known differences are no failure")
    parser.add_argument(
        "--differences", action="store_true", help="print all known differences, and ask nobody"
    )
    options = parser.parse_args()
    if not options.url and not options.differences:
        parser.error("a URL is needed")
    return options


def _told(options: argparse.Namespace) -> Found:
    given = {form: getattr(options, form + "_told") for form in FORMS}
    return {name: value for form, text in given.items() if text for name, value in told(form, text).items()}


def _client(options: argparse.Namespace) -> Client:
    identified, anonymous = (_context(options) for _ in range(2))
    if options.cert:
        identified.load_cert_chain(options.cert, options.key)
    token = options.token_file.read_text().strip() if options.token_file else ""
    credentials = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(options.url, identified, anonymous, credentials)


def _context(options: argparse.Namespace) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.ca)
    if options.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


if __name__ == "__main__":
    sys.exit(main())
