import { describe, expect, it } from 'vitest'
import { curlLines, hostsFileLines } from '../../src/cli/host-lines.ts'

const listening = { address: '127.0.0.1', httpPort: 8080, httpsPort: 8443 }
const host = (name: string, tls = false, path = '/') => ({ name, tls, path })

describe('hostsFileLines', () => {
  it('puts the names behind the address and leaves wildcards out', () => {
    expect(hostsFileLines('127.0.0.1', [host('a.example.com'), host('*.b.example.com'), host('c.example.com'), host('*')])).toEqual(['127.0.0.1 a.example.com c.example.com'])
  })

  it('breaks long lists', () => {
    const lines = hostsFileLines('127.0.0.1', Array.from({ length: 20 }, (_, i) => host(`h${i}.example.com`)))
    expect(lines.map((line) => line.split(' ').length - 1)).toEqual([8, 8, 4])
  })
})

describe('curlLines', () => {
  it('resolves a name to the listener', () => {
    expect(curlLines(listening, [host('a.example.com', false, '/api')])).toEqual(['curl --resolve a.example.com:8080:127.0.0.1 http://a.example.com:8080/api'])
  })

  it('goes to the TLS listener for a host with TLS', () => {
    expect(curlLines(listening, [host('a.example.com', true)])).toEqual(['curl -k --resolve a.example.com:8443:127.0.0.1 https://a.example.com:8443/'])
  })

  it('leaves the usual ports out of the URL', () => {
    expect(curlLines({ ...listening, httpPort: 80 }, [host('a.example.com')])).toEqual(['curl --resolve a.example.com:80:127.0.0.1 http://a.example.com/'])
  })

  it('makes up a label for a wildcard', () => {
    expect(curlLines(listening, [host('*.example.com')])).toEqual(['curl --resolve any.example.com:8080:127.0.0.1 http://any.example.com:8080/'])
  })

  it('puts an IPv6 address in brackets', () => {
    expect(curlLines({ ...listening, address: '::1' }, [host('a.example.com')])).toEqual(['curl --resolve a.example.com:8080:[::1] http://a.example.com:8080/'])
  })
})
