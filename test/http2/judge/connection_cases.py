# RFC 9113 sections 3 to 5: the preface, frames in general, streams.
from hyperframe.frame import GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from expect import answer, connection_error, ignored, stream_error
from peer import (ACK, CALM, CANCEL, COMPRESSION, CONTINUATION, DATA, END_HEADERS, END_STREAM, FRAME_SIZE, GOAWAY, HEADERS, PADDED, PING, PREFACE, PRIORITY,
                  PROTOCOL, PUSH, REFUSED, RST, SETTINGS, STREAM_CLOSED, WINDOW, frame, rst, settings, window)


def begins_with_settings(peer, block):
    peer.send(PREFACE + settings())
    first = peer.read_frame()
    return None if isinstance(first, SettingsFrame) and 'ACK' not in first.flags else 'the first frame is %r' % first


def raw_start(data, *codes):
    """GOAWAY may be left out where the peer does not speak HTTP/2 (section 3.4)."""
    def run(peer, block):
        peer.send(data)
        peer.until(lambda f: False)
        got = [f.error_code for f in peer.frames if isinstance(f, GoAwayFrame)]
        return None if peer.closed and (not got or got[0] in codes) else 'got %s' % got
    return run


def in_pieces(peer, block):
    for byte in PREFACE + settings() + frame(SETTINGS, ACK) + block.request(1):
        peer.send(bytes([byte]))
    return None if peer.answered() == '200' else 'no answer'


def at_once(peer, block):
    peer.send(PREFACE + settings() + block.request(1))
    return None if peer.answered() == '200' else 'no answer'


def too_many(peer, block):
    peer.handshake((4, 0))
    most = peer.settings[3]
    peer.send(b''.join(block.request(1 + 2 * i, 'POST', ends=False) for i in range(most + 1)))
    got = peer.stream_error(1 + 2 * most)
    if got != REFUSED:
        return 'wanted REFUSED_STREAM, got %s' % got
    # Those within the limit are not harmed.
    if any(isinstance(f, RstStreamFrame) and f.stream_id < 1 + 2 * most for f in peer.frames):
        return 'others were reset'
    return None if peer.alive() else 'the connection did not outlive it'


def too_many_then_room(peer, block):
    peer.handshake()
    peer.send(b''.join(block.request(1 + 2 * i, 'POST', ends=False) for i in range(peer.settings[3] + 1)) + rst(1) + block.request(1001))
    return None if peer.answered(1001) == '200' else 'no answer once there was room'


def refused_keeps_table(peer, block):
    """The field block of a refused stream is decoded all the same (section 4.3): the next request refers to it."""
    peer.handshake()
    peer.send(b''.join(block.request(1 + 2 * i, 'POST', ends=False) for i in range(peer.settings[3])))
    peer.send(block.request(501, extra=[('x-in-table', 'yes')]) + rst(1) + block.request(503, extra=[('x-in-table', 'yes')]))
    return None if peer.answered(503) == '200' else 'no answer'


def table_kept_on_stray(peer, block):
    """So is that of a stream that was reset by us meanwhile."""
    peer.handshake()
    peer.send(block.request(1, 'POST', extra=[('content-length', '1')], ends=False) + frame(DATA, 0, 1, b'too long'))
    if peer.stream_error() != PROTOCOL:
        return 'no stream error'
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block.encode([('x-late', 'trailer')])) + block.request(3, extra=[('x-late', 'trailer')]))
    return None if peer.answered(3) == '200' else 'no answer'


def after_complete(data, *codes):
    def run(peer, block):
        peer.handshake()
        peer.send(block.request())
        if peer.answered() != '200':
            return 'no answer'
        peer.send(data(block))
        got = peer.connection_error()
        return None if got in codes else 'wanted GOAWAY %s, got %s' % (codes, got)
    return run


def ignored_after_complete(data):
    def run(peer, block):
        peer.handshake()
        peer.send(block.request())
        if peer.answered() != '200':
            return 'no answer'
        peer.send(data)
        return None if peer.alive() else 'the connection did not outlive it'
    return run


def closes_after_error(peer, block):
    peer.handshake()
    peer.send(block.request(5) + frame(DATA, 0, 0, b'x'))
    if peer.connection_error() != PROTOCOL:
        return 'no connection error'
    last = [f.last_stream_id for f in peer.frames if isinstance(f, GoAwayFrame)][0]
    return None if last == 5 and peer.closed else 'last stream %s, closed %s' % (last, peer.closed)


