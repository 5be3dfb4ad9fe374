"""The row of what it costs to know who calls: cached reads with TLS, policies and tokens."""

import base64
import contextlib
import functools
import json
import time
from dataclasses import dataclass, field

import drive
import processes
from compare import verdict

_PLAINTEXT = "plaintext"
_SPIFFE_ID = "spiffe://bench.example/web"
_ISSUER, _AUDIENCE, _SUBJECT = "https://id.bench.example", "content", "reader-1"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass
class _Contestant:
    settings: dict = field(default_factory=dict)  # of contentd
    caller: dict = field(default_factory=dict)  # options of bench_load


def cached(bench):
    """CPU of a cached article, by what the server asks of its callers."""
    row = "access"
    article = bench.file_of(bench.median_article)
    with contextlib.ExitStack() as running:
        runs = {}
        for name, one in _contestants(bench.scratch / row).items():
            # Six servers that wait for clients to move would take longer to stop than to measure.
            server = running.enter_context(bench.contentd(drain_delay="0s", **one.settings))
            load = bench.load(server, article, one.caller)
            runs[name] = functools.partial(load.run, drive.WIDE)
        measured = bench.interleave(row, f"cached, {drive.WIDE[0]}x{drive.WIDE[1]}", runs)
    for name in measured:
        if name != _PLAINTEXT:
            what = f"{_PLAINTEXT}, ours with {name}"
            yield verdict(row, what, None, measured, name, _PLAINTEXT, "cpu_us")


def _contestants(folder):
    """Each policy lets in only the caller that its contestant's load is, so a right answer shows
    that the server knew it."""
    folder.mkdir()
    _make_certificates(folder)
    tls = {"tls_cert_file": folder / "server.pem", "tls_key_file": folder / "server.key"}
    mutual_tls = {**tls, "tls_client_ca_file": folder / "ca.pem"}
    trust = {"tls-ca": folder / "ca.pem"}
    certificate = {**trust, "tls-cert": folder / "client.pem", "tls-key": folder / "client.key"}
    tokens = {
        "jwt": "required",
        "jwt_jwks_file": folder / "keys.json",
        "jwt_issuer": _ISSUER,
        "jwt_audience": _AUDIENCE,
    }
    bearer = {"authorization": f"Bearer {_new_token(folder)}"}
    anonymous = _policy(folder / "anonymous.yaml", "anonymous")
    person = _policy(folder / "person.yaml", f"jwt:{_SUBJECT}")
    web = _policy(folder / "web.yaml", _SPIFFE_ID)
    return {
        _PLAINTEXT: _Contestant(),
        "policy": _Contestant(anonymous),
        "policy, token": _Contestant({**person, **tokens}, bearer),
        "TLS": _Contestant(tls, trust),
        "mutual TLS, policy": _Contestant({**mutual_tls, **web}, certificate),
        "mutual TLS, policy, token": _Contestant(
            {**mutual_tls, **web, **tokens}, {**certificate, **bearer}
        ),
    }


def _policy(file, caller):
    file.write_text(f'callers:\n  "{caller}": [reader]\n')
    return {"policy_file": file}


def _make_certificates(folder):
    """Makes ca.pem, and server.pem and client.pem, which it has signed, each with its .key."""
    _make_certificate(folder, "ca")
    for name, alternative in (("server", "IP:127.0.0.1"), ("client", f"URI:{_SPIFFE_ID}")):
        _make_certificate(
            folder,
            name,
            f"-CA={folder}/ca.pem",
            f"-CAkey={folder}/ca.key",
            "-addext=basicConstraints=critical,CA:FALSE",
            f"-addext=subjectAltName={alternative}",
        )


def _make_certificate(folder, name, *options):
    files = ("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")
    _openssl("req", "-x509", *_NEW_KEY, "-days", "2", "-subj", f"/CN={name}", *options, *files)


def _new_token(folder):
    """Returns a token that is signed with ES256, and writes the key set that it is checked by, in
    keys.json."""
    key, public, text, signature = (
        folder / name for name in ("token.key", "token.der", "token", "token.sig")
    )
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    _openssl("pkey", "-in", key, "-pubout", "-outform", "DER", "-out", public)
    point = public.read_bytes()[-64:]  # x and y
    numbers = {"x": _base64(point[:32]), "y": _base64(point[32:])}
    jwk = {"kid": "1", "kty": "EC", "crv": "P-256", **numbers}
    (folder / "keys.json").write_text(json.dumps({"keys": [jwk]}))
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": _SUBJECT,
        "exp": round(time.time()) + 86400,
    }
    parts = ({"alg": "ES256", "kid": "1", "typ": "JWT"}, claims)
    text.write_text(".".join(_base64(json.dumps(part).encode()) for part in parts))
    _openssl("dgst", "-sha256", "-sign", key, "-out", signature, text)
    return f"{text.read_text()}.{_base64(_without_der(signature.read_bytes()))}"


def _without_der(signature):
    """The two numbers of an ECDSA signature one after the other, as tokens have them (RFC 7518,
    3.4). In DER each has a byte for its type and one for its length before it."""
    second = 4 + signature[3]
    numbers = (signature[4:second], signature[second + 2 :])
    return b"".join(int.from_bytes(number, "big").to_bytes(32, "big") for number in numbers)


def _base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(*arguments):
    processes.run(["openssl", *arguments])
