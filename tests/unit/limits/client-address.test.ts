import { describe, expect, test } from 'bun:test'
import { readConfig } from '../../../src/config.ts'
import { createClientAddress } from '../../../src/limits/client-address.ts'

interface Scenario {
  readonly name: string
  readonly trusted?: string
  readonly peer: string
  readonly forwarded?: string
  readonly expected: string
}

const scenarios: Scenario[] = [
  {
    name: 'the peer, where no proxy is trusted',
    peer: '198.51.100.7',
    forwarded: '1.2.3.4',
    expected: '198.51.100.7',
  },
  {
    name: 'the peer, where it is not the proxy',
    trusted: '10.0.0.0/8',
    peer: '198.51.100.7',
    forwarded: '1.2.3.4',
    expected: '198.51.100.7',
  },
  {
    name: 'what the proxy says',
    trusted: '10.0.0.0/8',
    peer: '10.1.2.3',
    forwarded: '1.2.3.4',
    expected: '1.2.3.4',
  },
  {
    name: 'the last, where a client has put one before it',
    trusted: '10.0.0.1',
    peer: '10.0.0.1',
    forwarded: '9.9.9.9, 1.2.3.4',
    expected: '1.2.3.4',
  },
  {
    name: 'the last before the chain of trusted proxies',
    trusted: '10.0.0.0/8,192.0.2.1',
    peer: '10.0.0.1',
    forwarded: '9.9.9.9, 1.2.3.4, 192.0.2.1, 10.9.9.9',
    expected: '1.2.3.4',
  },
  {
    name: 'the farthest proxy, where all are trusted',
    trusted: '10.0.0.0/8',
    peer: '10.0.0.1',
    forwarded: '10.0.0.3, 10.0.0.2',
    expected: '10.0.0.3',
  },
  { name: 'the proxy, where it says nothing', trusted: '10.0.0.1', peer: '10.0.0.1', expected: '10.0.0.1' },
  {
    name: 'the proxy, where it says nonsense',
    trusted: '10.0.0.1',
    peer: '10.0.0.1',
    forwarded: 'nonsense',
    expected: '10.0.0.1',
  },
  {
    name: 'nothing before nonsense',
    trusted: '10.0.0.0/8',
    peer: '10.0.0.1',
    forwarded: '1.2.3.4, unknown, 10.0.0.2',
    expected: '10.0.0.2',
  },
  {
    name: 'an address with a port',
    trusted: '10.0.0.1',
    peer: '10.0.0.1',
    forwarded: '1.2.3.4:80',
    expected: '1.2.3.4',
  },
  { name: 'IPv6 by its network', peer: '2001:db8:1:2:3:4:5:6', expected: '2001:db8:1:2' },
  { name: 'IPv6 with zeros left out', peer: '2001:db8::1', expected: '2001:db8:0:0' },
  {
    name: 'IPv6 with zeros left out in the middle of the network',
    peer: '2001::2:0:0:0:1',
    expected: '2001:0:0:2',
  },
  {
    name: 'IPv6 in upper case and with leading zeros',
    peer: '2001:0DB8:0001:0002::1',
    expected: '2001:db8:1:2',
  },
  { name: 'IPv6 with a zone', peer: 'fe80::1%eth0', expected: 'fe80:0:0:0' },
  { name: 'IPv4 within IPv6 as IPv4', peer: '::ffff:198.51.100.7', expected: '198.51.100.7' },
  { name: 'IPv4 within IPv6, in capitals', peer: '::FFFF:198.51.100.7', expected: '198.51.100.7' },
  {
    name: 'a proxy that is IPv4 within IPv6',
    trusted: '10.0.0.1',
    peer: '::ffff:10.0.0.1',
    forwarded: '::ffff:1.2.3.4',
    expected: '1.2.3.4',
  },
  {
    name: 'IPv6 from a proxy that is IPv6',
    trusted: '2001:db8::/32',
    peer: '2001:db8::1',
    forwarded: '2001:4860:1:2::9',
    expected: '2001:4860:1:2',
  },
]

for (const { name, trusted = '', peer, forwarded, expected } of scenarios) {
  test(`the address that counts is ${name}`, () => {
    const { trustedProxies } = readConfig({ TRUSTED_PROXIES: trusted }, [])
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    const request = new Request('http://localhost/', { headers })
    expect(createClientAddress(trustedProxies)(request, { requestIP: () => ({ address: peer }) })).toBe(
      expected,
    )
  })
}

describe('what has no address', () => {
  test('shares one count', () => {
    const { trustedProxies } = readConfig({}, [])
    const clientAddress = createClientAddress(trustedProxies)
    const request = new Request('http://localhost/', { headers: { 'x-forwarded-for': '1.2.3.4' } })
    expect(clientAddress(request, null)).toBe(clientAddress(request, { requestIP: () => null }))
  })
})
