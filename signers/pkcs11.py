#!/usr/bin/python3
"""Signs for the gateway with keys in an HSM, through PKCS#11.

ACOPAY_SIGNER names this file; the gateway starts it. Needed from Debian: python3-pykcs11. Settings, in the gateway's environment:
  PKCS11_MODULE    the HSM's library, e.g. /usr/lib/softhsm/libsofthsm2.so
  PKCS11_TOKEN     the token's label
  PKCS11_PIN_FILE  a file with the user's PIN, readable by the gateway's user only
A key's name is the label of the private and the public key object. docs/keys.md has the lines that are read and written.
"""

import base64
import json
import os
import sys

import PyKCS11
from PyKCS11 import LowLevel as ck

# DER of DigestInfo up to the digest, for SHA-256 (RFC 8017, section 9.2, note 1).
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")


def setting(name):
    value = os.environ.get(name, "")
    if value == "":
        sys.exit(f"{name} 未设置 (is not set), see signers/pkcs11.py")
    return value


def open_session():
    module = PyKCS11.PyKCS11Lib()
    module.load(setting("PKCS11_MODULE"))
    wanted = setting("PKCS11_TOKEN")
    for slot in module.getSlotList(tokenPresent=True):
        if module.getTokenInfo(slot).label.strip() == wanted:
            session = module.openSession(slot)
            with open(setting("PKCS11_PIN_FILE"), encoding="utf-8") as file:
                session.login(file.read().strip())
            return session
    sys.exit(f"没有令牌 {wanted} (no token with the label PKCS11_TOKEN)")


def find(session, label, kind):
    found = session.findObjects([(ck.CKA_CLASS, kind), (ck.CKA_LABEL, label)])
    if len(found) != 1:
        raise LookupError(f"{len(found)} keys with the label {label}")
    return found[0]


def der(tag, content):
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x80 + (size.bit_length() + 7) // 8]) + size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + content


def der_integer(number):
    digits = bytes(number).lstrip(b"\0")
    return der(0x02, b"\0" + digits if digits[0] >= 0x80 else digits)


def public_key(session, label):
    key = find(session, label, ck.CKO_PUBLIC_KEY)
    modulus, exponent = session.getAttributeValue(key, [ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT])
    numbers = der(0x30, der_integer(modulus) + der_integer(exponent))
    return der(0x30, RSA_ENCRYPTION + der(0x03, b"\0" + numbers))


def answer(session, private_keys, asked):
    name = asked["key"]
    if asked.get("public"):
        return {"publicKey": base64.b64encode(public_key(session, name)).decode()}
    if name not in private_keys:
        private_keys[name] = find(session, name, ck.CKO_PRIVATE_KEY)
    text = DIGEST_INFO + base64.b64decode(asked["digest"])
    signature = session.sign(private_keys[name], text, PyKCS11.Mechanism(ck.CKM_RSA_PKCS, None))
    return {"signature": base64.b64encode(bytes(signature)).decode()}


def main():
    session = open_session()
    private_keys = {}
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answered = answer(session, private_keys, asked)
        except LookupError as error:
            answered = {"error": str(error)}
        # Whatever else the HSM says ends the program: the gateway starts it again, and it logs in again.
        print(json.dumps({"id": asked["id"], **answered}), flush=True)


if __name__ == "__main__":
    main()
