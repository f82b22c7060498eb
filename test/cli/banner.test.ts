// What the sandbox prints is to be typed as it stands.
import { expect, it } from 'vitest'
import { sandboxBanner, type BannerFacts } from '../../src/cli/banner.ts'

const FACTS: BannerFacts = { command: 'node bin/narthex.js', apiUrl: 'http://127.0.0.1:1', dnsPort: 2, kubeconfig: '/k', address: '127.0.0.1', ports: { http: 3, https: 4, admin: 5 }, hosts: [], applied: [] }

it('commands begin with what starts Narthex here, and name ports that are not the default', () => {
  const text = sandboxBanner(FACTS)
  expect(text).toContain('  node bin/narthex.js sandbox services --api http://127.0.0.1:1\n'.trimStart())
  expect(text).toContain('then: node bin/narthex.js routes --admin http://127.0.0.1:5\n')
})

it('hosts are shown with a curl line and a line for /etc/hosts', () => {
  const text = sandboxBanner({ ...FACTS, hosts: [{ name: 'a.example.com', tls: false, path: '/' }] })
  expect(text).toContain('  curl --resolve a.example.com:3:127.0.0.1 http://a.example.com:3/\n')
  expect(text).toContain('  127.0.0.1 a.example.com\n')
})
