#!/usr/bin/env python3
"""A complete ACO Pay (翼辉支付) client in one file. Debian: python3, python3-cryptography.

    python3 acopay.py vectors [FILE]      signs and verifies the test vectors
    python3 acopay.py place --amount 12.50 [--description TEXT] [--mch-trade-no NO] [--extra TEXT] [--notify-url URL]
    python3 acopay.py query (--transaction-no NO | --mch-trade-no NO)
    python3 acopay.py close (--transaction-no NO | --mch-trade-no NO)
    python3 acopay.py notify [--port 8081]      receives notifications

The settings (baseUrl, mchNo, appNo, mchPrivateKey, platformPublicKey) are read from --settings FILE, by default
.acopay/demo.json: the file that the sandbox (npm start) writes. The contract: docs/wire/.

What Python gets wrong by default:
  json.dumps    writes ", " and ": ", escapes Chinese as \\uXXXX, and leaves U+2028 and U+2029 as they are.
  sort_keys     sorts by code point; the contract sorts by UTF-16 code unit (the same for all names of the contract).
  cryptography  reads PEM; the keys here are bare Base64 of DER.
  b64decode     skips characters that are not Base64, unless validate=True.
"""
import argparse
import base64
import datetime
import http.client
import http.server
import json
import re
import secrets
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

SIGN_TYPE = "SHA256withRSA"
BASE_PATH = "/pay/v1/transactions/"
VECTORS = "packages/protocol/vectors/signature.json"
TIMEOUT_S = 10
TRIES = 3
# NONCE_REPEAT, FREQUENCY_LIMIT, SYSTEM_ERROR: the same numbers with a new nonce may succeed.
RETRYABLE = {1016, 1017, 1500}
# The gateway signs no answer to a caller who has not proved who it is. All of these are errors.
MAY_BE_UNSIGNED = {1001, 1002, 1003, 1017, 1500}
CLOCK_TOLERANCE_S = 300
BODY_BYTES_MAX = 64 * 1024


class Failure(Exception):
    """Its text is for the person at the terminal."""


class Unreachable(Failure):
    """Whether the request was carried out is unknown. It may be sent again with the same numbers."""


# -- signing ----------------------------------------------------------------------------------------------------------


def canonical(value):
    """The text that both sides sign: compact JSON, names in UTF-16 order, nulls dropped, few escapes."""
    if isinstance(value, dict):
        names = [name for name, member in value.items() if member is not None]
        names.sort(key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, str):
        text = json.dumps(re.sub("[\ud800-\udfff]", "?", value), ensure_ascii=False)
        return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return json.dumps(value)


def without(members, *names):
    return {name: member for name, member in members.items() if name not in names and name.strip() != ""}


def request_text(params, mch_no, nonce):
    signed = without(params, "aco_pay_sdk", "version")
    return canonical({**signed, "mch_no": mch_no, "nonce": nonce, "sign_type": SIGN_TYPE})


def answer_text(envelope):
    data = envelope["data"]
    return canonical({**envelope, "data": None if data is None else without(data, "sign")})


def notification_text(body):
    return canonical(without(body, "sign"))


def private_key(text):
    return load_der_private_key(base64.b64decode(text), password=None)


def public_key(text):
    return load_der_public_key(base64.b64decode(text))


def sign(text, key):
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def verifies(text, signature, key):
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return True
    except (ValueError, TypeError, InvalidSignature):
        return False


