# What a case may expect: each answers a function of (peer, block) that sends and judges, and answers a problem or None.


def _payload(what, block):
    return what(block) if callable(what) else what


def connection_error(what, *codes, settings=()):
    def run(peer, block):
        peer.handshake(*settings)
        peer.send(_payload(what, block))
        got = peer.connection_error()
        return None if got in codes else 'wanted GOAWAY %s, got %s' % (codes, got)
    return run


def stream_error(what, *codes, stream=1, or_connection=False, settings=()):
    """`or_connection`: the RFC lets it be one, and what the server has answered meanwhile decides."""
    def run(peer, block):
        peer.handshake(*settings)
        peer.send(_payload(what, block))
        got = peer.stream_error(stream)
        if or_connection and got in ['connection: %d' % code for code in codes]:
            return None
        if got not in codes:
            return 'wanted RST_STREAM %s, got %s' % (codes, got)
        return None if peer.alive() else 'the connection did not outlive it'
    return run


def answer(what, status='200', stream=1, settings=()):
    def run(peer, block):
        peer.handshake(*settings)
        peer.send(_payload(what, block))
        got = peer.answered(stream)
        if got != status:
            return 'wanted an answer %s, got %s' % (status, got)
        return None if peer.alive() else 'the connection did not outlive it'
    return run


def ignored(what, settings=()):
    """Nothing comes of it."""
    def run(peer, block):
        peer.handshake(*settings)
        peer.send(_payload(what, block))
        if not peer.alive():
            return 'the connection did not outlive it'
        peer.send(block.request(101))
        return None if peer.answered(101) == '200' else 'no answer afterwards'
    return run
