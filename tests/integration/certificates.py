"""Certificates for the TLS tests, made for each run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files."""

    ca: str
    server_cert: str
    server_key: str
    client_cert: str
    client_key: str
    other_ca: str
    """An authority that signed nothing of the above."""

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        """Write them into a folder."""
        authority, other = trustme.CA(), trustme.CA()
        server = authority.issue_cert("127.0.0.1", "localhost")
        client = authority.issue_cert("client@example.org")
        paths = {name: str(folder / f"{name}.pem") for name in cls.__dataclass_fields__}
        authority.cert_pem.write_to_path(paths["ca"])
        other.cert_pem.write_to_path(paths["other_ca"])
        for name, issued in (("server", server), ("client", client)):
            issued.private_key_pem.write_to_path(paths[f"{name}_key"])
            for index, pem in enumerate(issued.cert_chain_pems):
                pem.write_to_path(paths[f"{name}_cert"], append=index > 0)
        return cls(**paths)

    def server_options(self, client_ca: bool = False) -> dict[str, str | None]:
        """Return the option ``tls`` of a server."""
        return {"cert": self.server_cert, "key": self.server_key, "client_ca": self.ca if client_ca else None}
