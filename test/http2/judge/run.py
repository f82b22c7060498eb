# Runs cases against a server: run.py SUITE PORT [AUTHORITY] [tls]. Prints a JSON list of {name, problem}; an empty problem is a pass.
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
only = rest[1] if len(rest) > 1 and not tls else ''


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


json.dump([{'name': name, 'problem': judge(run)} for name, run in SUITES[suite] if only in name], sys.stdout)