# -- calls ------------------------------------------------------------------------------------------------------------


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the signed request to another host."""

    def redirect_request(self, *_args):
        return None


OPENER = urllib.request.build_opener(_NoRedirects)


def call(settings, method, path, params):
    """Sends until it is answered, at most three times, with the same numbers and a new nonce. Every call is idempotent."""
    for tried in range(1, TRIES + 1):
        try:
            envelope = send_once(settings, method, path, params)
            if envelope["status"] == 200:
                return envelope["data"]
            failure = Failure(f"{envelope['status']} {envelope['message']} {envelope['fieldErrors'] or ''}")
            if envelope["status"] not in RETRYABLE:
                raise failure
        except Unreachable as error:
            failure = error
        if tried == TRIES:
            raise failure
        time.sleep(0.2 * 2**tried)


def send_once(settings, method, path, params):
    mch_no, nonce = settings["mchNo"], secrets.token_hex(16)
    headers = {
        "x-acopay-mch-no": mch_no,
        "x-acopay-nonce": nonce,
        "x-acopay-sign-type": SIGN_TYPE,
        "x-acopay-sign": sign(request_text(params, mch_no, nonce), private_key(settings["mchPrivateKey"])),
    }
    url = settings["baseUrl"].rstrip("/") + BASE_PATH + path
    body = None
    if method == "GET":
        url += "?" + urllib.parse.urlencode(params)  # UTF-8, a space becomes "+": the gateway reads both forms
    else:
        body = json.dumps(params).encode()  # what travels may be escaped in any way: the parsed values are signed
        headers["content-type"] = "application/json; charset=utf-8"
    try:
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        with OPENER.open(request, timeout=TIMEOUT_S) as response:
            return read_answer(settings, params, response.read())
    except urllib.error.HTTPError as error:
        kind = Unreachable if error.code >= 500 or error.code == 429 else Failure
        raise kind(f"HTTP {error.code}: is baseUrl right?") from None
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"no answer ({error}); query the order before you do anything else") from None


def read_answer(settings, params, body):
    """The envelope, when the platform signed it and it is about what was asked."""
    try:
        envelope = json.loads(body)
        status, data = envelope["status"], envelope["data"]
    except (ValueError, KeyError, TypeError):
        raise Failure("the answer is not an envelope: is baseUrl right?") from None
    if data is None or data.get("sign") is None:
        if status not in MAY_BE_UNSIGNED:
            raise Failure(f"the answer {status} is not signed")
        return envelope
    is_ours = data.get("mch_no") == settings["mchNo"] and data.get("sign_type") == SIGN_TYPE
    if not is_ours or not verifies(answer_text(envelope), data["sign"], public_key(settings["platformPublicKey"])):
        raise Failure("the answer's signature does not verify with platformPublicKey")
    for name in ("transaction_no", "mch_trade_no"):
        # A signed answer about another order proves nothing about this one. The platform's number wins.
        if status == 200 and params.get(name):
            if data.get(name) != params[name]:
                raise Failure("the answer is about another order")
            break
    return envelope


def new_trade_no():
    """Your own number of an order: store it before you place the order. 24 to 50 letters, digits, "_" and "-"."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime()) + secrets.token_hex(10)


def place(settings, amount, description, mch_trade_no=None, extra=None, notify_url=None):
    params = {
        "app_no": settings["appNo"],
        "mch_trade_no": mch_trade_no or new_trade_no(),
        "description": description,
        "amount_total": amount,  # a text with two decimals, never a number
        "amount_currency": "CNY",
        "extra": extra,
        "notify_url": notify_url,
    }
    params = {name: value for name, value in params.items() if value is not None}
    return call(settings, "POST", "trade", params)


def query(settings, **ref):
    return call(settings, "GET", "trade", ref)


def close(settings, **ref):
    return call(settings, "POST", "close", ref)


# -- notifications ----------------------------------------------------------------------------------------------------

HEARD, NOT_HEARD = '{"status":"SUCCESS","message":"成功"}', '{"status":"FAIL","message":"失败"}'


class Notifications:
    """Verifies notifications and passes each event on once. A shop keeps the events in its database, see `once`."""

    def __init__(self, settings, on_event):
        self.settings, self.on_event = settings, on_event
        self.heard, self.lock = set(), threading.Lock()

    def answer(self, body):
        """The HTTP status and the body of the answer; `body` are the bytes as they came, before any JSON parser."""
        try:
            news = json.loads(body.decode("utf-8"))
            is_flat = all(member is None or isinstance(member, str) for member in news.values())
        except (ValueError, AttributeError):
            is_flat = False
        if not is_flat:
            return 400, NOT_HEARD
        doubt = self.doubt_about(news)
        if doubt is not None:
            print(f"refused: {doubt}", file=sys.stderr, flush=True)
            return 401, NOT_HEARD
        try:
            self.once(news)
        except Exception as error:  # whatever failed: the gateway shall send it again
            print(f"failed: {error}", file=sys.stderr, flush=True)
            return 500, NOT_HEARD
        return 200, HEARD

    def doubt_about(self, news):
        key = public_key(self.settings["platformPublicKey"])
        if news.get("sign_type") != SIGN_TYPE or not verifies(notification_text(news), news.get("sign"), key):
            return "the signature does not verify with platformPublicKey"
        if news.get("mch_no") != self.settings["mchNo"]:
            return "it is for another merchant"
        try:
            sent_at = datetime.datetime.fromisoformat(news["notify_time"])
            age_s = abs((datetime.datetime.now(datetime.timezone.utc) - sent_at).total_seconds())
        except (KeyError, TypeError, ValueError):
            return "it has no notify_time"
        return None if age_s <= CLOCK_TOLERANCE_S else f"notify_time is {age_s:.0f} s away: a replay, or a wrong clock?"

    def once(self, news):
        """
        nonce and notify_time differ at each delivery; kind, number and code do not. In a shop: insert the event's id into a
        table with a unique key, in the transaction of your own change; a duplicate key means that it was dealt with.
        """
        number = news.get("refund_no") or news["transaction_no"]
        event_id = f"{'refund' if news.get('refund_no') else 'payment'} {number} {news['code']}"
        with self.lock:
            if event_id in self.heard:
                print(f"again {event_id}", flush=True)
                return
            self.on_event(event_id, news)
            self.heard.add(event_id)


