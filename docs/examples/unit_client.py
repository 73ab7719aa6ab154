#!/usr/bin/env python3
"""A unit's own system, in short: it subscribes to what happens to the unit's matters, takes signed
webhooks, and accepts, reports progress and resolves over the API. Python's standard library only.

  FENLIU_API=http://127.0.0.1:8110/api/v1 FENLIU_TOKEN=fenliu_... FENLIU_UNIT=huanbao \\
  LISTEN=127.0.0.1:8120 python3 unit_client.py

The token is a liaison's. `channel.webhook.kind` must be "http", and on one machine `allow_http`
and `allow_private` true. What the steps say would come from the unit's own work."""
import base64, hashlib, hmac, json, os, queue, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

API, TOKEN, UNIT = (os.environ["FENLIU_" + name] for name in ("API", "TOKEN", "UNIT"))
HOST, PORT = os.environ.get("LISTEN", "127.0.0.1:8120").rsplit(":", 1)
STEPS = [
    ("accept", {}),
    ("contacted_caller", {"how": "phone", "reached": True}),
    ("progress", {"note": "已派员到场"}),
    ("resolve", {"result": "现场已整改", "caller_told": "by_phone"}),
]
seen, arrived = set(), queue.Queue()  # keep both in a database: webhooks come at least once

def ask(path, body, key):
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"}
    request = urllib.request.Request(API + path, json.dumps(body).encode(), headers)
    request.add_header("Idempotency-Key", key)  # asked again, nothing is done twice
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)

class Receiver(BaseHTTPRequestHandler):
    log_message = lambda *_: None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name, sent = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        mac = hmac.new(KEY, f"{name}.{sent}.".encode() + body, hashlib.sha256).digest()
        mine = "v1," + base64.b64encode(mac).decode()
        shown = self.headers["webhook-signature"].split()  # several while a secret is replaced
        good = any(hmac.compare_digest(mine, one) for one in shown)
        good = good and abs(time.time() - int(sent)) < 300  # an old one is not played back
        self.send_response(204 if good else 401)  # answer at once, work afterwards
        self.end_headers()
        if good and name not in seen:
            seen.add(name)
            arrived.put((name, json.loads(body)))

server = HTTPServer((HOST, int(PORT)), Receiver)
wish = {"unit": UNIT, "url": f"http://{HOST}:{server.server_port}/", "wants": ["change"]}
KEY = base64.b64decode(ask("/subscriptions", wish, f"subscribe-{time.time()}")["secret"][6:])
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listening", flush=True)
while True:
    name, told = arrived.get()
    if told["type"] == "referral.route" and told["data"]["holder"] == UNIT:
        for command, given in STEPS:
            path = f"/instances/{told['data']['instance']}/commands"
            done = ask(path, {"command": command, "input": given}, f"{name}-{command}")
            print(done["number"], command, done["status"], flush=True)
