# RFC 9113 section 8 and RFC 8441: messages.
from expect import answer, connection_error, ignored, stream_error
from peer import DATA, END_HEADERS, END_STREAM, HEADERS, PROTOCOL, frame

open_post = lambda block, extra=(): block.request(1, 'POST', extra=extra, ends=False)


def malformed(fields):
    """`fields` of a block's scheme and authority."""
    return stream_error(lambda b: b.raw(fields(b)), PROTOCOL)


def with_field(name, value):
    """As raw literals: hpack would put names in lower case."""
    def build(block):
        return frame(HEADERS, 5, 1, block() + literal(name) + literal(value, first=b''))
    return build


def literal(text, first=b'\0'):
    data = text.encode('latin1')
    assert len(data) < 127
    return first + bytes([len(data)]) + data


def without(*names):
    return stream_error(lambda b: b.request(without=names), PROTOCOL)


def with_value(name, value):
    return stream_error(with_field(name, value), PROTOCOL)


def trailers(fields, ends=True):
    return lambda b: open_post(b) + frame(DATA, 0, 1, b'x') + frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), 1, b.encode(fields))


def body(length, *parts):
    def build(block):
        data = b''.join(frame(DATA, END_STREAM if i == len(parts) - 1 else 0, 1, part) for i, part in enumerate(parts))
        return open_post(block, [('content-length', length)]) + data
    return build


def concurrent(peer, block):
    peer.handshake()
    peer.send(b''.join(block.request(1 + 2 * i) for i in range(50)))
    for i in range(50):
        if peer.answered(1 + 2 * i) != '200':
            return 'no answer on stream %d' % (1 + 2 * i)
    return None


