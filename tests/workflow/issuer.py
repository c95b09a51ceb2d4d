"""An OIDC issuer on loopback: its discovery document, its key, and tokens that are good or just not."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class Issuer:
    """Serves /.well-known/openid-configuration and the key set; `token` signs claims with its key."""

    def __enter__(self) -> Self:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": "first",
            "n": _number(numbers.n),
            "e": _number(numbers.e),
        }
        issuer = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = {"keys": [key]}
                if self.path.endswith("openid-configuration"):
                    found = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}  # type: ignore[dict-item]
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, **claims: Any) -> str:
        """A signed token; without claims it is good for an hour."""
        now = int(time.time())
        good = {"iss": self.url, "aud": "inservice", "sub": "somebody", "iat": now - 5, "exp": now + 3600}
        parts = [_part({"alg": "RS256", "kid": "first", "typ": "JWT"}), _part({**good, **claims})]
        signature = self._key.sign(".".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())
        return ".".join([*parts, _text(signature)])


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
