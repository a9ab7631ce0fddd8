"""URLs that a tenant may write to reach what is none of his; {port} is the canary's."""

BLOCKED = """
http://127.0.0.1:{port}/
http://127.1:{port}/
http://127.0.1:{port}/
http://2130706433:{port}/
http://0x7f000001:{port}/
http://0x7f.1:{port}/
http://0x7f.0x0.0x0.0x1:{port}/
http://0177.1:{port}/
http://017700000001:{port}/
http://127.255.255.254:{port}/
http://0.0.0.0:{port}/
http://0:{port}/
http://[::1]:{port}/
http://[::]:{port}/
http://[0:0:0:0:0:0:0:1]:{port}/
http://[::ffff:127.0.0.1]:{port}/
http://[::ffff:7f00:1]:{port}/
http://[::127.0.0.1]:{port}/
http://[64:ff9b::7f00:1]:{port}/
http://[64:ff9b:1::7f00:1]:{port}/
http://[2002:7f00:1::]:{port}/
http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]:{port}/
http://[fe80::1]:{port}/
http://[fd00:ec2::254]/
http://10.0.0.1/
http://172.16.0.1/
http://192.168.0.1/
http://100.64.0.1/
http://169.254.169.254/latest/meta-data/
http://168.63.129.16/
http://255.255.255.255/
http://224.0.0.1/
http://localhost:{port}/
http://LOCALHOST:{port}/
http://localhost.:{port}/
http://foo.localhost:{port}/
http://127。0。0。1:{port}/
http://local.example:{port}/
http://LOCAL.Example:{port}/
http://mixed.example:{port}/
http://six.example:{port}/
http://mapped.example:{port}/
http://metadata.google.internal/computeMetadata/v1/
HTTP://127.0.0.1:{port}/
https://127.0.0.1:{port}/
http://127.0.0.1:{port}?@example.com/
http://127.0.0.1:{port}#@example.com/
"""

UNREADABLE = """\
http://example.com\\@127.0.0.1:{port}/
http://example.com@127.0.0.1:{port}/
http://user:password@127.0.0.1:{port}/
http://@127.0.0.1:{port}/
http://127.0.0.1:{port}\\@example.com/
http:\\\\127.0.0.1:{port}/
http:/127.0.0.1:{port}/
http:127.0.0.1:{port}/
//127.0.0.1:{port}/
127.0.0.1:{port}
http://0177.0.0.1:{port}/
http://127.0.0.1.:{port}x/
http://①②⑦.⓪.⓪.①:{port}/
http://[::1%25lo]:{port}/
http://[::1%lo]:{port}/
http://[::ffff:127.0.0.1:{port}/
http://127%2e0%2e0%2e1:{port}/
http://127.0.0.1%00.example.com:{port}/
http://local host:{port}/
http://:{port}/
http:///127.0.0.1:{port}/
http://127.0.0.1:0/
http://127.0.0.1:-1/
http://127.0.0.1:65536/
http://127.0.0.1:{port}{port}/
ftp://127.0.0.1:{port}/
file:///etc/passwd
gopher://127.0.0.1:{port}/_GET
unix:///var/run/docker.sock
http+unix://%2Fvar%2Frun%2Fdocker.sock/
data:text/plain,hello
javascript:alert(1)
dict://127.0.0.1:{port}/
"""

CONTROLS = [
    f"http://127.0.0.1:{{port}}/{each}X: y" for each in "\r\n\t\x00\x7f\x1b"
] + ["http://127.0.0.1\r\n.example.com/", "\nhttp://127.0.0.1:{port}/"]
