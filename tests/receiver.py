"""A real HTTP server on loopback that web hooks post to; it may refuse, hang and go away."""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.certificates import Certificate
from tests.peers import LOOPBACK, free_port, wait_until
from thirdring.protocol.hooks import verify


@dataclass(frozen=True)
class Post:
    """One request as it came."""

    headers: Mapping[str, str]
    body: bytes
    path: str


class Receiver:
    """``answer`` says the status of each post, 0 for none at all until ``release`` is set."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self.port = free_port()
        self._certificate = certificate
        self.posts: list[Post] = []
        self.taken: list[Post] = []
        self.answer: Callable[[Post], int] = lambda _: 204
        self.headers: dict[str, str] = {}
        self.release = threading.Event()
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http{'s' if self._certificate else ''}://{LOOPBACK}:{self.port}/hook?a=1"

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Listen until the block ends; may be used again."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                post = Post(dict(self.headers), body, self.path)
                status = receiver._note(post)
                if status:
                    self.send_response(status)
                    for name, value in receiver.headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", "0")
                    self.end_headers()
                else:
                    receiver.release.wait(30.0)
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = False
            allow_reuse_address = True

        self.release.clear()
        server = Server((LOOPBACK, self.port), Handler)
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate.file, self._certificate.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield
        finally:
            self.release.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def _note(self, post: Post) -> int:
        with self._changed:
            status = self.answer(post)
            self.posts.append(post)
            if 200 <= status < 300:
                self.taken.append(post)
            self._changed.notify_all()
            return status

    def numbers(self, secret: str) -> list[int]:
        """Return the numbers of the events that were taken; each must be signed."""
        return [verify(secret, post.headers, post.body).number for post in self.taken]

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 20.0) -> None:
        wait_until(condition, what, timeout_s)
