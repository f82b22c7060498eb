# A server that does to each client that connects what the next case says, and judges it by what frames come back. Prints its port and the
# number of cases, then the verdicts. A client asks for two things, on streams 1 and 3, and stays.
import json
import socket
import struct
import sys
import traceback

import hpack
from hyperframe.frame import GoAwayFrame, HeadersFrame, SettingsFrame

from peer import (ACK, CALM, CANCEL, COMPRESSION, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL, FRAME_SIZE, GOAWAY, HEADERS, PING, PREFACE, PRIORITY,
                  PROTOCOL, PUSH, RST, SETTINGS, STREAM_CLOSED, WINDOW, Peer, frame, rst, settings, window)


class ServerPeer(Peer):
    def __init__(self, accepted):
        accepted.settimeout(10)
        self.socket = accepted
        self.pending, self.frames, self.closed, self.decoder = b'', [], False, hpack.Decoder()

    def handshake(self, *pairs):
        self.send(settings(*pairs))
        while len(self.pending) < len(PREFACE):
            self.pending += self.socket.recv(65536)
        assert self.pending.startswith(PREFACE), self.pending
        self.pending = self.pending[len(PREFACE):]
        self.until(lambda f: isinstance(f, SettingsFrame) and 'ACK' not in f.flags)
        self.settings = self.frames[0].settings
        self.send(frame(SETTINGS, ACK))
        self.until(lambda f: isinstance(f, HeadersFrame) and f.stream_id == 3)
        self.frames = [f for f in self.frames if isinstance(f, HeadersFrame)]


def head(stream=1, fields=((':status', '200'),), flags=END_HEADERS):
    return frame(HEADERS, flags, stream, hpack.Encoder().encode(list(fields)))


def connection_error(data, *codes):
    def run(peer):
        peer.handshake()
        peer.send(data)
        got = peer.connection_error()
        return None if got in codes else 'wanted GOAWAY %s, got %s' % (codes, got)
    return run


def stream_error(data, *codes):
    def run(peer):
        peer.handshake()
        peer.send(data)
        got = peer.stream_error()
        if got not in codes:
            return 'wanted RST_STREAM %s, got %s' % (codes, got)
        return None if peer.alive() else 'the connection did not outlive it'
    return run


def borne(data):
    def run(peer):
        peer.handshake()
        peer.send(data)
        if not peer.alive():
            return 'the connection did not outlive it'
        bad = [f for f in peer.frames if type(f).__name__ == 'RstStreamFrame']
        return 'reset %r' % bad if bad else None
    return run


def asks_for_no_push(peer):
    peer.handshake()
    return None if peer.settings.get(2) == 0 else 'ENABLE_PUSH is %s' % peer.settings.get(2)


def uses_odd_numbers(peer):
    peer.handshake()
    return None if [f.stream_id for f in peer.frames] == [1, 3] else 'streams %s' % [f.stream_id for f in peer.frames]


def request_is_whole(peer):
    peer.handshake()
    names = [name for name, _ in peer.frames[0].fields]
    return None if names[:4] == [':method', ':scheme', ':authority', ':path'] else 'fields %s' % names


