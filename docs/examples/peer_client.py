#!/usr/bin/env python3
"""A peer platform such as the 12345 hotline, in short. What is handed over to it, it accepts with the
number of its own work order, and resolves; what is not its own, it hands in with that number: the
same number again is the same matter. Python's standard library only.

  FENLIU_API=http://127.0.0.1:8110/api/v1 FENLIU_TOKEN=fenliu_... FENLIU_UNIT=12345 \\
  LISTEN=127.0.0.1:8121 python3 peer_client.py < orders.jsonl

Each line of the input is a work order to hand in: the inputs of `register` and its `source_number`.
The token is a liaison's of the peer's unit. `channel.webhook.kind` must be "http", and on one
machine `allow_http` and `allow_private` true."""
import base64, hashlib, hmac, json, os, queue, sys, threading, time, urllib.error, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

API, TOKEN, UNIT = (os.environ["FENLIU_" + name] for name in ("API", "TOKEN", "UNIT"))
HOST, PORT = os.environ.get("LISTEN", "127.0.0.1:8121").rsplit(":", 1)
seen, arrived, handed_in = set(), queue.Queue(), {}  # keep all of it in a database

def ask(path, body, key):
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"}
    request = urllib.request.Request(API + path, json.dumps(body).encode(), headers)
    request.add_header("Idempotency-Key", key)  # asked again, nothing is done twice
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)  # a problem: `code`, `detail_zh`

class Receiver(BaseHTTPRequestHandler):
    log_message = lambda *_: None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name, sent = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        mac = hmac.new(KEY, f"{name}.{sent}.".encode() + body, hashlib.sha256).digest()
        mine = "v1," + base64.b64encode(mac).decode()
        shown = self.headers["webhook-signature"].split()
        good = any(hmac.compare_digest(mine, one) for one in shown)
        good = good and abs(time.time() - int(sent)) < 300
        self.send_response(204 if good else 401)
        self.end_headers()
        if good and name not in seen:
            seen.add(name)
            arrived.put((name, json.loads(body)))

def hand_in():
    for line in sys.stdin:
        order = json.loads(line) | {"source": UNIT, "channel": "hotline"}
        done = ask("/referrals", {"input": order}, "order-" + order["source_number"])
        handed_in[done.get("id")] = order["source_number"]
        print("handed in", order["source_number"], done.get("number", done.get("code")), flush=True)

server = HTTPServer((HOST, int(PORT)), Receiver)
wish = {"unit": UNIT, "url": f"http://{HOST}:{server.server_port}/", "wants": ["change"]}
KEY = base64.b64decode(ask("/subscriptions", wish, f"subscribe-{time.time()}")["secret"][6:])
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listening", flush=True)
hand_in()
while True:
    name, told = arrived.get()
    data = told["data"]
    path, number = f"/instances/{data['instance']}/commands", "W-" + data["instance"][-6:]
    if data["instance"] in handed_in:
        print(handed_in[data["instance"]], data["status"], flush=True)
    elif told["type"] == "referral.route" and data["holder"] == UNIT:
        # What the steps say would come from the peer's own work.
        for command, given in [
            ("accept", {"unit_number": number}),
            ("contacted_caller", {"how": "phone", "reached": True}),
            ("resolve", {"result": "工单已办结", "caller_told": "by_phone"}),
        ]:
            done = ask(path, {"command": command, "input": given}, f"{name}-{command}")
            print(done.get("number"), command, done.get("status", done.get("code")), flush=True)
