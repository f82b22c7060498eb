# An HTTP/2 client by hyper-h2 that does what its standard input says, one JSON object a line, and tells what it sees likewise.
# Its own checks of what it sends are off: it is to send what no client should.
import json, os, select, socket, ssl, sys
import h2.config, h2.connection, h2.errors, h2.events, h2.exceptions

options = json.loads(sys.argv[1])
sock = socket.create_connection((options.get('host', '127.0.0.1'), options['port']))
if options.get('tls'):
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(['h2'])
    sock = context.wrap_socket(sock, server_hostname=options.get('serverName'))
if options.get('receiveBuffer'):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options['receiveBuffer'])

client = h2.connection.H2Connection(h2.config.H2Configuration(
    client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False, validate_inbound_headers=True))
client.initiate_connection()
held = set()
# Data that the windows do not allow yet.
waiting = []


def tell(**facts):
    sys.stdout.write(json.dumps(facts) + '\n')
    sys.stdout.flush()


def texts(fields):
    return [[name.decode('latin1'), value.decode('latin1')] for name, value in fields]


def flush():
    data = client.data_to_send()
    if data:
        sock.sendall(data)


# h2 takes a connection for closed at the first GOAWAY, though streams may go on (RFC 9113 section 6.8): frame by frame, so that it can be told.
incoming = b''


def received(data):
    global incoming
    incoming += data
    events = []
    while len(incoming) >= 9 and len(incoming) >= 9 + int.from_bytes(incoming[:3], 'big'):
        end = 9 + int.from_bytes(incoming[:3], 'big')
        frame, incoming = incoming[:end], incoming[end:]
        events += client.receive_data(frame)
        if client.state_machine.state == h2.connection.ConnectionState.CLOSED:
            client.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
    return events


def see(event):
    stream = getattr(event, 'stream_id', 0)
    if isinstance(event, h2.events.ResponseReceived):
        tell(event='response', stream=stream, fields=texts(event.headers))
    elif isinstance(event, h2.events.InformationalResponseReceived):
        tell(event='interim', stream=stream, fields=texts(event.headers))
    elif isinstance(event, h2.events.TrailersReceived):
        tell(event='trailers', stream=stream, fields=texts(event.headers))
    elif isinstance(event, h2.events.DataReceived):
        tell(event='data', stream=stream, data=event.data.decode('latin1'))
        if stream in held:
            # Nothing is read of this stream; the connection has room for the others.
            client.increment_flow_control_window(event.flow_controlled_length)
        elif event.flow_controlled_length:
            client.acknowledge_received_data(event.flow_controlled_length, stream)
    elif isinstance(event, h2.events.StreamEnded):
        tell(event='end', stream=stream)
    elif isinstance(event, h2.events.StreamReset):
        tell(event='reset', stream=stream, code=int(event.error_code))
    elif isinstance(event, h2.events.ConnectionTerminated):
        tell(event='goaway', stream=event.last_stream_id, code=int(event.error_code))
    elif isinstance(event, h2.events.RemoteSettingsChanged):
        tell(event='settings', stream=0, settings={int(code): change.new_value for code, change in event.changed_settings.items()})
    elif isinstance(event, h2.events.WindowUpdated):
        tell(event='window', stream=stream, size=event.delta)
    elif isinstance(event, h2.events.PingAckReceived):
        tell(event='pong', stream=0)


def do(order):
    op, stream = order['do'], order.get('stream', 0)
    if op == 'head':
        fields = [(name.encode('latin1'), value.encode('latin1')) for name, value in order['fields']]
        client.send_headers(stream, fields, end_stream=order.get('end', False))
    elif op == 'data' and client.local_flow_control_window(stream) < len(order['data']):
        waiting.append(order)
    elif op == 'data':
        client.send_data(stream, order['data'].encode('latin1'), end_stream=order.get('end', False))
    elif op == 'reset':
        client.reset_stream(stream, order['code'])
    elif op == 'ping':
        client.ping(b'12345678')
    elif op == 'hold':
        held.add(stream)
    elif op == 'grant':
        client.increment_flow_control_window(order['size'], stream or None)
    elif op == 'raw':
        flush()
        sock.sendall(bytes.fromhex(order['hex']))
    elif op == 'leave':
        client.close_connection()
    flush()


flush()
unread = b''
wanted = [0, sock]
while True:
    ready = [sock] if sock in wanted and options.get('tls') and sock.pending() else select.select(wanted, [], [])[0]
    if 0 in ready:
        more = os.read(0, 65536)
        if not more:
            break
        unread += more
        while b'\n' in unread:
            line, unread = unread.split(b'\n', 1)
            try:
                do(json.loads(line))
            except (h2.exceptions.H2Error, OSError) as error:
                tell(event='error', stream=0, message=repr(error))
    if sock in ready and sock in wanted:
        try:
            data = sock.recv(65536)
        except OSError as error:
            data = b''
        if not data:
            tell(event='closed', stream=0)
            sock.close()
            wanted = [0]
            continue
        try:
            events = received(data)
        except h2.exceptions.ProtocolError as error:
            tell(event='error', stream=0, message=repr(error))
            events = []
        for event in events:
            see(event)
        orders, waiting[:] = waiting[:], []
        try:
            for order in orders:
                do(order)
            flush()
        except (h2.exceptions.H2Error, OSError):
            pass
