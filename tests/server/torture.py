"""Bytes that are no request, with the status that each of them gets."""

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
LONG = b"a" * 9000

REFUSED = {
    # framing that two servers could read differently
    "length and chunked": (
        400,
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    "chunked and length": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    ),
    "two lengths": (400, POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    "two different lengths": (
        400,
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    ),
    "a list of lengths": (400, POST + b"Content-Length: 3,3\r\n\r\nabc"),
    "a signed length": (400, POST + b"Content-Length: +3\r\n\r\nabc"),
    "a negative length": (400, POST + b"Content-Length: -3\r\n\r\nabc"),
    "a hexadecimal length": (400, POST + b"Content-Length: 0x3\r\n\r\nabc"),
    "a superscript length": (400, POST + b"Content-Length: \xb2\r\n\r\nab"),
    "an empty length": (400, POST + b"Content-Length: \r\n\r\n"),
    "a length of 5000 digits": (
        400,
        POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    ),
    "chunked twice": (400, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n"),
    "chunked in two fields": (
        400,
        POST
        + b"Transfer-Encoding: chunked\r\n" * 1
        + b"Transfer-Encoding: chunked\r\n\r\n",
    ),
    "identity": (400, POST + b"Transfer-Encoding: identity\r\n\r\n"),
    "identity, chunked": (501, POST + b"Transfer-Encoding: identity, chunked\r\n\r\n"),
    "gzip, chunked": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    "gzip and chunked fields": (
        501,
        POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    "an unknown coding": (501, POST + b"Transfer-Encoding: br\r\n\r\n"),
    "chunked xchunked": (501, POST + b"Transfer-Encoding: xchunked\r\n\r\n"),
    "chunked in HTTP/1.0": (
        400,
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    # lines and fields
    "bare LF lines": (400, b"GET / HTTP/1.1\nHost: x\n\n"),
    "one bare LF": (400, b"GET / HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n"),
    "a bare LF alone": (400, b"\nGET / HTTP/1.1\r\n"),
    "a bare CR in a value": (400, GET + b"X-A: a\rb\r\n\r\n"),
    "obs-fold": (400, GET + b"X-A: a\r\n b\r\n\r\n"),
    "a NUL": (400, GET + b"X-A: a\x00b\r\n\r\n"),
    "a space before the colon": (400, GET + b"Content-Length : 3\r\n\r\nabc"),
    "no colon": (400, GET + b"nonsense\r\n\r\n"),
    "an empty name": (400, GET + b": a\r\n\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\nX-A: b\r\n\r\n"),
    "two hosts": (400, GET + b"Host: y\r\n\r\n"),
    "an expectation unknown": (417, GET + b"Expect: tea\r\n\r\n"),
    "a field of 9000 bytes": (431, GET + b"X-A: " + LONG + b"\r\n\r\n"),
    "65 fields": (431, GET + b"X-A: b\r\n" * 64 + b"\r\n"),
    "a head that does not end": (431, GET + (b"X-A: " + b"a" * 8000 + b"\r\n") * 9),
    # the request line
    "two empty lines": (400, b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a lower-case method": (400, b"get / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no version": (400, b"GET /\r\n\r\n"),
    "HTTP/2": (400, b"GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
    "the preface of HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a space in the target": (400, b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a byte over 127 in the target": (400, b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a target of 5000 bytes": (
        414,
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    "a target that does not end": (414, b"GET /" + b"a" * 70_000),
    "TLS": (400, TLS_HELLO),
    "a NUL at the start": (400, b"\x00"),
    # sizes
    "a length over the limit": (413, POST + b"Content-Length: 1048577\r\n\r\n"),
    "a chunk over the limit": (413, CHUNKED + b"100001\r\n"),
    "chunks over the limit": (413, CHUNKED + b"1\r\na\r\n100000\r\n"),
    "a chunk of 2 to the 60": (413, CHUNKED + b"fffffffffffffff\r\n"),
    # chunks
    "a size that is no number": (400, CHUNKED + b"xyz\r\n"),
    "a size with a sign": (400, CHUNKED + b"+3\r\nabc\r\n"),
    "a size with 0x": (400, CHUNKED + b"0x3\r\nabc\r\n"),
    "a size with an underscore": (400, CHUNKED + b"1_0\r\n"),
    "a size with a space before": (400, CHUNKED + b" 3\r\nabc\r\n"),
    "a size with a space after": (400, CHUNKED + b"3 \r\nabc\r\n"),
    "an empty size": (400, CHUNKED + b"\r\nabc"),
    "a chunk longer than its size": (400, CHUNKED + b"3\r\nabcd\r\n"),
    "a chunk that ends with LF": (400, CHUNKED + b"3\r\nabc\n0\r\n\r\n"),
    "a size line without end": (400, CHUNKED + b"1;" + b"a" * 9000),
    "an extension with CR": (400, CHUNKED + b"3;a\rb\r\nabc\r\n"),
    "an extension without name": (400, CHUNKED + b"3;=b\r\nabc\r\n"),
    "extensions longer than bodies may be": (
        413,
        CHUNKED + (b"1;" + b"a" * 8000 + b"\r\nb\r\n") * 150,
    ),
    "chunks of one byte for ever": (
        413,
        CHUNKED + (b"1;" + b"a" * 95 + b"\r\na\r\n") * 12_000,
    ),
    "a trailer that may not be one": (400, CHUNKED + b"0\r\nContent-Length: 3\r\n\r\n"),
    "a trailer that is no field": (400, CHUNKED + b"0\r\nnonsense\r\n\r\n"),
    "a trailer with LF": (400, CHUNKED + b"0\r\nX-A: b\n\r\n"),
    "trailers without end": (431, CHUNKED + b"0\r\n" + b"X-A: b\r\n" * 3000),
    "too many trailers": (431, CHUNKED + b"0\r\n" + b"X-A: b\r\n" * 100 + b"\r\n"),
}