CASES = [
    ('8.1 a request without a body is answered', answer(lambda b: b.request())),
    ('8.1 a request with a body is answered', answer(lambda b: open_post(b) + frame(DATA, 1, 1, b'x'))),
    ('8.1 a request whose body is ended by an empty frame is answered', answer(lambda b: open_post(b) + frame(DATA, 0, 1, b'x') + frame(DATA, 1, 1))),
    ('8.1 HEAD is answered', answer(lambda b: b.request(method='HEAD'))),
    ('8.1 requests at once are all answered', concurrent),
    ('8.1 trailers are taken', answer(trailers([('x-sum', '1')]))),
    ('8.1 trailers that do not end the stream are malformed', stream_error(trailers([('x-sum', '1')], ends=False), PROTOCOL)),
    ('8.1 trailers with a pseudo field are malformed', stream_error(trailers([(':path', '/')]), PROTOCOL)),
    ('8.1 trailers with a name in upper case are malformed', stream_error(lambda b: open_post(b) + frame(HEADERS, 5, 1, literal('X-Sum') + literal('1', first=b'')), PROTOCOL)),
    ('8.1.1 content-length beyond the body is malformed', stream_error(body('2', b'x'), PROTOCOL)),
    ('8.1.1 content-length below the body is malformed', stream_error(body('1', b'test'), PROTOCOL)),
    ('8.1.1 content-length below the sum of several frames is malformed', stream_error(body('5', b'test', b'test'), PROTOCOL)),
    ('8.1.1 content-length without a body is malformed', stream_error(lambda b: b.request(method='POST', extra=[('content-length', '1')]), PROTOCOL)),
    ('8.1.1 content-length as the body is taken', answer(body('8', b'test', b'test'))),
    ('8.1.1 content-length 0 without a body is taken', answer(lambda b: b.request(method='POST', extra=[('content-length', '0')]))),
    ('8.1.1 content-length before trailers is held against the body', stream_error(lambda b: open_post(b, [('content-length', '9')]) + frame(DATA, 0, 1, b'x')
                                                                                 + frame(HEADERS, 5, 1, b.encode([('x', 'y')])), PROTOCOL)),
    ('8.1.1 content-length that is no number is malformed', with_value('content-length', '1a')),
    ('8.1.1 content-length with a sign is malformed', with_value('content-length', '+1')),
    ('8.1.1 content-length said twice is malformed', stream_error(lambda b: open_post(b, [('content-length', '1'), ('content-length', '1')]) + frame(DATA, 1, 1, b'x'), PROTOCOL)),
    ('8.1.1 a malformed request does not hurt the next', ignored(lambda b: b.request(without=[':path']))),
    ('8.2 a name in upper case is malformed', with_value('X-Test', 'ok')),
    ('8.2.1 a name with a space is malformed', with_value('x test', 'ok')),
    ('8.2.1 a name with a colon is malformed', with_value('x:test', 'ok')),
    ('8.2.1 a name with CR LF is malformed', with_value('x\r\ny', 'ok')),
    ('8.2.1 a name with a byte above 0x7e is malformed', with_value('x\xe9', 'ok')),
    ('8.2.1 an empty name is malformed', with_value('', 'ok')),
    ('8.2.1 a value with NUL is malformed', with_value('x', 'a\0b')),
    ('8.2.1 a value with CR is malformed', with_value('x', 'a\rb')),
    ('8.2.1 a value with LF is malformed', with_value('x', 'a\nHost: b')),
    ('8.2.1 a value that begins with a space is malformed', with_value('x', ' a')),
    ('8.2.1 a value that ends with a tab is malformed', with_value('x', 'a\t')),
    ('8.2.1 an empty value is taken', answer(with_field('x-empty', ''))),
    ('8.2.1 a value with bytes above 0x7e is taken', answer(with_field('x', 'caf\xe9'))),
    ('8.2.2 connection is malformed', with_value('connection', 'keep-alive')),
    ('8.2.2 keep-alive is malformed', with_value('keep-alive', 'timeout=5')),
    ('8.2.2 proxy-connection is malformed', with_value('proxy-connection', 'keep-alive')),
    ('8.2.2 transfer-encoding is malformed', with_value('transfer-encoding', 'chunked')),
    ('8.2.2 upgrade is malformed', with_value('upgrade', 'h2c')),
    ('8.2.2 te other than trailers is malformed', with_value('te', 'trailers, deflate')),
    ('8.2.2 te: trailers is taken', answer(with_field('te', 'trailers'))),
    ('8.2.3 several cookies are taken', answer(lambda b: b.request(extra=[('cookie', 'a=b'), ('cookie', 'c=d')]))),
    ('8.3 an unknown pseudo field is malformed', malformed(lambda b: [*b.fields(), (':test', 'ok')])),
    ('8.3 a pseudo field of responses is malformed', malformed(lambda b: [*b.fields(), (':status', '200')])),
    ('8.3 a pseudo field behind another field is malformed', malformed(lambda b: [*b.fields(without=[':path']), ('x-test', 'ok'), (':path', '/')])),
    ('8.3.1 two :method are malformed', malformed(lambda b: [*b.fields(), (':method', 'GET')])),
    ('8.3.1 two :scheme are malformed', malformed(lambda b: [*b.fields(), (':scheme', b.scheme)])),
    ('8.3.1 two :path are malformed', malformed(lambda b: [*b.fields(), (':path', '/')])),
    ('8.3.1 two :authority are malformed', malformed(lambda b: [*b.fields(), (':authority', b.authority)])),
    ('8.3.1 no :method is malformed', without(':method')),
    ('8.3.1 no :scheme is malformed', without(':scheme')),
    ('8.3.1 no :path is malformed', without(':path')),
    ('8.3.1 an empty :path is malformed', stream_error(lambda b: b.request(path=''), PROTOCOL)),
    ('8.3.1 host in place of :authority is taken', answer(lambda b: b.request(extra=[('host', b.authority)], without=[':authority']))),
    ('8.5 CONNECT with :path is malformed', malformed(lambda b: [(':method', 'CONNECT'), (':authority', 'a:1'), (':path', '/')])),
    ('8.5 CONNECT with :scheme is malformed', malformed(lambda b: [(':method', 'CONNECT'), (':authority', 'a:1'), (':scheme', 'http')])),
    ('8.5 CONNECT without :authority is malformed', malformed(lambda b: [(':method', 'CONNECT')])),
    ('RFC 8441 4 :protocol without CONNECT is malformed', malformed(lambda b: [*b.fields(), (':protocol', 'websocket')])),
    ('RFC 8441 4 extended CONNECT without :path is malformed', malformed(lambda b: [*b.fields(method='CONNECT', without=[':path']), (':protocol', 'websocket')])),
]