def serve(settings, port):
    # Your own work comes here. Raise for a code that you do not know: the event comes again when you know it.
    notifications = Notifications(settings, lambda event_id, _news: print(f"event {event_id}", flush=True))

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = TIMEOUT_S  # for a caller that sends nothing

        def do_POST(self):
            size = self.headers.get("content-length") or "0"
            if not size.isdecimal() or int(size) > BODY_BYTES_MAX:
                status, answer = 413, NOT_HEARD
            else:
                status, answer = notifications.answer(self.rfile.read(int(size)))
            payload = answer.encode()
            self.send_response(status)
            self.send_header("content-type", "application/json; charset=utf-8")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"listening http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()


# -- the command line -------------------------------------------------------------------------------------------------


def check_vectors(file):
    with open(file, encoding="utf-8") as opened:
        vectors = json.load(opened)
    keys, failed = vectors["keys"], 0
    for row in vectors["requests"]:
        params = row["params"]
        text = request_text(params, params["mch_no"], params["nonce"])
        failed += report(row, text, keys["merchantPrivateKey"], keys["merchantPublicKey"])
    for row in vectors["responses"]:
        body = row["body"]
        text = answer_text(body) if "status" in body else notification_text(body)
        failed += report(row, text, keys["platformPrivateKey"], keys["platformPublicKey"])
    return failed


def report(row, text, private, public):
    """Both directions: the same signature is made, the given one verifies, and one for another text does not."""
    key = public_key(public)
    is_ok = text == row["canonical"] and sign(text, private_key(private)) == row["sign"]
    is_ok = is_ok and verifies(text, row["sign"], key) and not verifies(text + " ", row["sign"], key)
    print("ok" if is_ok else "FAILED", row["name"])
    return 0 if is_ok else 1


def show(data):
    for name, value in data.items():
        if value is not None and name not in ("sign", "sign_type", "nonce"):
            print(name, value)


def arguments():
    parser = argparse.ArgumentParser(description="ACO Pay from Python")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("vectors").add_argument("file", nargs="?", default=VECTORS)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--settings", default=".acopay/demo.json")
    placing = commands.add_parser("place", parents=[common])
    placing.add_argument("--amount", required=True)
    placing.add_argument("--description", default="测试订单")
    for name in ("--mch-trade-no", "--extra", "--notify-url"):
        placing.add_argument(name)
    for command in ("query", "close"):
        ref = commands.add_parser(command, parents=[common]).add_mutually_exclusive_group(required=True)
        ref.add_argument("--transaction-no")
        ref.add_argument("--mch-trade-no")
    commands.add_parser("notify", parents=[common]).add_argument("--port", type=int, default=8081)
    return parser.parse_args()


def main():
    asked = arguments()
    if asked.command == "vectors":
        return 1 if check_vectors(asked.file) else 0
    with open(asked.settings, encoding="utf-8") as opened:
        settings = json.load(opened)
    if asked.command == "notify":
        serve(settings, asked.port)
    elif asked.command == "place":
        show(place(settings, asked.amount, asked.description, asked.mch_trade_no, asked.extra, asked.notify_url))
    else:
        named = {"transaction_no": asked.transaction_no, "mch_trade_no": asked.mch_trade_no}
        ref = {name: number for name, number in named.items() if number is not None}
        show((query if asked.command == "query" else close)(settings, **ref))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass
