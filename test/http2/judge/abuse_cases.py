# What the RFC allows a peer and no server can bear without bound. Against servers with default bounds.
import struct

from hyperframe.frame import DataFrame, GoAwayFrame

from peer import (ACK, CALM, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL, GOAWAY, HEADERS, PADDED, PING, PRIORITY, PROTOCOL, SETTINGS, frame, rst, settings, window)


def calmed(build):
    """GOAWAY ENHANCE_YOUR_CALM and the end."""
    def run(peer, block):
        peer.handshake()
        peer.send(build(block))
        got = peer.connection_error()
        return None if got == CALM else 'got %s' % got
    return run


def borne(build, stream=9999):
    """Below the bounds: the connection goes on."""
    def run(peer, block):
        peer.handshake()
        peer.send(build(block))
        peer.send(block.request(stream))
        return None if peer.answered(stream) == '200' else 'no answer'
    return run


def answered_431(build):
    def run(peer, block):
        peer.handshake()
        peer.send(build(block))
        got = peer.answered()
        if got != '431':
            return 'got %s' % got
        # Without the table, where the flood has left things that our encoder knows nothing of.
        name = block.authority.encode()
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, bytes([0x82, 0x84, 0x87 if block.scheme == 'https' else 0x86, 1, len(name)]) + name))
        return None if peer.answered(3) == '200' else 'the connection did not outlive it'
    return run


def reset_streams(count):
    return lambda b: b''.join(b.request(1 + 2 * i, path='/hang') + rst(1 + 2 * i) for i in range(count))


def provoked(second, count=1100):
    """Each stream is opened well, and then makes the server reset it."""
    return lambda b: b''.join(b.request(1 + 2 * i, 'POST', ends=False) + second(1 + 2 * i) for i in range(count))


def unfinished(b, *fragments):
    return frame(HEADERS, END_STREAM, 1, b()) + b''.join(frame(CONTINUATION, 0, 1, data) for data in fragments)


