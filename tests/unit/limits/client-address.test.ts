import { expect, test } from 'bun:test'
import { readConfig } from '../../../src/config.ts'
import { type ClientAddress, createClientAddress } from '../../../src/limits/client-address.ts'

interface Scenario {
  readonly name: string
  readonly trusted?: string
  readonly peer: string
  readonly forwarded?: string
  readonly expected: string
}

const scenarios: Scenario[] = [
  {
    name: 'the peer, if no proxy is trusted',
    peer: '198.51.100.7',
    forwarded: '1.2.3.4',
    expected: '198.51.100.7',
  },
  {
    name: 'the peer, if it is not a trusted proxy',
    trusted: '10.0.0.0/8',
    peer: '198.51.100.7',
    forwarded: '1.2.3.4',
    expected: '198.51.100.7',
  },
  {
    name: 'the forwarded address, if the peer is a trusted proxy',
    trusted: '10.0.0.0/8',
    peer: '10.1.2.3',
    forwarded: '1.2.3.4',
    expected: '1.2.3.4',
  },
  {
    name: 'the last forwarded address, if the client added one before it',
    trusted: '10.0.0.1',
    peer: '10.0.0.1',
    forwarded: '9.9.9.9, 1.2.3.4',
    expected: '1.2.3.4',
  },
  {
    name: 'the last forwarded address before the chain of trusted proxies',
    trusted: '10.0.0.0/8,192.0.2.1',
    peer: '10.0.0.1',
    forwarded: '9.9.9.9, 1.2.3.4, 192.0.2.1, 10.9.9.9',
    expected: '1.2.3.4',
  },
  {
    name: 'the first forwarded address, if all are trusted proxies',
    trusted: '10.0.0.0/8',
    peer: '10.0.0.1',
    forwarded: '10.0.0.3, 10.0.0.2',
    expected: '10.0.0.3',
  },
  {
    name: 'the proxy, if it forwards no address',
    trusted: '10.0.0.1',
    peer: '10.0.0.1',
    expected: '10.0.0.1',
  },
  {
    name: 'the proxy, if it forwards an invalid address',
    trusted: '10.0.0.1',
    peer: '10.0.0.1',
    forwarded: 'nonsense',
    expected: '10.0.0.1',
  },
  {
    name: 'an address after the last invalid one',
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
  { name: 'the 64-bit network of an IPv6 address', peer: '2001:db8:1:2:3:4:5:6', expected: '2001:db8:1:2' },
  { name: 'the network of a compressed IPv6 address', peer: '2001:db8::1', expected: '2001:db8:0:0' },
  {
    name: 'the network of an IPv6 address that is compressed within the network',
    peer: '2001::2:0:0:0:1',
    expected: '2001:0:0:2',
  },
  {
    name: 'the network of an IPv6 address in upper case and with leading zeros',
    peer: '2001:0DB8:0001:0002::1',
    expected: '2001:db8:1:2',
  },
  { name: 'the network of an IPv6 address with a zone', peer: 'fe80::1%eth0', expected: 'fe80:0:0:0' },
  {
    name: 'the IPv4 address of an IPv4-mapped IPv6 address',
    peer: '::ffff:198.51.100.7',
    expected: '198.51.100.7',
  },
  {
    name: 'the IPv4 address of an IPv4-mapped IPv6 address in upper case',
    peer: '::FFFF:198.51.100.7',
    expected: '198.51.100.7',
  },
  {
    name: 'the forwarded address, if both are IPv4-mapped IPv6 addresses',
    trusted: '10.0.0.1',
    peer: '::ffff:10.0.0.1',
    forwarded: '::ffff:1.2.3.4',
    expected: '1.2.3.4',
  },
  {
    name: 'the network of an IPv6 address that an IPv6 proxy forwards',
    trusted: '2001:db8::/32',
    peer: '2001:db8::1',
    forwarded: '2001:4860:1:2::9',
    expected: '2001:4860:1:2',
  },
]

function addressOf(clientAddress: ClientAddress, peer: string, forwarded?: string): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  const request = new Request('http://localhost/', { headers })
  return clientAddress(request, { requestIP: () => ({ address: peer }) })
}

for (const { name, trusted = '', peer, forwarded, expected } of scenarios) {
  test(`the counted address is ${name}`, () => {
    const { trustedProxies } = readConfig({ TRUSTED_PROXIES: trusted }, [])
    expect(addressOf(createClientAddress(trustedProxies), peer, forwarded)).toBe(expected)
  })
}

test('requests whose connection has no address any more share one counter', () => {
  const { trustedProxies } = readConfig({}, [])
  const clientAddress = createClientAddress(trustedProxies)
  const request = new Request('http://localhost/', { headers: { 'x-forwarded-for': '1.2.3.4' } })
  expect(clientAddress(request, null)).toBe(clientAddress(request, { requestIP: () => null }))
})

test('an address that was counted before is counted as before, whatever came in between', () => {
  const { trustedProxies } = readConfig({ TRUSTED_PROXIES: '10.0.0.0/8' }, [])
  const clientAddress = createClientAddress(trustedProxies)
  const count = (peer: string, forwarded: string) => addressOf(clientAddress, peer, forwarded)
  const unreadable = `unknown, ${'_hidden,'.repeat(100)}`
  const requests: [peer: string, forwarded: string, expected: string][] = [
    ['10.0.0.1', '1.1.1.1', '1.1.1.1'],
    ['9.9.9.9', '1.1.1.1', '9.9.9.9'],
    ['1.1.1.1', '10.0.0.1', '1.1.1.1'],
    ['10.0.0.1', 'unknown', '10.0.0.1'],
    ['10.0.0.2', 'unknown', '10.0.0.2'],
    ['10.0.0.1', unreadable, '10.0.0.1'],
    ['10.0.0.2', unreadable, '10.0.0.2'],
    ['10.0.0.2', '2001:db8::1', '2001:db8:0:0'],
    ['2001:db8::1', '2.2.2.2', '2001:db8:0:0'],
  ]
  const countAll = () => requests.map(([peer, forwarded]) => count(peer, forwarded))
  const expected = requests.map(([, , each]) => each)

  expect(countAll()).toEqual(expected)
  expect(countAll()).toEqual(expected)
  // More clients than are remembered.
  for (let client = 0; client < 10_000; client++) {
    const address = `1.2.${client >> 8}.${client & 255}`
    expect(count('10.0.0.1', address)).toBe(address)
    expect(count(address, '3.3.3.3')).toBe(address)
  }
  expect(countAll()).toEqual(expected)
})
