"""A web server with pictures on it, and with faults, for picture URLs."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ImageHost:
    """Listens on a free port of 127.0.0.1. `pages` maps a path to (status, headers, bytes) or to a function of the handler."""

    def __init__(self):
        self.pages = {}
        self.requests = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                host.requests.append((self.path, dict(self.headers.items())))
                page = host.pages.get(self.path.split("?")[0], (404, {}, b"no such page"))
                try:
                    if callable(page):
                        page(self)
                        self.close_connection = True
                        return
                    status, headers, body = page
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def reset(self):
        self.pages.clear()
        self.requests.clear()

    def serve(self, path, body, content_type="image/jpeg", status=200, **headers):
        """Puts bytes at a path.

        Returns the URL."""
        self.pages[path] = (status, {"Content-Type": content_type, **headers}, body)
        return self.url + path

    def redirect(self, path, target, status=302):
        self.pages[path] = (status, {"Location": target}, b"")
        return self.url + path