def bomb(references):
    """One field of 3,000 bytes in the table, then as many references to it as fit: a kilobyte becomes megabytes."""
    def build(b):
        literal = b'\x40\x01x\x7f' + bytes([(3000 - 127) % 128 | 128, (3000 - 127) // 128]) + b'a' * 3000
        return frame(HEADERS, END_HEADERS | END_STREAM, 1, b() + literal + b'\xbe' * references)
    return build


def large_value(size):
    def build(b):
        data = b() + b'\x00\x01x\x7f' + integer(size - 127) + b'a' * size
        parts = [data[i:i + 16384] for i in range(0, len(data), 16384)]
        return frame(HEADERS, END_STREAM, 1, parts[0]) + b''.join(
            frame(CONTINUATION, END_HEADERS if part is parts[-1] else 0, 1, part) for part in parts[1:])
    return build


def integer(rest):
    data = b''
    while rest >= 128:
        data += bytes([rest % 128 | 128])
        rest //= 128
    return data + bytes([rest])


def table_churn(b):
    """Every field goes into the table and throws others out; size updates in between."""
    flood = b''
    for i in range(300):
        flood += frame(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * i, b'\x20\x3f\xe1\x1f' + b''.join(
            b'\x40\x04' + b'x%03d' % ((i + j) % 1000) + b'\x20' + b'v' * 32 for j in range(50)) + b'\x82\x84\x86\x41\x09a.example')
    return flood


def never_begins(peer, block):
    """Not even the preface."""
    return ended(peer)


def never_acknowledges(peer, block):
    peer.send(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + settings())
    return ended(peer)


def never_ends_its_head(peer, block):
    peer.handshake()
    peer.send(frame(HEADERS, END_STREAM, 1, block()))
    return ended(peer)


def never_opens_its_window(peer, block):
    peer.handshake((4, 0))
    peer.send(block.request())
    got = peer.stream_error()
    return None if got == CALM else 'got %s' % got


def never_opens_the_connection_window(peer, block):
    peer.handshake((4, 2 ** 31 - 1))
    peer.send(block.request(1, path='/large/1000000'))
    return None if ended(peer) is None and peer.frames[-1].error_code == CALM else 'got %r' % peer.frames[-1:]


def silent(peer, block):
    """Streams are open, and the peer does not even answer PINGs."""
    peer.handshake()
    peer.send(block.request(1, path='/hang'))
    return ended(peer)


def ended(peer):
    peer.until(lambda f: False)
    return None if any(isinstance(f, GoAwayFrame) for f in peer.frames) else 'no GOAWAY'


def never_reads(peer, block):
    """Asks for answers and reads none until all is asked: the server has ended it, or takes no more."""
    peer.handshake()
    peer.socket.settimeout(2)
    flood = frame(PING, 0, 0, b'12345678') * 4000
    for _ in range(250):
        try:
            peer.socket.sendall(flood)
        except OSError:
            return None
    peer.socket.settimeout(10)
    got = peer.connection_error()
    # What it wrote last may have been lost with the rest that was not read.
    return None if got == CALM or (got is None and peer.closed) else 'got %s' % got


def measures_the_delay(peer, block):
    """As gRPC in Go does: a PING for each DATA frame that comes. What the server of the codec's own tests sends for it is 1,500 frames."""
    peer.handshake((4, 2 ** 31 - 1))
    peer.send(window(0, 2 ** 30) + block.request(path='/large/24000000'))
    while True:
        got = peer.read_frame()
        if got is None or isinstance(got, GoAwayFrame):
            return 'ended by %r' % got
        if isinstance(got, DataFrame):
            if 'END_STREAM' in got.flags:
                return None if peer.alive() else 'the connection did not outlive it'
            peer.send(frame(PING, 0, 0, b'12345678'))


DEFAULT = [
    ('abuse: streams opened and reset at once', calmed(reset_streams(1100))),
    ('abuse: some streams opened and reset are borne', borne(reset_streams(500))),
    ('abuse: resets provoked by a wrong window', calmed(provoked(lambda s: window(s, 0)))),
    ('abuse: resets provoked by too large a window', calmed(provoked(lambda s: window(s, 2 ** 31 - 1)))),
    ('abuse: resets provoked by priority on itself', calmed(provoked(lambda s: frame(PRIORITY, 0, s, struct.pack('>IB', s, 1))))),
    ('abuse: resets provoked by malformed requests', calmed(lambda b: b''.join(b.request(1 + 2 * i, without=[':path']) for i in range(1100)))),
    ('abuse: resets provoked by too many streams', calmed(lambda b: b''.join(b.request(1 + 2 * i, 'POST', ends=False) for i in range(1300)))),
    ('abuse: resets provoked by DATA on closed streams', calmed(lambda b: b''.join(
        b.request(1 + 2 * i, 'POST', ends=False) + rst(1 + 2 * i) + frame(DATA, 0, 1 + 2 * i, b'x') for i in range(600)))),
    ('abuse: CONTINUATION frames without end, empty', calmed(lambda b: unfinished(b, *[b''] * 100))),
    ('abuse: CONTINUATION frames without end, small', calmed(lambda b: unfinished(b, *[b'\x82'] * 100))),
    ('abuse: CONTINUATION frames without end, large', calmed(lambda b: unfinished(b, *[bytes([0x82]) * 16384] * 16))),
    ('abuse: a few CONTINUATION frames are borne', borne(lambda b: unfinished(b, *[b''] * 8) + frame(CONTINUATION, END_HEADERS, 1))),
    ('abuse: SETTINGS', calmed(lambda b: settings() * 1100)),
    ('abuse: SETTINGS with many values', calmed(lambda b: settings(*[(4, i) for i in range(50)]) * 1100)),
    ('abuse: acknowledgements of no SETTINGS', calmed(lambda b: frame(SETTINGS, ACK) * 1100)),
    ('abuse: PING', calmed(lambda b: frame(PING, 0, 0, b'12345678') * 1100)),
    ('abuse: acknowledgements of no PING', calmed(lambda b: frame(PING, ACK, 0, b'12345678') * 1100)),
    ('abuse: PINGs of a client that downloads are borne', measures_the_delay),
    ('abuse: some PINGs are borne', borne(lambda b: frame(PING, 0, 0, b'12345678') * 500)),
    ('abuse: PRIORITY of idle streams', calmed(lambda b: b''.join(frame(PRIORITY, 0, 1 + 2 * i, b'\0\0\0\0\x10') for i in range(300)))),
    ('abuse: PRIORITY of one stream', calmed(lambda b: b.request(1, path='/hang') + frame(PRIORITY, 0, 1, b'\0\0\0\0\x10') * 300)),
    ('abuse: WINDOW_UPDATE of the connection', calmed(lambda b: window(0, 1) * 300)),
    ('abuse: WINDOW_UPDATE of a stream', calmed(lambda b: b.request(1, 'POST', ends=False) + window(1, 1) * 300)),
    ('abuse: empty DATA', calmed(lambda b: b.request(1, 'POST', ends=False) + frame(DATA, 0, 1) * 1100)),
    ('abuse: DATA of padding only', calmed(lambda b: b.request(1, 'POST', ends=False) + frame(DATA, PADDED, 1, b'\x02\0\0') * 1100)),
    ('abuse: frames of unknown type', calmed(lambda b: frame(99, 0, 0, b'') * 1100)),
    ('abuse: GOAWAY again and again', calmed(lambda b: b.request(1, 'POST', ends=False) + frame(GOAWAY, 0, 0, bytes(8)) * 1100)),
    ('abuse: RST_STREAM of closed streams', calmed(lambda b: b.request(1, path='/hang') + rst(1) * 1100)),
    ('abuse: HEADERS of streams that were reset', calmed(lambda b: b.request(1, 'POST', extra=[('content-length', '1')], ends=False) + frame(DATA, 0, 1, b'long')
                                                       + frame(HEADERS, END_HEADERS, 1, b'\x82') * 1100)),
    ('abuse: a header list that grows from references', answered_431(bomb(10_000))),
    ('abuse: a large value', answered_431(large_value(60_000))),
    ('abuse: many fields', answered_431(lambda b: frame(HEADERS, END_HEADERS | END_STREAM, 1, b() + b'\x00\x01x\x00' * 1000))),
    ('abuse: trailers that grow from references', lambda peer, block: trailers_bomb(peer, block)),
    ('abuse: a block larger than any list may be', calmed(large_value(200_000))),
    ('abuse: a table that turns over', borne(table_churn, 2001)),
    ('abuse: a peer that does not read', never_reads),
]

# Against a server with little patience.
IMPATIENT = [
    ('patience: for the preface', never_begins),
    ('patience: for the acknowledgement of SETTINGS', never_acknowledges),
    ('patience: for the end of a header block', never_ends_its_head),
    ('patience: for the window of a stream', never_opens_its_window),
    ('patience: for the window of the connection', never_opens_the_connection_window),
    ('patience: for any sign of life', silent),
]

# Against a server that bears any number of frames, but not to answer in vain; whoever asks for /paused is not read from.
UNREAD = [
    ('abuse: answers that are not read', never_reads),
    ('6.9.1 more than the window of a stream allows', lambda peer, block: fill(peer, block, 1, 17, lambda: peer.stream_error())),
    ('6.9.1 more than the window of the connection allows', lambda peer, block: fill(peer, block, 5, 16, lambda: peer.connection_error())),
]


def fill(peer, block, streams, frames, error):
    peer.handshake()
    for i in range(streams):
        peer.send(block.request(1 + 2 * i, 'POST', path='/paused', ends=False) + frame(DATA, 0, 1 + 2 * i, bytes(16384)) * frames)
    got = error()
    return None if got == FLOW_CONTROL else 'got %s' % got


def trailers_bomb(peer, block):
    peer.handshake()
    literal = b'\x40\x01x\x7f' + integer(3000 - 127) + b'a' * 3000
    peer.send(block.request(1, 'POST', ends=False) + frame(HEADERS, END_HEADERS | END_STREAM, 1, literal + b'\xbe' * 10_000))
    got = peer.stream_error()
    return None if got == CALM and peer.alive() else 'got %s' % got