def nothing_after_error(peer, block):
    peer.handshake()
    peer.send(frame(DATA, 0, 0, b'x') + frame(PING, 0, 0, b'too late') + block.request(7))
    peer.connection_error()
    return 'it went on' if any(isinstance(f, (PingFrame, HeadersFrame)) for f in peer.frames) else None


get = lambda block: block.request()
open_post = lambda block: block.request(1, 'POST', ends=False)

CASES = [
    ('3.4 the server begins with SETTINGS', begins_with_settings),
    ('3.4 frames may follow the preface at once', at_once),
    ('3.4 the preface may come byte by byte, and so may frames', in_pieces),
    ('3.4 an invalid preface ends the connection', raw_start(b'INVALID CONNECTION PREFACE\r\n\r\n', PROTOCOL)),
    ('3.4 a preface that goes wrong at its last byte ends the connection', raw_start(PREFACE[:-1] + b'x' + settings(), PROTOCOL)),
    ('3.4 an HTTP/1.1 request where HTTP/2 was agreed ends the connection', raw_start(b'GET / HTTP/1.1\r\nHost: a.example\r\nX: yyyyyyyy\r\n\r\n', PROTOCOL)),
    ('3.4 a first frame that is not SETTINGS is a connection error', raw_start(PREFACE + frame(PING, 0, 0, b'12345678'), PROTOCOL)),
    ('3.4 a first frame that acknowledges SETTINGS is a connection error', raw_start(PREFACE + frame(SETTINGS, ACK), PROTOCOL)),
    ('4.1 frames of unknown types are ignored', ignored(frame(22, 255, 0, b'what') + frame(240, 0, 77, b''))),
    ('4.1 unknown flags are ignored', ignored(frame(PING, 0xfe & ~ACK, 0, b'12345678'))),
    ('4.1 the reserved bit of a stream is ignored', answer(lambda b: frame(HEADERS, 5, 0x80000001, b()))),
    ('4.1 the reserved bit is ignored in a frame of the connection', ignored(frame(PING, 0, 0x80000000, b'12345678'))),
    ('4.2 DATA of 2^14 bytes is taken', answer(lambda b: open_post(b) + frame(DATA, END_STREAM, 1, bytes(16384)))),
    ('4.2 larger DATA is FRAME_SIZE_ERROR', connection_error(lambda b: open_post(b) + frame(DATA, 0, 1, bytes(16385)), FRAME_SIZE)),
    ('4.2 larger HEADERS are a connection error FRAME_SIZE_ERROR', connection_error(lambda b: frame(HEADERS, 5, 1, bytes(16385)), FRAME_SIZE)),
    ('4.2 larger SETTINGS are a connection error FRAME_SIZE_ERROR', connection_error(frame(SETTINGS, 0, 0, bytes(16386)), FRAME_SIZE)),
    ('4.2 a larger frame of unknown type is FRAME_SIZE_ERROR', connection_error(frame(99, 0, 0, bytes(16385)), FRAME_SIZE)),
    ('4.3 a block that does not decode is COMPRESSION_ERROR', connection_error(frame(HEADERS, 5, 1, b'\xff\xff\xff\xff\xff\xff'), COMPRESSION)),
    ('4.3 PRIORITY within a header block is a connection error', connection_error(lambda b: frame(HEADERS, 1, 1, b()[:5]) + frame(PRIORITY, 0, 1, bytes(5)), PROTOCOL)),
    ('4.3 HEADERS of another stream within a header block are a connection error', connection_error(lambda b: frame(HEADERS, 1, 1, b()) + b.request(3), PROTOCOL)),
    ('4.3 PING within a header block is a connection error', connection_error(lambda b: frame(HEADERS, 1, 1, b()) + frame(PING, 0, 0, bytes(8)), PROTOCOL)),
    ('4.3 an unknown frame within a header block is a connection error', connection_error(lambda b: frame(HEADERS, 1, 1, b()) + frame(99, 0, 1, b''), PROTOCOL)),
    ('4.3 the block of a refused stream is decoded', refused_keeps_table),
    ('4.3 the block of a stream that was reset is decoded', table_kept_on_stray),
    ('5.1 idle: DATA is a connection error', connection_error(frame(DATA, END_STREAM, 1, b'test'), PROTOCOL)),
    ('5.1 idle: RST_STREAM is a connection error', connection_error(rst(1), PROTOCOL)),
    ('5.1 idle: WINDOW_UPDATE is a connection error', connection_error(window(1, 100), PROTOCOL)),
    ('5.1 idle: CONTINUATION is a connection error', connection_error(lambda b: frame(CONTINUATION, END_HEADERS, 1, b()), PROTOCOL)),
    ('5.1 idle: PRIORITY is taken', ignored(frame(PRIORITY, 0, 1, b'\0\0\0\0\x10'))),
    ('5.1 half-closed (remote): DATA is STREAM_CLOSED', stream_error(lambda b: b.request(path='/hang') + frame(DATA, 1, 1, b'x'), STREAM_CLOSED, or_connection=True)),
    ('5.1 half-closed (remote): HEADERS are STREAM_CLOSED', stream_error(lambda b: b.request(path='/hang') + b.request(), STREAM_CLOSED, or_connection=True)),
    ('5.1 half-closed (remote): CONTINUATION is an error', connection_error(lambda b: b.request(path='/hang') + frame(CONTINUATION, 4, 1, b()), STREAM_CLOSED, PROTOCOL)),
    ('5.1 half-closed (remote): WINDOW_UPDATE, PRIORITY and RST_STREAM are taken',
     ignored(lambda b: b.request(path='/hang') + window(1, 10) + frame(PRIORITY, 0, 1, b'\0\0\0\0\x10') + rst(1))),
    ('5.1 closed: DATA after RST_STREAM is STREAM_CLOSED', stream_error(lambda b: open_post(b) + rst(1) + frame(DATA, 1, 1, b'x'), STREAM_CLOSED)),
    ('5.1 closed: HEADERS after RST_STREAM are STREAM_CLOSED', stream_error(lambda b: open_post(b) + rst(1) + b.request(), STREAM_CLOSED)),
    ('5.1 closed: CONTINUATION after RST_STREAM is an error', connection_error(lambda b: open_post(b) + rst(1) + frame(CONTINUATION, 4, 1, b()), STREAM_CLOSED, PROTOCOL)),
    ('5.1 closed: DATA after END_STREAM is a connection error', after_complete(lambda b: frame(DATA, 1, 1, b'x'), STREAM_CLOSED)),
    ('5.1 closed: HEADERS after END_STREAM are a connection error', after_complete(lambda b: b.request(), STREAM_CLOSED)),
    ('5.1 closed: CONTINUATION after END_STREAM is a connection error', after_complete(lambda b: frame(CONTINUATION, 4, 1, b()), STREAM_CLOSED, PROTOCOL)),
    ('5.1 closed: WINDOW_UPDATE is ignored', ignored_after_complete(window(1, 1))),
    ('5.1 closed: RST_STREAM is ignored', ignored_after_complete(rst(1))),
    ('5.1 closed: PRIORITY is ignored', ignored_after_complete(frame(PRIORITY, 0, 1, b'\0\0\0\0\x10'))),
    ('5.1 closed: frames on the way to a stream that we reset are ignored',
     ignored(lambda b: b.request(1, 'POST', extra=[('content-length', '1')], ends=False) + frame(DATA, 0, 1, b'long') + frame(DATA, 0, 1, b'more') + frame(DATA, 1, 1, b'end'))),
    ('5.1.1 an even stream number is a connection error', connection_error(lambda b: b.request(2), PROTOCOL)),
    ('5.1.1 a number below one that was used is a connection error', connection_error(lambda b: b.request(5, path='/hang') + b.request(3), PROTOCOL)),
    ('5.1.1 numbers may be skipped', answer(lambda b: b.request(77), stream=77)),
    ('5.1.1 DATA on a skipped number is STREAM_CLOSED', stream_error(lambda b: b.request(5, path='/hang') + frame(DATA, 0, 3, b'x'), STREAM_CLOSED, stream=3, or_connection=True)),
    ('5.1.2 a stream beyond the announced number is refused', too_many),
    ('5.1.2 a stream is taken once there is room', too_many_then_room),
    ('5.3.1 HEADERS that depend on their own stream are a stream error', stream_error(lambda b: frame(HEADERS, 0x25, 1, b'\0\0\0\x01\x10' + b()), PROTOCOL)),
    ('5.3.1 PRIORITY that depends on its own open stream is a stream error', stream_error(lambda b: open_post(b) + frame(PRIORITY, 0, 1, b'\0\0\0\x01\x10'), PROTOCOL)),
    ('5.4.1 GOAWAY names the last stream, and the connection is closed', closes_after_error),
    ('5.4.1 nothing is read after a connection error', nothing_after_error),
    ('5.5 unknown settings are ignored', ignored(settings((0xff, 1), (0x1234, 0xffffffff)))),
    ('5.5 an unknown frame on a stream is ignored', answer(lambda b: open_post(b) + frame(77, 0, 1, b'abc') + frame(DATA, 1, 1, b'x'))),
]
