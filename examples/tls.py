"""TLS with a certificate authority of your own: the server's certificate is verified against it.

Usage: python tls.py [URL] [CA.pem]
"""

import sys

import requests

import socketio

url = sys.argv[1] if len(sys.argv) > 1 else "https://localhost:5000"

try:
    with socketio.SimpleClient() as sio:
        sio.connect(url)
except socketio.exceptions.ConnectionError as exc:
    print("without the authority:", type(exc).__name__)

with requests.Session() as session:
    session.verify = sys.argv[2] if len(sys.argv) > 2 else "ca.pem"
    with socketio.SimpleClient(http_session=session) as sio:
        sio.connect(url)
        print("with the authority: connected over", sio.transport)
        print("2 + 3 =", sio.call("add", (2, 3)))
