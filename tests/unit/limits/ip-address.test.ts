import { describe, expect, test } from 'bun:test'
import { isIP } from 'node:net'
import fc from 'fast-check'
import { ConfigError, readConfig } from '../../../src/config.ts'
import { createClientAddress } from '../../../src/limits/client-address.ts'
import { ipVersion, parseIpAddress, parseNode } from '../../../src/limits/ip-address.ts'

const v4 = (text: string) => ({ family: 'ipv4' as const, text })
const v6 = (text: string) => ({ family: 'ipv6' as const, text })

describe('an address is understood in every notation', () => {
  const notations: [string, ReturnType<typeof parseIpAddress>][] = [
    ['2.2.2.2', v4('2.2.2.2')],
    ['::ffff:2.2.2.2', v4('2.2.2.2')],
    ['::FFFF:2.2.2.2', v4('2.2.2.2')],
    ['::ffff:0202:0202', v4('2.2.2.2')],
    ['::ffff:202:202', v4('2.2.2.2')],
    ['0:0:0:0:0:ffff:202:202', v4('2.2.2.2')],
    ['0000:0000:0000:0000:0000:FFFF:0202:0202', v4('2.2.2.2')],
    ['0:0::ffff:2.2.2.2', v4('2.2.2.2')],
    ['[::ffff:2.2.2.2]', v4('2.2.2.2')],
    ['::ffff:255.254.1.0', v4('255.254.1.0')],
    ['::1:ffff:202:202', v6('0:0:0:0:1:ffff:202:202')],
    ['::2.2.2.2', v6('0:0:0:0:0:0:202:202')],
    ['64:ff9b::2.2.2.2', v6('64:ff9b:0:0:0:0:202:202')],
    ['::', v6('0:0:0:0:0:0:0:0')],
    ['1::', v6('1:0:0:0:0:0:0:0')],
    ['1:2:3:4:5:6:7::', v6('1:2:3:4:5:6:7:0')],
    ['2001:0DB8::00A1', v6('2001:db8:0:0:0:0:0:a1')],
    ['fe80::1%eth0', v6('fe80:0:0:0:0:0:0:1')],
    ['[fe80::1%25eth0]', v6('fe80:0:0:0:0:0:0:1')],
  ]
  for (const [text, expected] of notations) test(text, () => expect(parseIpAddress(text)).toEqual(expected))

  const invalid = [
    '',
    '[]',
    '[2.2.2.2]',
    '2.2.2',
    '02.2.2.2',
    '2.2.2.2%eth0',
    '::1%',
    ':::',
    '1::2::3',
    '::ffff:2.2.2.256',
    '[::1',
    '::1]',
    '12345::',
    'localhost',
  ]
  for (const text of invalid) test(`but not ${text}`, () => expect(parseIpAddress(text)).toBeUndefined())
})

test('the version of an address is the one that node:net finds', () => {
  const part = fc.constantFrom('0', '1', 'ff', 'FFFF', '00a1', '12345', 'g', '', '255', '256', '01', ' ')
  const nearAddresses = fc
    .array(fc.tuple(part, fc.constantFrom(':', ':', ':', '::', '.', '')), { maxLength: 9 })
    .map((parts) => parts.flat().join(''))
  fc.assert(
    fc.property(fc.oneof(nearAddresses, fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
      expect(ipVersion(text)).toBe(isIP(text) as 0 | 4 | 6)
    }),
    { numRuns: 20_000 },
  )
  for (const text of ['fe80::1%eth0', 'fe80::1%', 'fe80::1%a b', '1.1.1.1%eth0']) {
    expect(ipVersion(text)).toBe(isIP(text) as 0 | 4 | 6)
  }
})

