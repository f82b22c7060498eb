# RFC 9113 section 6: each frame type.
import struct

from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame

from expect import answer, connection_error, ignored, stream_error
from peer import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL, FRAME_SIZE, GOAWAY, HEADERS, PADDED, PING, PRIORITY, PROTOCOL, PUSH, RST, SETTINGS,
                  STREAM_CLOSED, WINDOW, frame, rst, settings, window)

open_post = lambda block: block.request(1, 'POST', ends=False)
MOST = 2 ** 31 - 1


def data_seen(peer, stream=1):
    return [len(f.data) for f in peer.frames if isinstance(f, DataFrame) and f.stream_id == stream]


def settings_acknowledged(peer, block):
    peer.handshake()
    peer.send(settings((3, 100)))
    return None if peer.until(lambda f: isinstance(f, SettingsFrame) and 'ACK' in f.flags) else 'no acknowledgement'


def ping_answered(peer, block):
    peer.handshake()
    peer.send(frame(PING, 0, 0, b'\0payload'))
    got = peer.until(lambda f: isinstance(f, PingFrame))
    return None if got and 'ACK' in got.flags and got.opaque_data == b'\0payload' else 'got %r' % got


def ping_ack_ignored(peer, block):
    peer.handshake()
    peer.send(frame(PING, ACK, 0, b'unasked!') + frame(PING, 0, 0, b'question'))
    got = peer.until(lambda f: isinstance(f, PingFrame))
    return None if got and got.opaque_data == b'question' else 'got %r' % got


def small_window(peer, block):
    peer.handshake((4, 1))
    peer.send(block.request())
    peer.until(lambda f: isinstance(f, DataFrame))
    if not peer.alive():
        return 'gone'
    if data_seen(peer) != [1]:
        return 'a window of 1 let through %s' % data_seen(peer)
    peer.send(window(1, 100_000))
    return None if peer.answered() == '200' or sum(data_seen(peer)) > 1 else 'the rest did not come'


def no_window(peer, block):
    peer.handshake((4, 0))
    peer.send(block.request())
    peer.until(lambda f: isinstance(f, HeadersFrame))
    if not peer.alive() or sum(data_seen(peer)):
        return 'a window of 0 let through %s' % data_seen(peer)
    peer.send(settings((4, 2)))
    peer.until(lambda f: isinstance(f, DataFrame))
    if not peer.alive() or data_seen(peer) != [2]:
        return 'a window of 2 let through %s' % data_seen(peer)
    return None


def negative_window(peer, block):
    """6.9.2: a window that a change of settings made negative is counted on from there."""
    peer.handshake((4, 3))
    peer.send(block.request())
    peer.until(lambda f: isinstance(f, DataFrame))
    peer.send(settings((4, 2)) + window(1, 1))
    if not peer.alive() or data_seen(peer) != [3]:
        return 'a window of 0 let through %s' % data_seen(peer)
    peer.send(window(1, 2))
    peer.until(lambda f: isinstance(f, DataFrame))
    return None if peer.alive() and data_seen(peer) == [3, 2] else 'a window of 2 let through %s' % data_seen(peer)


def connection_window(peer, block):
    peer.handshake((4, MOST))
    streams = range(1, 2401, 2)
    for stream in streams:
        peer.send(block.request(stream))
        if stream % 100 == 99 and not peer.alive():
            return 'gone'
    peer.alive()
    sent = sum(len(f.data) for f in peer.frames if isinstance(f, DataFrame))
    return None if sent <= 65535 else '%d bytes in a window of 65535' % sent


def goes_on_after_goaway(peer, block):
    """A GOAWAY of the peer stops neither streams that are open nor PINGs."""
    peer.handshake()
    peer.send(open_post(block) + frame(GOAWAY, 0, 0, struct.pack('>II', 0, 0)) + frame(PING, 0, 0, b'12345678') + frame(DATA, END_STREAM, 1, b'x'))
    if peer.answered() != '200':
        return 'no answer'
    return None if any(isinstance(f, PingFrame) for f in peer.frames) else 'no answer to PING'


def windows_given_back(peer, block):
    """All that is sent is given back, on the stream and on the connection: 3 MB go through. Padding counts (6.9.1)."""
    peer.handshake()
    room = {0: peer.room, 1: peer.settings.get(4, 65535)}
    peer.send(open_post(block))
    sent = 0
    def note(f):
        for stream in room:
            if type(f).__name__ == 'WindowUpdateFrame' and f.stream_id == stream:
                room[stream] += f.window_increment
        return type(f).__name__ in ('WindowUpdateFrame', 'GoAwayFrame', 'RstStreamFrame')
    while sent < 3_000_000:
        if min(room.values()) < 1000:
            if peer.until(note) is None:
                return 'closed after %d bytes' % sent
            if type(peer.frames[-1]).__name__ != 'WindowUpdateFrame':
                return 'refused after %d bytes' % sent
            continue
        peer.send(frame(DATA, PADDED, 1, bytes([255]) + bytes(744) + bytes(255)))
        sent += 1000
        for stream in room:
            room[stream] -= 1000
    peer.send(frame(DATA, END_STREAM, 1))
    return None if peer.answered() in ('200', '413') else 'no answer'


