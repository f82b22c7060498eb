# hpack as judge. Reads JSON lines and answers each with one: {"decode": [hex, …]} decodes blocks with one decoder to lists of fields;
# {"encode": [[[name, value], …], …], "sizes": […]} encodes lists with one encoder, whose table is resized as said before each, to blocks.
import json
import sys

import hpack

for line in sys.stdin:
    task = json.loads(line)
    if 'decode' in task:
        decoder = hpack.Decoder(max_header_list_size=2 ** 24)
        try:
            lists = [[[n.decode('latin1'), v.decode('latin1')] for n, v in decoder.decode(bytes.fromhex(block), raw=True)] for block in task['decode']]
            answer = {'lists': lists}
        except hpack.HPACKError as error:
            answer = {'error': repr(error)}
    else:
        encoder = hpack.Encoder()
        blocks = []
        for fields, size, huffman in zip(task['encode'], task['sizes'], task['huffman']):
            if size is not None:
                encoder.header_table_size = size
            # The encoder remembers which fields must never be indexed by a third member.
            headers = [(n.encode('latin1'), v.encode('latin1'), i % 7 == 6) for i, (n, v) in enumerate(fields)]
            blocks.append(encoder.encode(headers, huffman=huffman).hex())
        answer = {'blocks': blocks}
    print(json.dumps(answer), flush=True)
