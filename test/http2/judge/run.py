# Runs cases against a server: run.py SUITE PORT [AUTHORITY [tls|both] [only=TEXT]]. Prints a JSON list of {name, problem}; an empty problem
# is a pass. `both`: the port speaks HTTP/1.1, too.
import json
import sys
import traceback

import abuse_cases
import connection_cases
import frame_cases
import hpack_cases
import message_cases
from peer import Block, Peer

SUITES = {
    'conformance': [*connection_cases.CASES, *frame_cases.CASES, *message_cases.CASES, *hpack_cases.CASES],
    'abuse': abuse_cases.DEFAULT,
    'impatient': abuse_cases.IMPATIENT,
    'unread': abuse_cases.UNREAD,
}

suite, port, *rest = sys.argv[1:]
authority = rest[0] if rest else 'a.example'
tls = 'tls' in rest[1:]
without = 'an HTTP/1.1 request' if 'both' in rest[1:] else None
only = next((option[5:] for option in rest if option.startswith('only=')), '')


def judge(run):
    peer = None
    try:
        peer = Peer(('127.0.0.1', int(port), tls))
        problem = run(peer, Block('https' if tls else 'http', authority)) or ''
        return problem and '%s; last frames: %s' % (problem, peer.describe())
    except Exception:
        return traceback.format_exc(limit=-3) + (peer.describe() if peer else '')
    finally:
        if peer:
            peer.close()


json.dump([{'name': name, 'problem': judge(run)} for name, run in SUITES[suite] if only in name and not (without and without in name)], sys.stdout)