def bomb():
    literal = b'\x40\x01x\x7f' + bytes([(3000 - 127) % 128 | 128, (3000 - 127) // 128]) + b'a' * 3000
    return b'\x88' + literal + b'\xbe' * 10_000


ok = head(fields=[(':status', '200')])
done = head(flags=END_HEADERS | END_STREAM)

CASES = [
    ('6.5.2 says that it wants no push', asks_for_no_push),
    ('5.1.1 numbers its streams 1, 3', uses_odd_numbers),
    ('8.3.1 sends all pseudo fields, first', request_is_whole),
    ('8.4 PUSH_PROMISE is a connection error', connection_error(frame(PUSH, END_HEADERS, 1, struct.pack('>I', 2) + b'\x82'), PROTOCOL)),
    ('8.4 ENABLE_PUSH of 1 from a server is a connection error', connection_error(settings((2, 1)), PROTOCOL)),
    ('5.1.1 HEADERS on an even stream are a connection error', connection_error(head(2), PROTOCOL)),
    ('5.1 HEADERS on a stream that was not opened are a connection error', connection_error(head(99), PROTOCOL)),
    ('5.1 DATA on a stream that was not opened is a connection error', connection_error(frame(DATA, 0, 99, b'x'), PROTOCOL)),
    ('5.1 RST_STREAM of a stream that was not opened is a connection error', connection_error(rst(99), PROTOCOL)),
    ('5.1 WINDOW_UPDATE of a stream that was not opened is a connection error', connection_error(window(99, 1), PROTOCOL)),
    ('5.1 a second response on a closed stream is a connection error', connection_error(done + done, STREAM_CLOSED)),
    ('5.1 DATA behind the end is a connection error', connection_error(done + frame(DATA, 0, 1, b'x'), STREAM_CLOSED)),
    ('6.1 DATA on stream 0 is a connection error', connection_error(frame(DATA, 0, 0, b'x'), PROTOCOL)),
    ('6.5 SETTINGS of wrong size are a connection error', connection_error(frame(SETTINGS, 0, 0, bytes(5)), FRAME_SIZE)),
    ('6.5.2 a window of 2^31 is a connection error', connection_error(settings((4, 2 ** 31)), FLOW_CONTROL)),
    ('6.5.2 a frame size below 2^14 is a connection error', connection_error(settings((5, 100)), PROTOCOL)),
    ('6.9 WINDOW_UPDATE of 0 is a connection error', connection_error(window(0, 0), PROTOCOL)),
    ('6.9.1 a window above 2^31-1 is a connection error', connection_error(window(0, 2 ** 31 - 1) * 2, FLOW_CONTROL)),
    ('4.2 too large a frame is a connection error', connection_error(frame(DATA, 0, 1, bytes(16385)), FRAME_SIZE)),
    ('4.3 a block that does not decode is a connection error', connection_error(frame(HEADERS, 4, 1, b'\xff\xff\xff\xff\xff\xff'), COMPRESSION)),
    ('6.10 another frame within a header block is a connection error', connection_error(frame(HEADERS, 0, 1, b'\x88') + frame(PING, 0, 0, bytes(8)), PROTOCOL)),
    ('8.1 DATA before the head is malformed', stream_error(frame(DATA, 0, 1, b'x'), PROTOCOL)),
    ('8.1 an interim response that ends the stream is malformed', stream_error(head(fields=[(':status', '103')], flags=5), PROTOCOL)),
    ('8.1 interim responses are taken', borne(head(fields=[(':status', '103')]) * 3 + done)),
    ('8.1 trailers that do not end the stream are malformed', stream_error(ok + head(fields=[('x', 'y')]), PROTOCOL)),
    ('8.1.1 less than content-length is malformed', stream_error(head(fields=[(':status', '200'), ('content-length', '5')]) + frame(DATA, 1, 1, b'x'), PROTOCOL)),
    ('8.1.1 more than content-length is malformed', stream_error(head(fields=[(':status', '200'), ('content-length', '5')]) + frame(DATA, 0, 1, b'too long'), PROTOCOL)),
    ('8.1.1 204 and 304 may state a length', borne(head(fields=[(':status', '304'), ('content-length', '5')], flags=5))),
    ('8.2.2 transfer-encoding is malformed', stream_error(head(fields=[(':status', '200'), ('transfer-encoding', 'chunked')]), PROTOCOL)),
    ('8.2.2 connection is malformed', stream_error(head(fields=[(':status', '200'), ('connection', 'close')]), PROTOCOL)),
    ('8.2.1 a value with LF is malformed', stream_error(head(fields=[(':status', '200'), ('x', 'a\nb: c')]), PROTOCOL)),
    ('8.3 a pseudo field of requests is malformed', stream_error(head(fields=[(':status', '200'), (':path', '/')]), PROTOCOL)),
    ('8.3.2 no :status is malformed', stream_error(head(fields=[('x', 'y')]), PROTOCOL)),
    ('8.3.2 two :status are malformed', stream_error(head(fields=[(':status', '200'), (':status', '200')]), PROTOCOL)),
    ('8.3.2 a status that is no number is malformed', stream_error(head(fields=[(':status', '2x0')]), PROTOCOL)),
    ('8.6 101 is malformed', stream_error(head(fields=[(':status', '101')]), PROTOCOL)),
    ('abuse: a header list that grows from references', borne(frame(HEADERS, END_HEADERS | END_STREAM, 1, bomb()))),
    ('abuse: CONTINUATION without end', connection_error(frame(HEADERS, 0, 1, b'\x88') + frame(CONTINUATION, 0, 1) * 100, CALM)),
    ('abuse: PING', connection_error(frame(PING, 0, 0, bytes(8)) * 1100, CALM)),
    ('abuse: SETTINGS', connection_error(settings() * 1100, CALM)),
    ('abuse: interim responses without end', connection_error(head(fields=[(':status', '103')]) * 1100, CALM)),
    ('abuse: empty DATA', connection_error(ok + frame(DATA, 0, 1) * 1100, CALM)),
    ('abuse: PINGs beside DATA are borne', borne(ok + (frame(DATA, 0, 1, b'x') + frame(PING, 0, 0, bytes(8))) * 3000)),
    ('frames of unknown types are ignored', borne(frame(99, 0, 0, b'abc') + done)),
]

if __name__ == '__main__':
    listener = socket.create_server(('127.0.0.1', 0))
    print(json.dumps({'port': listener.getsockname()[1], 'cases': len(CASES)}), flush=True)
    verdicts = []
    for name, run in CASES:
        accepted, _ = listener.accept()
        peer = ServerPeer(accepted)
        try:
            problem = run(peer) or ''
            if problem:
                problem += '; last frames: ' + peer.describe()
        except Exception:
            problem = traceback.format_exc(limit=-3) + peer.describe()
        peer.close()
        verdicts.append({'name': name, 'problem': problem})
    json.dump(verdicts, sys.stdout)
