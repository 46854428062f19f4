"""Alerts to people, through apprise."""

import hashlib
import logging
import os
from collections.abc import Sequence
from typing import Any

from newsclf.errors import InputError
from newsclf.monitoring.alerts import ALERT, Alert

DEFAULT_VARIABLE = "NEWSCLF_NOTIFY"


class Notifier:
    """Sends alerts through apprise. `urls`: apprise's own, as mailto://, slack://, json://; they hold secrets.

    endpoints: a name for each URL that is the same in every call and tells nothing of it; sent, failed: messages.
    Raises InputError, without the URL, for one that apprise cannot read.
    """

    def __init__(self, urls: Sequence[str], where: str) -> None:
        self.sent = self.failed = 0
        self._services: dict[str, Any] = {}
        if not urls:
            return
        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # what it has to say holds the URLs
        for place, url in enumerate(urls, start=1):
            service = apprise.Apprise()
            if not service.add(url):
                raise InputError(f"URL {place} in {where} is none that apprise knows; its README lists them")
            self._services[hashlib.sha256(url.encode()).hexdigest()[:16]] = service

    @property
    def endpoints(self) -> list[str]:
        return list(self._services)

    def send(self, endpoint: str, alert: Alert, footer: str) -> bool:
        """Whether the endpoint has taken the message."""
        kinds = {"info": "info", "warning": "warning", "critical": "failure"}
        kind = kinds[alert.severity] if alert.state == ALERT else "success"
        title, body = f"newsclf {alert.status}: {alert.monitor}", f"{alert.sentence}\n{footer}"
        try:
            taken = bool(self._services[endpoint].notify(title=title, body=body, notify_type=kind))
        except Exception:  # a fault in one of apprise's plugins must not end the monitoring
            taken = False
        self.sent, self.failed = self.sent + taken, self.failed + (not taken)
        return taken


def notification_urls(variable: str) -> list[str]:
    """The apprise URLs in an environment variable. Raises InputError where it is not set, but for the default one."""
    urls = os.environ.get(variable, "").split()
    if not urls and variable != DEFAULT_VARIABLE:
        raise InputError(f"option notify is {variable}: this environment variable is not set")
    return urls
