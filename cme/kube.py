"""The only door to Kubernetes: raw JSON, never the client's models."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import yaml
from kubernetes import client, config

from cme.core.errors import KubeFailed, KubeGone
from cme.core.settings import Kubernetes

TIMEOUT_S = 10
SILENCE_S = 3
"""For so long after a watch's end should have come it is waited for."""

TOLD_BYTES = 300
"""Of an answer that is no JSON."""

_JSON = "application/json"
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"
_METADATA = f"{_JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = f"{_JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

Body = Mapping[str, Any] | str | None
"""Text is sent as it is."""


class Reader:
    """Reads of one cluster in one form. Blocks: an asyncio process calls it from a thread."""

    def __init__(self, api: Any, listed: str = _JSON, watched: str = _JSON) -> None:
        """`api`: the client's ApiClient; `listed` and `watched` are the media types asked for."""
        self._api, self._listed, self._watched = api, listed, watched

    def get(self, path: str) -> dict[str, Any]:
        """The JSON at a path. Raises KubeFailed, KubeGone."""
        return self._ask("GET", path, None, self._listed)

    def watch(self, path: str, seconds: int) -> "Watch":
        """Events at a path that asks for them; the server ends them after so long. Raises KubeFailed, KubeGone."""
        asked, limit = f"GET {path.split('?')[0]}", (TIMEOUT_S, seconds + SILENCE_S)
        try:
            answer = self._send("GET", f"{path}&timeoutSeconds={seconds}", None, self._watched, _JSON, limit)
            if answer.status == 200:
                return Watch(asked, answer.response)
            document = json.loads(answer.read())
        except Exception as error:  # noqa: BLE001 - as in `_ask`
            raise KubeFailed(f"{asked}: {type(error).__name__}") from None
        raise _refusal(asked, answer.status, document)

    def _ask(
        self, method: str, path: str, body: Body, accept: str = _JSON, sent: str = _JSON
    ) -> dict[str, Any]:
        try:
            answer = self._send(method, path, body, accept, sent, TIMEOUT_S)
            text = answer.read()
        except Exception as error:  # noqa: BLE001 - urllib3's and the client's errors have no common base
            raise KubeFailed(f"{method} {path}: {type(error).__name__}") from None
        try:
            document: dict[str, Any] = dict(json.loads(text))
        except (ValueError, TypeError):  # the aggregator's own refusals are plain text
            told = " ".join(text[:TOLD_BYTES].decode(errors="replace").split())
            raise KubeFailed(f"{method} {path}: {answer.status}, and no JSON object: {told}") from None
        if answer.status not in (200, 201):
            raise _refusal(f"{method} {path}", answer.status, document)
        return document

    def _send(
        self,
        method: str,
        path: str,
        body: Body,
        accept: str,
        sent: str,
        timeout_s: int | tuple[int, int],
    ) -> Any:
        headers = {"Accept": accept, "Content-Type": sent}
        self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = f"{self._api.configuration.host}{path}"
        return self._api.call_api(method, url, headers, body, _request_timeout=timeout_s)


class KubeClient(Reader):
    """Whole objects of one cluster, read and written."""

    def __init__(self, settings: Kubernetes) -> None:
        """Raises KubeFailed when there is neither a kubeconfig nor a service account."""
        try:
            super().__init__(_connect(settings))
        except (config.ConfigException, OSError, yaml.YAMLError) as error:
            cause = " ".join(str(error).split())
            raise KubeFailed(f"no way to the cluster: {cause}; set kubernetes.kubeconfig") from None

    @property
    def metadata(self) -> Reader:
        """The same cluster, but of each object its metadata alone."""
        return Reader(self._api, _METADATA_LIST, _METADATA)

    def close(self) -> None:
        """Close its connections."""
        self._api.close()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the server makes of a new object. Raises KubeFailed."""
        return self._ask("POST", path, body)

    def merge(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The object at a path after its fields were replaced by those of `body` (RFC 7386). Raises KubeFailed."""
        return self._ask("PATCH", path, body, sent=_MERGE)

    def apply(self, path: str, manifest: Mapping[str, Any], manager: str) -> dict[str, Any]:
        """Server-side apply: created, or changed to what the manifest says. Raises KubeFailed.

        Where another manager has set a field to something else, nothing is changed and that is the error.
        """
        return self._ask("PATCH", f"{path}?fieldManager={manager}", json.dumps(manifest), sent=_APPLY)

    def server_time(self) -> datetime:
        """The API server's clock, to the second: the Date of an answer. Raises KubeFailed."""
        try:
            answer = self._send("GET", "/version", None, _JSON, _JSON, TIMEOUT_S)
            answer.read()  # gives the connection back
            return parsedate_to_datetime(answer.response.headers["Date"])
        except Exception as error:  # noqa: BLE001 - as in `_ask`
            raise KubeFailed(f"GET /version: {type(error).__name__}") from None


class Watch:
    """Events as they come. Reading blocks; any thread may close it meanwhile."""

    def __init__(self, asked: str, response: Any) -> None:
        """`response`: urllib3's, with its body unread."""
        self._asked, self._response, self._closed = asked, response, False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """ADDED, MODIFIED, DELETED and BOOKMARK until the server ends it or `close` is called.

        Raises KubeFailed; KubeGone when the server says that the watch must begin anew.
        """
        try:
            for line in self._response:
                event = dict(json.loads(line))
                if event["type"] == "ERROR":
                    raise _refusal(self._asked, event["object"].get("code", 0), event["object"])
                yield event
        except KubeFailed:
            raise
        except Exception as error:  # noqa: BLE001 - as in `Reader._ask`
            if not self._closed:
                raise KubeFailed(f"{self._asked}: {type(error).__name__}") from None
        finally:
            self._response.close()

    def close(self) -> None:
        """End it at once."""
        self._closed = True
        # A read that waits in another thread holds the response's lock: only the socket can be told.
        with contextlib.suppress(ValueError, RuntimeError, OSError):  # ended already
            self._response.shutdown()


def _refusal(asked: str, code: int, document: Mapping[str, Any]) -> KubeFailed:
    """In the server's words."""
    kind = KubeGone if code == 410 else KubeFailed
    return kind(f"{asked}: {document.get('message') or code}")


def _connect(settings: Kubernetes) -> Any:
    if settings.kubeconfig is not None:
        return config.new_client_from_config(str(settings.kubeconfig))  # type: ignore[no-untyped-call]
    configuration = client.Configuration()
    config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    return client.ApiClient(configuration)
