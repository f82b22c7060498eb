# A peer that says whatever a case wants over a real socket, and tells what frames come back. Frames are hyperframe's, header blocks hpack's.
import socket
import ssl
import struct

import hpack
from hyperframe.frame import Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
MARK = b'judgment'

NO_ERROR, PROTOCOL, INTERNAL, FLOW_CONTROL, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE, REFUSED, CANCEL, COMPRESSION, CONNECT, CALM = range(12)
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32


def frame(kind, flags=0, stream=0, payload=b'', length=None):
    """A frame of raw parts, whatever they are worth."""
    size = len(payload) if length is None else length
    return struct.pack('>I', size)[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b''.join(struct.pack('>HI', key, value) for key, value in pairs))


def window(stream, increment):
    return frame(WINDOW, 0, stream, struct.pack('>I', increment))


def rst(stream, code=CANCEL):
    return frame(RST, 0, stream, struct.pack('>I', code))


class Block:
    """Header blocks of one connection."""

    def __init__(self, scheme, authority):
        self.encoder = hpack.Encoder()
        self.scheme = scheme
        self.authority = authority

    def fields(self, method='GET', path='/', extra=(), without=()):
        pseudo = [(':method', method), (':scheme', self.scheme), (':authority', self.authority), (':path', path)]
        return [pair for pair in pseudo if pair[0] not in without] + list(extra)

    def __call__(self, method='GET', path='/', extra=(), without=()):
        return self.encode(self.fields(method, path, extra, without))

    def encode(self, fields):
        return self.encoder.encode(fields, huffman=True)

    def request(self, stream=1, method='GET', path='/', extra=(), ends=True, without=()):
        flags = END_HEADERS | (END_STREAM if ends else 0)
        return frame(HEADERS, flags, stream, self(method, path, extra, without))

    def raw(self, fields, stream=1, ends=True):
        return frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, self.encode(fields))


class Peer:
    def __init__(self, target):
        host, port, tls = target
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_alpn_protocols(['h2'])
            self.socket = context.wrap_socket(self.socket, server_hostname='a.example')
        self.pending = b''
        self.frames = []
        self.closed = False
        self.decoder = hpack.Decoder()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # it closed on us: what it said before is still to be read

    def read_frame(self):
        """The next frame; None at the end of the connection."""
        while True:
            if len(self.pending) >= 9:
                head, length = Frame.parse_frame_header(memoryview(self.pending[:9]))
                if len(self.pending) >= 9 + length:
                    head.parse_body(memoryview(self.pending[9:9 + length]))
                    self.pending = self.pending[9 + length:]
                    if isinstance(head, HeadersFrame):
                        head.fields = self.decoder.decode(head.data)
                    self.frames.append(head)
                    return head
            try:
                data = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError):
                data = b''
            if not data:
                self.closed = True
                return None
            self.pending += data

    def until(self, wanted):
        """Reads until a frame satisfies `wanted`, or the peer is gone; answers the frame or None."""
        while True:
            got = self.read_frame()
            if got is None or wanted(got):
                return got

    def handshake(self, *pairs):
        self.send(PREFACE + settings(*pairs))
        self.settings = self.until(lambda f: isinstance(f, SettingsFrame) and 'ACK' not in f.flags).settings
        self.send(frame(SETTINGS, ACK))
        self.until(lambda f: isinstance(f, SettingsFrame) and 'ACK' in f.flags)
        self.room = 65535 + sum(f.window_increment for f in self.frames if isinstance(f, WindowUpdateFrame))
        self.frames = []

    # --- what came of it

    def alive(self):
        """It answers a PING and has not said that it goes away."""
        self.send(frame(PING, 0, 0, MARK))
        got = self.until(lambda f: isinstance(f, GoAwayFrame) or (isinstance(f, PingFrame) and 'ACK' in f.flags and f.opaque_data == MARK))
        return isinstance(got, PingFrame)

    def answered(self, stream=1):
        """The status of the response once it is whole, or None."""
        status = None
        def ends(f):
            nonlocal status
            if isinstance(f, GoAwayFrame) or (isinstance(f, RstStreamFrame) and f.stream_id == stream):
                return True
            if isinstance(f, HeadersFrame) and f.stream_id == stream:
                for name, value in f.fields:
                    if name == ':status' and not value.startswith('1'):
                        status = value
            return f.stream_id == stream and 'END_STREAM' in f.flags
        for f in list(self.frames):
            if ends(f):
                return status
        last = self.until(ends)
        return status if last is not None and 'END_STREAM' in last.flags else None

    def connection_error(self):
        """The code of GOAWAY, and nothing but the end behind it."""
        got = next((f for f in self.frames if isinstance(f, GoAwayFrame)), None) or self.until(lambda f: isinstance(f, GoAwayFrame))
        if got is None:
            return None
        self.until(lambda f: False)
        return got.error_code

    def stream_error(self, stream=1):
        """The code of RST_STREAM; 'connection: code' if it was more than that."""
        def ends(f):
            return isinstance(f, GoAwayFrame) or (isinstance(f, RstStreamFrame) and f.stream_id == stream)
        got = next((f for f in self.frames if ends(f)), None) or self.until(ends)
        if isinstance(got, GoAwayFrame):
            return 'connection: %d' % got.error_code
        return None if got is None else got.error_code

    def describe(self):
        return ('closed ' if self.closed else '') + ' '.join(repr(f)[:80] for f in self.frames[-6:])

    def close(self):
        self.socket.close()
