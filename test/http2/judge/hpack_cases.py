# RFC 7541, as far as a server's answer tells.
from hyperframe.frame import HeadersFrame

from expect import answer, connection_error, ignored
from peer import COMPRESSION, CONTINUATION, HEADERS, frame


def block_error(data):
    return connection_error(lambda b: frame(HEADERS, 5, 1, data), COMPRESSION)


def after(data):
    return connection_error(lambda b: frame(HEADERS, 5, 1, b() + data), COMPRESSION)


def size_update_to(size, table=None):
    def build(block):
        block.encoder.header_table_size = size
        return block.request(extra=[('x-a', 'b' * 30)]) + block.request(3, extra=[('x-a', 'b' * 30)])
    return build


def table_turns_over(peer, block):
    """Far more goes through the table than it holds; each entry is used again while it is there."""
    peer.handshake()
    for i in range(60):
        fields = [('x-%d' % i, 'v' * (i * 7 % 90))]
        peer.send(block.request(1 + 4 * i, extra=fields) + block.request(3 + 4 * i, extra=fields))
        if peer.answered(1 + 4 * i) != '200' or peer.answered(3 + 4 * i) != '200':
            return 'no answer in round %d' % i
    return None


def no_table_for_the_server(peer, block):
    """4.2: the server's encoder keeps to a table of 0, and says so where it has to."""
    peer.decoder.max_allowed_table_size = 4096
    peer.handshake((1, 0))
    peer.decoder.max_allowed_table_size = 0
    peer.send(block.request())
    # hpack's decoder refuses a block that does not begin with the size update it has a right to.
    return None if peer.answered() == '200' else 'no answer'


CASES = [
    ('RFC 7541 2.3.3 an index beyond both tables', block_error(b'\xc6')),
    ('RFC 7541 2.3.3 a name index beyond both tables', block_error(b'\x7f\x0f\x01a')),
    ('RFC 7541 4.2 a size update at the end of a block', after(b'\x20')),
    ('RFC 7541 4.2 a size update between fields', after(b'\x3f\xe1\x1f\x82')),
    ('RFC 7541 4.2 one size update', answer(size_update_to(100), stream=3)),
    ('RFC 7541 4.2 two size updates', answer(lambda b: frame(HEADERS, 5, 1, b'\x20\x3f\xe1\x1f' + b()))),
    ('RFC 7541 4.2 the encoder keeps to a smaller table', no_table_for_the_server),
    ('RFC 7541 4.3 a table of 0 keeps nothing', connection_error(lambda b: frame(HEADERS, 5, 1, b'\x20' + b()) + frame(HEADERS, 5, 3, b'\xbe'), COMPRESSION)),
    ('RFC 7541 4.4 the table turns over', table_turns_over),
    ('RFC 7541 4.4 a field larger than the table empties it', connection_error(
        lambda b: b.request(path='/hang') + frame(HEADERS, 5, 3, b() + b'\x40\x01x\x7f\xa1\x3f' + b'a' * 8224) + frame(HEADERS, 5, 5, b'\xbe'), COMPRESSION)),
    ('RFC 7541 5.1 an integer without end', block_error(b'\xff' + b'\xff' * 20)),
    ('RFC 7541 5.1 an integer that is cut off', block_error(b'\xff\x80')),
    ('RFC 7541 5.2 a string longer than the block', after(b'\x00\x01x\x7f\xff\x01')),
    ('RFC 7541 5.2 a string whose length is missing', after(b'\x00\x01x')),
    ('RFC 7541 5.2 Huffman padding of more than 7 bits', after(b'\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff')),
    ('RFC 7541 5.2 Huffman padding of zeros', after(b'\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90')),
    ('RFC 7541 5.2 Huffman EOS', after(b'\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\x8f\xff\xff\xff\xc0')),
    ('RFC 7541 5.2 Huffman padding of ones is taken', answer(lambda b: frame(HEADERS, 5, 1, b() + b'\x00\x01x\x81\x1f'))),
    ('RFC 7541 6.1 index 0', block_error(b'\x80')),
    ('RFC 7541 6.2 a name with index of the static table', answer(lambda b: frame(HEADERS, 5, 1, b() + b'\x0f\x2b\x03abc'))),
    ('RFC 7541 6.2.3 a field that is never indexed', answer(lambda b: frame(HEADERS, 5, 1, b() + b'\x10\x01x\x03abc'))),
    ('RFC 7541 6.3 a size update above the limit', block_error(b'\x3f\xe2\x1f\x82')),
    ('RFC 7541 a block cut anywhere by CONTINUATION', answer(lambda b: (lambda data: frame(HEADERS, 1, 1, data[:2]) + frame(CONTINUATION, 0, 1, data[2:7]) + frame(CONTINUATION, 4, 1, data[7:]))(b(extra=[('x-long', 'z' * 100)])))),
]
