import { describe, expect, it } from 'vitest'
import { OPTION_LIST, environmentName } from '../../src/config/options.ts'
import { UsageError, parseConfig } from '../../src/config/parse.ts'
import { proxySettings } from '../../src/config/settings.ts'

const parse = (args: string[], env: Record<string, string> = {}, command: 'run' | 'sandbox' = 'run') => parseConfig(command, args, env).config
const refusal = (args: string[], env: Record<string, string> = {}, command: 'run' | 'sandbox' = 'run'): string => {
  try {
    parse(args, env, command)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return 'accepted'
}

describe('parseConfig', () => {
  it('has the documented defaults', () => {
    const config = parse([])
    expect([config.httpPort, config.httpsPort, config.adminPort, config.ingressClass]).toEqual([80, 443, 10254, 'narthex'])
  })

  it('gives the sandbox its own defaults', () => {
    const config = parse([], {}, 'sandbox')
    expect([config.httpPort, config.httpsPort, config.apiPort, config.address]).toEqual([8080, 8443, 6443, '127.0.0.1'])
  })

  it('reads --flag value and --flag=value', () => {
    expect(parse(['--http-port', '81', '--https-port=444'])).toMatchObject({ httpPort: 81, httpsPort: 444 })
  })

  it('lets a flag win over the environment, and the environment over the default', () => {
    expect(parse([], { NARTHEX_HTTP_PORT: '82' }).httpPort).toBe(82)
    expect(parse(['--http-port=81'], { NARTHEX_HTTP_PORT: '82' }).httpPort).toBe(81)
  })

  it('takes a bare switch for true', () => {
    expect(parse(['--watch-ingress-without-class']).watchIngressWithoutClass).toBe(true)
    expect(parse(['--watch-ingress-without-class=false']).watchIngressWithoutClass).toBe(false)
  })

  it('collects repeatable options', () => {
    expect(parse(['--apply', 'a', '--apply=b'], {}, 'sandbox').apply).toEqual(['a', 'b'])
  })

  it('reads durations and sizes with their units', () => {
    expect(parse(['--read-timeout=500ms', '--connect-timeout=5', '--max-body=2m'])).toMatchObject({ readTimeout: 500, connectTimeout: 5000, maxBody: 2 * 1024 * 1024 })
  })

  it('answers a frozen value', () => {
    expect(Object.isFrozen(parse([]))).toBe(true)
  })

  it.each([
    [['--htpp-port', '80'], 'narthex run: unknown option --htpp-port (did you mean --http-port?); see narthex run --help'],
    [['--nonsense'], 'narthex run: unknown option --nonsense; see narthex run --help'],
    [['--http-port'], 'narthex run: --http-port wants a value: --http-port PORT'],
    [['--http-port', '70000'], 'narthex run: --http-port wants a port from 0 to 65535 (0: any free port), got "70000"'],
    [['--http-port', '0x50'], 'narthex run: --http-port wants a port from 0 to 65535 (0: any free port), got "0x50"'],
    [['--read-timeout', 'soon'], 'narthex run: --read-timeout wants a duration such as 500ms, 60s or 5m, got "soon"'],
    [['--max-body', '-1'], 'narthex run: --max-body wants a size such as 512, 8k or 1m, got "-1"'],
    [['--threads', '0'], 'narthex run: --threads wants a whole number of at least 1, got "0"'],
    [['--publish-service', 'web'], 'narthex run: --publish-service wants namespace/name, got "web"'],
    [['--watch-ingress-without-class=yes'], 'narthex run: --watch-ingress-without-class wants true or false, got "yes"'],
    [['--address', 'localhost'], 'narthex run: --address wants an IP address to listen on, such as 127.0.0.1 or ::, got "localhost"'],
    [['--server-header', 'a\r\nb'], 'narthex run: --server-header wants visible ASCII characters only'],
    [['ingress.yaml'], 'narthex run: unexpected argument "ingress.yaml"; see narthex run --help'],
    [['--api-port', '1'], 'narthex run: unknown option --api-port; see narthex run --help'],
  ])('refuses %j in one clear line', (args, message) => {
    expect(refusal(args)).toBe(message)
  })

  it('names the variable when the environment is wrong', () => {
    expect(refusal([], { NARTHEX_THREADS: 'many' })).toBe('narthex run: NARTHEX_THREADS wants a whole number of at least 1, got "many"')
  })
})

describe('option table', () => {
  it('names every flag once', () => {
    const flags = OPTION_LIST.map(([, option]) => option.flag)
    expect(new Set(flags).size).toBe(flags.length)
  })

  it('derives the environment variable from the flag', () => {
    expect(environmentName('watch-ingress-without-class')).toBe('NARTHEX_WATCH_INGRESS_WITHOUT_CLASS')
  })
})

describe('proxySettings', () => {
  it('redirects to the port that listens when no public port is given', () => {
    expect(proxySettings(parse([], {}, 'sandbox'), 8443).publicHttpsPort).toBe(8443)
    expect(proxySettings(parse([]), 8443).publicHttpsPort).toBe(443)
  })

  it('tells backends the ports that clients come to, whatever is listened on', () => {
    expect(proxySettings(parse(['--http-port=8080']), 8443)).toMatchObject({ publicHttpPort: 80, publicHttpsPort: 443 })
    expect(proxySettings(parse(['--public-http-port=30080', '--public-https-port=30443']), 8443)).toMatchObject({ publicHttpPort: 30_080, publicHttpsPort: 30_443 })
    expect(proxySettings(parse([], {}, 'sandbox'), 8443).publicHttpPort).toBe(0)
  })
})

describe('client address', () => {
  it('is what trusted proxies say only where proxies are trusted', () => {
    const client = (args: string[]) => proxySettings(parse(args), 443).client
    expect(client([])).toEqual({ trustedProxies: [], forwardedForField: 'x-forwarded-for', fullForwardedFor: false, proxyProtocol: undefined })
    expect(client(['--proxy-real-ip-cidr=10.0.0.0/8']).trustedProxies).toEqual([])
    expect(client(['--use-forwarded-headers', '--proxy-real-ip-cidr=10.0.0.0/8, ::1', '--proxy-real-ip-cidr=192.0.2.1', '--forwarded-for-header=CF-Connecting-IP', '--compute-full-forwarded-for'])).toEqual({
      trustedProxies: ['10.0.0.0/8', '::1', '192.0.2.1'],
      forwardedForField: 'cf-connecting-ip',
      fullForwardedFor: true,
      proxyProtocol: undefined,
    })
  })

  it('is what senders of PROXY protocol headers say, who are the trusted proxies unless others are named', () => {
    const sendersOf = (...args: string[]) => proxySettings(parse(['--use-proxy-protocol', ...args]), 443).client.proxyProtocol?.senders
    expect(sendersOf('--proxy-real-ip-cidr=10.0.0.0/8')).toEqual(['10.0.0.0/8'])
    expect(sendersOf('--proxy-real-ip-cidr=10.0.0.0/8', '--proxy-protocol-cidr=192.0.2.0/24')).toEqual(['192.0.2.0/24'])
    expect(refusal(['--use-proxy-protocol'])).toContain('takes connections from nobody')
  })

  it('refuses what would trust nobody, no prefix and no chain of addresses', () => {
    expect(refusal(['--use-forwarded-headers'])).toContain('--use-forwarded-headers believes nobody without --proxy-real-ip-cidr')
    expect(refusal(['--proxy-real-ip-cidr=10.0.0.0/33'])).toContain('got "10.0.0.0/33"')
    expect(refusal(['--proxy-real-ip-cidr='])).toContain('wants addresses or prefixes')
    for (const name of ['Forwarded', 'X-Forwarded-Host', 'a b', '']) expect(refusal([`--forwarded-for-header=${name}`])).toContain('wants the name of a field')
  })
})