def overflow_later(peer, block):
    """6.9.2: a window that settings would push beyond 2^31-1."""
    peer.handshake()
    peer.send(block.request(path='/hang') + window(1, MOST - 65535) + settings((4, 65536)))
    got = peer.connection_error()
    return None if got == FLOW_CONTROL else 'got %s' % got


def after_strange_goaway(peer, block):
    peer.handshake()
    peer.send(open_post(block) + frame(GOAWAY, 0, 0, struct.pack('>II', 0, 0xff)) + frame(DATA, END_STREAM, 1, b'x'))
    return None if peer.answered() == '200' else 'no answer'


padded = lambda block, pad: frame(HEADERS, 5 | PADDED, 1, bytes([pad]) + block() + bytes(pad))

CASES = [
    ('6.1 DATA on stream 0 is a connection error', connection_error(frame(DATA, 0, 0, b'x'), PROTOCOL)),
    ('6.1 padding as long as the payload is a connection error', connection_error(lambda b: open_post(b) + frame(DATA, PADDED, 1, b'\x05test'), PROTOCOL)),
    ('6.1 padding without a length is a connection error', connection_error(lambda b: open_post(b) + frame(DATA, PADDED, 1, b''), PROTOCOL, FRAME_SIZE)),
    ('6.1 padding is taken off', answer(lambda b: open_post(b) + frame(DATA, PADDED | END_STREAM, 1, b'\x02test\0\0'))),
    ('6.1 DATA of nothing but padding is taken', answer(lambda b: open_post(b) + frame(DATA, PADDED, 1, b'\x04\0\0\0\0') + frame(DATA, END_STREAM, 1))),
    ('6.2 HEADERS on stream 0 are a connection error', connection_error(lambda b: frame(HEADERS, 5, 0, b()), PROTOCOL)),
    ('6.2 padding of HEADERS is taken off', answer(lambda b: padded(b, 200))),
    ('6.2 padding with priority is taken off', answer(lambda b: frame(HEADERS, 0x2d, 1, b'\x03' + b'\0\0\0\0\x10' + b() + bytes(3)))),
    ('6.2 too much padding of HEADERS is a connection error', connection_error(frame(HEADERS, 5 | PADDED, 1, b'\x08abcdefg'), PROTOCOL)),
    ('6.2 padding of HEADERS without a length is an error', connection_error(frame(HEADERS, 5 | PADDED, 1), PROTOCOL, FRAME_SIZE)),
    ('6.2 HEADERS too short for their priority are an error', connection_error(frame(HEADERS, 0x25, 1, b'\0\0\0'), PROTOCOL, FRAME_SIZE)),
    ('6.2 priority in HEADERS is taken', answer(lambda b: frame(HEADERS, 0x25, 1, b'\x80\0\0\x03\xff' + b()))),
    ('6.3 PRIORITY on stream 0 is a connection error', connection_error(frame(PRIORITY, 0, 0, bytes(5)), PROTOCOL)),
    ('6.3 PRIORITY of another size than 5 is a stream error', stream_error(lambda b: open_post(b) + frame(PRIORITY, 0, 1, bytes(4)), FRAME_SIZE)),
    ('6.3 PRIORITY of another size on an idle stream is FRAME_SIZE_ERROR', connection_error(frame(PRIORITY, 0, 1, bytes(6)), FRAME_SIZE)),
    ('6.4 RST_STREAM on stream 0 is a connection error', connection_error(rst(0), PROTOCOL)),
    ('6.4 RST_STREAM on an idle stream is a connection error', connection_error(rst(9), PROTOCOL)),
    ('6.4 RST_STREAM of another size than 4 is a connection error', connection_error(lambda b: open_post(b) + frame(RST, 0, 1, bytes(3)), FRAME_SIZE)),
    ('6.4 RST_STREAM with an unknown code is taken', ignored(lambda b: open_post(b) + rst(1, 0xdeadbeef))),
    ('6.5 SETTINGS are acknowledged', settings_acknowledged),
    ('6.5 an acknowledgement with a payload is a connection error', connection_error(frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE)),
    ('6.5 SETTINGS on a stream are a connection error', connection_error(frame(SETTINGS, 0, 1, bytes(6)), PROTOCOL)),
    ('6.5 SETTINGS of a size that is no multiple of 6 are a connection error', connection_error(frame(SETTINGS, 0, 0, bytes(7)), FRAME_SIZE)),
    ('6.5.2 ENABLE_PUSH of 2 is a connection error', connection_error(settings((2, 2)), PROTOCOL)),
    ('6.5.2 INITIAL_WINDOW_SIZE of 2^31 is a connection error', connection_error(settings((4, 2 ** 31)), FLOW_CONTROL)),
    ('6.5.2 MAX_FRAME_SIZE below 2^14 is a connection error', connection_error(settings((5, 16383)), PROTOCOL)),
    ('6.5.2 MAX_FRAME_SIZE above 2^24-1 is a connection error', connection_error(settings((5, 2 ** 24)), PROTOCOL)),
    ('6.5.2 MAX_CONCURRENT_STREAMS of 0 does not hinder requests', answer(lambda b: b.request(), settings=[(3, 0)])),
    ('6.5.3 of a value said twice the last one holds', answer(lambda b: b.request(), settings=[(4, 0), (4, 100_000)])),
    ('6.6 PUSH_PROMISE of a client is a connection error', connection_error(lambda b: open_post(b) + frame(PUSH, 4, 1, struct.pack('>I', 2) + b()), PROTOCOL)),
    ('6.7 PING is answered with its payload', ping_answered),
    ('6.7 PING with ACK is not answered', ping_ack_ignored),
    ('6.7 PING on a stream is a connection error', connection_error(frame(PING, 0, 1, bytes(8)), PROTOCOL)),
    ('6.7 PING of another size than 8 is a connection error', connection_error(frame(PING, 0, 0, bytes(6)), FRAME_SIZE)),
    ('6.8 GOAWAY on a stream is a connection error', connection_error(frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL)),
    ('6.8 GOAWAY shorter than 8 is a connection error', connection_error(frame(GOAWAY, 0, 0, bytes(7)), FRAME_SIZE)),
    ('6.8 open streams end well after GOAWAY', goes_on_after_goaway),
    ('6.9 WINDOW_UPDATE of 0 on the connection is a connection error', connection_error(window(0, 0), PROTOCOL)),
    ('6.9 WINDOW_UPDATE of 0 on a stream is a stream error', stream_error(lambda b: open_post(b) + window(1, 0), PROTOCOL)),
    ('6.9 WINDOW_UPDATE of another size than 4 is a connection error', connection_error(frame(WINDOW, 0, 0, bytes(3)), FRAME_SIZE)),
    ('6.9 the reserved bit of an increment is ignored', ignored(window(0, 0x80000001))),
    ('6.9.1 no more is sent than the stream window allows', small_window),
    ('6.9.1 no more is sent than the connection window allows', connection_window),
    ('6.9.1 a connection window above 2^31-1 is a connection error', connection_error(window(0, MOST) + window(0, 1), FLOW_CONTROL)),
    ('6.9.1 a stream window above 2^31-1 is a stream error', stream_error(lambda b: open_post(b) + window(1, MOST) + window(1, 1), FLOW_CONTROL)),
    ('6.9.1 what was consumed is given back, padding too', windows_given_back),
    ('6.9.2 a change of the initial window changes open streams', no_window),
    ('6.9.2 a window may become negative', negative_window),
    ('6.9.2 a change that makes a window too large is a connection error', overflow_later),
    ('6.10 CONTINUATION frames are put together', answer(lambda b: (lambda block: frame(HEADERS, 1, 1, block[:1]) + frame(CONTINUATION, 0, 1, block[1:3])
                                                                + frame(CONTINUATION, 0, 1, block[3:9]) + frame(CONTINUATION, 4, 1, block[9:]))(b()))),
    ('6.10 CONTINUATION of another stream is a connection error', connection_error(lambda b: frame(HEADERS, 1, 1, b()) + frame(CONTINUATION, 4, 3, b()), PROTOCOL)),
    ('6.10 CONTINUATION on stream 0 is a connection error', connection_error(lambda b: frame(HEADERS, 1, 1, b()) + frame(CONTINUATION, 4, 0, b()), PROTOCOL)),
    ('6.10 CONTINUATION after END_HEADERS is a connection error', connection_error(lambda b: open_post(b) + frame(CONTINUATION, 4, 1, b()), PROTOCOL)),
    ('6.10 CONTINUATION after CONTINUATION with END_HEADERS is a connection error',
     connection_error(lambda b: frame(HEADERS, 0, 1, b()) + frame(CONTINUATION, 4, 1) + frame(CONTINUATION, 4, 1, b()), PROTOCOL)),
    ('6.10 CONTINUATION after DATA is a connection error', connection_error(lambda b: open_post(b) + frame(DATA, 0, 1, b'x') + frame(CONTINUATION, 4, 1, b()), PROTOCOL)),
    ('7 an unknown error code in GOAWAY has no other meaning', after_strange_goaway),
]
