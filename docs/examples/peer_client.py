#!/usr/bin/env python3
"""A peer platform such as the 12345 hotline, in short. What is handed over to it, it accepts with the
number of its own work order, and resolves; what is not its own, it hands in with that number: the
same number again is the same matter. It hears how that goes, also in the matter that it is merged
into, and takes it over when the desk finds that it was its own. A lost connection is taken up again:
what was asked is asked until there is an answer, each time with the same key. Python's standard
library only.

  FENLIU_API=http://127.0.0.1:8110/api/v1 FENLIU_TOKEN=fenliu_... FENLIU_UNIT=12345 \\
  LISTEN=127.0.0.1:8121 python3 peer_client.py < orders.jsonl

Each line of the input is a work order to hand in: the inputs of `register` and its `source_number`.
Orders that are refused are added to the file REFUSED (else refused.jsonl), each with the reason: mend
them there and hand them in from a copy. The program runs until it is stopped (Ctrl-C, SIGTERM); its
exit status is then 1 if an order was refused.
The token is a liaison's of the peer's unit. `channel.webhook.kind` must be "http", and on one
machine `allow_http` and `allow_private` true."""
import base64, hashlib, hmac, http.client, json, os, queue, signal, sys, threading, time
import urllib.error, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

API, TOKEN, UNIT = (os.environ["FENLIU_" + name] for name in ("API", "TOKEN", "UNIT"))
HOST, PORT = os.environ.get("LISTEN", "127.0.0.1:8121").rsplit(":", 1)
REFUSED, KEY = os.environ.get("REFUSED", "refused.jsonl"), os.urandom(32)
# Keep all of it in a database. The own orders stand under the number of the matter they go on in.
seen, arrived, orders, refused = set(), queue.Queue(), {}, []

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
        order.pop("refused", None)  # it comes from the file of those that were
        number = order.get("source_number")
        done = ask("/referrals", {"input": order}, number and f"order-{number}")
        if "number" in done:
            belongs(number, done["number"])
            print("handed in", number, done["number"], flush=True)
        else:
            refuse(order, done)

def belongs(order, matter):
    known = orders.setdefault(matter, [])
    if order in known:
        return False
    known.append(order)
    return True

def refuse(order, problem):
    reason = {name: problem.get(name) for name in ("code", "detail_zh", "detail", "reasons")}
    refused.append(order)
    with open(REFUSED, "a", encoding="utf-8") as file:
        file.write(json.dumps(order | {"refused": reason}, ensure_ascii=False) + "\n")
    print("refused", order.get("source_number"), problem.get("code"), flush=True)

def follow(merged, mine):
    """What is told of the matter that a merged one goes on in is told of its orders, too."""
    into = ask("/referrals/" + merged).get("fields", {}).get("merged_into")
    for matter in ask("/referrals?number=" + into).get("items", []) if into else []:
        for order in mine:
            if belongs(order, matter["number"]):
                print(order, "goes on in", matter["number"], matter["status"], flush=True)
        if matter["outcome"] == "merged_into":  # and on, when word of that came earlier
            follow(matter["id"], mine)

def take_over(matter, number, key):
    # What the steps say would come from the peer's own work.
    for command, given in [
        ("accept", {"unit_number": number}),
        ("contacted_caller", {"how": "phone", "reached": True}),
        ("resolve", {"result": "工单已办结", "caller_told": "by_phone"}),
    ]:
        asked = {"command": command, "input": given}
        done = ask(f"/instances/{matter}/commands", asked, f"{key}-{command}")
        print(done.get("number"), command, done.get("status", done.get("code")), flush=True)

def stop(*_):
    sys.exit(1 if refused else 0)

for ending in (signal.SIGINT, signal.SIGTERM):
    signal.signal(ending, stop)
server = HTTPServer((HOST, int(PORT)), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
subscribe(f"http://{HOST}:{server.server_port}/")
print("listening", flush=True)
hand_in()
while True:
    name, told = arrived.get()
    data, matter = told["data"], told["data"]["instance"]
    mine = list(orders.get(data["number"], [])) if data["workflow"] == "referral" else []
    for order in mine:
        print(order, data["status"], flush=True)
    if told["type"] == "referral.merge" and mine:
        follow(matter, mine)
    # Also what it handed in itself, if the desk finds that it is its own.
    if told["type"] == "referral.route" and data["holder"] == UNIT:
        take_over(matter, mine[0] if mine else "W-" + matter[-6:], name)
