#!/usr/bin/env python3
"""A peer platform such as the 12345 hotline, in short. What is handed over to it, it accepts with the
number of its own work order, and resolves; what is not its own, it hands in with that number: the
same number again is the same matter. A lost connection is taken up again: what was asked is asked
until there is an answer, each time with the same key. Python's standard library only.

  FENLIU_API=http://127.0.0.1:8110/api/v1 FENLIU_TOKEN=fenliu_... FENLIU_UNIT=12345 \\
  LISTEN=127.0.0.1:8121 python3 peer_client.py < orders.jsonl

Each line of the input is a work order to hand in: the inputs of `register` and its `source_number`.
The token is a liaison's of the peer's unit. `channel.webhook.kind` must be "http", and on one
machine `allow_http` and `allow_private` true."""
import base64, hashlib, hmac, http.client, json, os, queue, sys, threading, time
import urllib.error, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

API, TOKEN, UNIT = (os.environ["FENLIU_" + name] for name in ("API", "TOKEN", "UNIT"))
HOST, PORT = os.environ.get("LISTEN", "127.0.0.1:8121").rsplit(":", 1)
KEY = os.urandom(32)
seen, arrived, handed_in = set(), queue.Queue(), {}  # keep all of it in a database

def once(path, body, key, method):
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, sent, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        if error.code == 429 or error.code >= 500:
            raise OSError(error.code)  # not now; perhaps it is done, perhaps not
        return json.load(error)  # a problem: `code`, `detail_zh`

def ask(path, body=None, key=None, method=None):
    wait = 1
    while True:
        try:
            return once(path, body, key, method)
        except (OSError, ValueError, http.client.HTTPException) as error:
            print("asking again:", path, error, file=sys.stderr, flush=True)
            time.sleep(wait)
            wait = min(2 * wait, 60)

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
        if good and name not in seen:  # who hears no answer tells it again by the same name
            seen.add(name)
            arrived.put((name, json.loads(body)))
        self.send_response(204 if good else 401)
        self.end_headers()

def subscribe(url):
    secret = "whsec_" + base64.b64encode(KEY).decode()
    wish = {"unit": UNIT, "url": url, "wants": ["change"], "secret": secret}
    mine = ask("/subscriptions", wish)["id"]
    # One is left of those that stand from before, or whose answer was lost on the way.
    for other in ask("/subscriptions")["items"]:
        if other["url"] == url and other["id"] != mine:
            ask(f"/subscriptions/{other['id']}", method="DELETE")

def hand_in():
    for line in sys.stdin:
        order = json.loads(line) | {"source": UNIT, "channel": "hotline"}
        done = ask("/referrals", {"input": order}, "order-" + order["source_number"])
        handed_in[done.get("id")] = order["source_number"]
        print("handed in", order["source_number"], done.get("number", done.get("code")), flush=True)

server = HTTPServer((HOST, int(PORT)), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
subscribe(f"http://{HOST}:{server.server_port}/")
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
