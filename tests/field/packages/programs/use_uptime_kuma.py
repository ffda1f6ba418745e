"""Logs in to the server with uptime-kuma-api, as its README shows it, and prints what the server sent."""

import sys

from uptime_kuma_api import UptimeKumaApi, UptimeKumaException

with UptimeKumaApi(sys.argv[1]) as api:
    try:
        api.login("ada", "wrong")
    except UptimeKumaException as exc:
        print(exc)
    print(api.login("ada", "secret"))
    print(api.version, api.get_monitors())
