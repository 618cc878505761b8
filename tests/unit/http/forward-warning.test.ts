import { describe, expect, test } from 'bun:test'
import { BlockList } from 'node:net'
import { createForwardWarning } from '../../../src/http/forward-warning.ts'
import { createClientAddress } from '../../../src/limits/client-address.ts'
import { createLogger } from '../../../src/logger.ts'
import { startService } from '../support/service.ts'

interface Warning {
  readonly level: number
  readonly msg: string
  readonly peer?: string
}

/** Sends one request from each peer, and returns the warnings. */
function warningsOf(peers: readonly string[], logClientAddress = true, forwarded = '203.0.113.9'): Warning[] {
  const warnings: Warning[] = []
  const write = (line: string) => void warnings.push(JSON.parse(line) as Warning)
  const logger = createLogger({ level: 'info', write })
  const trusted = new BlockList()
  trusted.addAddress('192.0.2.1')
  const clientAddress = createClientAddress(trusted, createForwardWarning({ logger, logClientAddress }))
  const headers = forwarded === '' ? {} : { 'x-forwarded-for': forwarded }
  const request = new Request('http://localhost/', { headers })
  for (const address of peers) clientAddress(request, { requestIP: () => ({ address }) })
  return warnings
}

describe('X-Forwarded-For from a peer that TRUSTED_PROXIES does not list', () => {
  test('is reported once per peer, with the name of the setting', () => {
    const warnings = warningsOf(['192.0.2.7', '192.0.2.8', '192.0.2.7'])
    expect(warnings.map(({ level, peer }) => [level, peer])).toEqual([
      [40, '192.0.2.7'],
      [40, '192.0.2.8'],
    ])
    for (const { msg } of warnings) expect(msg).toContain('TRUSTED_PROXIES')
  })

  test('is reported for a bounded number of peers', () => {
    const peers = Array.from({ length: 3000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
    expect(warningsOf([...peers, ...peers])).toHaveLength(1000)
  })

  test('is reported once, without an address, if the log must not contain addresses', () => {
    const warnings = warningsOf(['192.0.2.7', '192.0.2.8'], false)
    expect(warnings).toHaveLength(1)
    expect(JSON.stringify(warnings)).not.toContain('192.0.2')
  })

  test('is reported by the service', async () => {
    await using service = await startService()
    for (const _ of [1, 2]) await service.get('/livez', undefined, { 'x-forwarded-for': '203.0.113.9' })
    const warnings = service.lines.filter((line) => line.includes('TRUSTED_PROXIES'))
    expect(warnings.map((line) => JSON.parse(line) as Warning)).toEqual([
      expect.objectContaining({ level: 40, peer: '127.0.0.1' }),
    ])
    expect(warnings.join('')).not.toContain('203.0.113.9')
  })
})

test('a trusted proxy, and a peer without the header, are not reported', () => {
  expect(warningsOf(['192.0.2.1'])).toEqual([])
  expect(warningsOf(['192.0.2.7'], true, '')).toEqual([])
})