describe('a node of X-Forwarded-For is understood', () => {
  const nodes: [string, ReturnType<typeof parseNode>][] = [
    ['1.1.1.1:50001', v4('1.1.1.1')],
    ['1.1.1.1:_port', v4('1.1.1.1')],
    ['[2001:db8::1]:443', v6('2001:db8:0:0:0:0:0:1')],
    ['[2001:db8::1]', v6('2001:db8:0:0:0:0:0:1')],
    ['"[2001:db8::1]:443"', v6('2001:db8:0:0:0:0:0:1')],
    [' 1.1.1.1 ', v4('1.1.1.1')],
    ['[::ffff:1.1.1.1]:80', v4('1.1.1.1')],
    ['2001:db8::1:443', v6('2001:db8:0:0:0:0:1:443')],
    ['unknown', undefined],
    ['unknown:80', undefined],
    ['_hidden', undefined],
    ['1.1.1.1:', undefined],
    ['1.1.1.1:http', undefined],
    ['1.1.1.1:123456', undefined],
    ['[2001:db8::1]443', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of nodes)
    test(JSON.stringify(text), () => expect(parseNode(text)).toEqual(expected))
})

function counted(trusted: string, peer: string, forwarded: string): string {
  const { trustedProxies } = readConfig({ TRUSTED_PROXIES: trusted }, [])
  const request = new Request('http://localhost', { headers: { 'x-forwarded-for': forwarded } })
  return createClientAddress(trustedProxies)(request, { requestIP: () => ({ address: peer }) })
}

describe('the client behind a proxy is counted by its own address', () => {
  const cases: [trusted: string, peer: string, forwarded: string, expected: string][] = [
    ['10.0.0.1', '10.0.0.1', '1.1.1.1:50001', '1.1.1.1'],
    ['10.0.0.1', '10.0.0.1', '[2001:db8::1]:443', '2001:db8:0:0'],
    ['10.0.0.1', '10.0.0.1', '::ffff:0202:0202', '2.2.2.2'],
    ['10.0.0.0/8', '::ffff:a00:1', '1.1.1.1:1, 10.0.0.7:9', '1.1.1.1'],
    ['::ffff:10.0.0.0/104', '10.9.9.9', '1.1.1.1', '1.1.1.1'],
    ['::ffff:a00:1', '10.0.0.1', '1.1.1.1', '1.1.1.1'],
    ['[2001:DB8::1]', '2001:db8:0:0:0:0:0:1', '1.1.1.1', '1.1.1.1'],
    ['fe80::1%eth0', 'fe80::1%eth1', '1.1.1.1', '1.1.1.1'],
    ['10.0.0.1', '10.0.0.1', '1.1.1.1, , ', '1.1.1.1'],
    ['10.0.0.0/8', '10.0.0.1', '1.1.1.1, _hidden, 10.0.0.2', '10.0.0.2'],
  ]
  for (const [trusted, peer, forwarded, expected] of cases) {
    test(`${forwarded} from ${peer}, where ${trusted} is trusted`, () =>
      expect(counted(trusted, peer, forwarded)).toBe(expected))
  }
})

test('one address in all its notations is one client', () => {
  const notations = [
    '2.2.2.2',
    '2.2.2.2:1',
    '2.2.2.2:2',
    '::ffff:2.2.2.2',
    '::ffff:0202:0202',
    '[::ffff:202:202]:3',
  ]
  expect(new Set(notations.map((each) => counted('10.0.0.1', '10.0.0.1', each)))).toEqual(
    new Set(['2.2.2.2']),
  )
})

describe('TRUSTED_PROXIES refuses', () => {
  for (const value of [
    '::ffff:0:0/96',
    '::ffff:1.2.3.4/96',
    '0.0.0.0/0',
    '::/0',
    '10.0.0.1:80',
    '[::1]:80',
    '::ffff:1.2.3.4/129',
    '10.0.0.0/33',
    'unknown',
  ]) {
    test(value, () => expect(() => readConfig({ TRUSTED_PROXIES: value }, [])).toThrow(ConfigError))
  }
})
