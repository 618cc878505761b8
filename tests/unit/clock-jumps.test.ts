import { expect, test } from 'bun:test'
import { startClockChild } from './support/clock-child.ts'
import { bearer } from './support/service.ts'

const jumps: [string, number][] = [
  ['a second', 1],
  ['a thousand seconds', 1000],
  ['a year', 31_536_000],
].flatMap(([name, seconds]) => [
  [`${name} back`, -(seconds as number) * 1000],
  [`${name} forward`, (seconds as number) * 1000],
])

const resetSeconds = (response: Response) =>
  Number(/;t=(\d+)/.exec(response.headers.get('ratelimit') ?? '')?.[1])

for (const [name, offsetMs] of jumps) {
  test(`a clock that is set ${name} delays no login and extends no window`, async () => {
    await using service = await startClockChild()
    await service.account('someone')
    const before = await service.login('nobody-1')
    await service.setClock(offsetMs)
    // Neither a new name nor a known one is throttled, and the window that was open keeps its end.
    for (const username of ['nobody-2', 'someone']) {
      const response = await service.login(username, 'a wrong password')
      expect([response.status, response.headers.get('retry-after')]).toEqual([401, null])
      expect(resetSeconds(response)).toBeGreaterThanOrEqual(1)
      expect(resetSeconds(response)).toBeLessThanOrEqual(resetSeconds(before))
    }
    await service.setClock(0)
    expect((await service.login('someone', 'a wrong password')).status).toBe(401)
  })

  test(`a throttled login waits no longer than documented if the clock is set ${name}`, async () => {
    await using service = await startClockChild({ RATE_LIMITS: 'off' })
    for (let attempt = 0; attempt < 6; attempt++) await service.login('nobody', 'a wrong password')
    await service.setClock(offsetMs)
    const response = await service.login('nobody', 'a wrong password')
    const wait = Number(response.headers.get('retry-after') ?? 0)
    expect(wait).toBeLessThanOrEqual(60)
  })
}

test('a token that was issued a few seconds ahead of the clock is valid', async () => {
  await using service = await startClockChild()
  await service.setClock(5000)
  const token = await service.account('someone')
  await service.setClock(0)
  const profile = () => fetch(`${service.url}/api/users/profile`, { headers: bearer(token) })
  expect((await profile()).status).toBe(200)
})

test('a token that was issued far ahead of the clock is not valid', async () => {
  await using service = await startClockChild()
  await service.setClock(60_000)
  const token = await service.account('someone')
  await service.setClock(0)
  const response = await fetch(`${service.url}/api/users/profile`, { headers: bearer(token) })
  expect(response.status).toBe(401)
})

test('a clock that is a year ahead for some seconds neither removes messages nor stays in sentAt', async () => {
  await using service = await startClockChild({ MESSAGE_RETENTION_DAYS: '1' })
  const token = await service.account('someone')
  const send = (message: string) => service.post('/api/chats/send', { message }, bearer(token))
  await send('before')
  await service.setClock(31_536_000_000)
  // The token has expired by this clock, so another one is needed.
  const later = await service.login('someone')
  const { token: laterToken } = (await later.json()) as { token: string }
  await service.post('/api/chats/send', { message: 'during' }, bearer(laterToken))
  await service.setClock(0)
  await send('after')
  const response = await fetch(`${service.url}/api/chats/messages`, { headers: bearer(token) })
  const { messages } = (await response.json()) as { messages: { message: string; sentAt: string }[] }
  expect(messages.map(({ message }) => message)).toEqual(['before', 'during', 'after'])
  for (const { sentAt } of messages) expect(Math.abs(Date.parse(sentAt) - Date.now())).toBeLessThan(60_000)
  expect(messages.map(({ sentAt }) => sentAt).toSorted()).toEqual(messages.map(({ sentAt }) => sentAt))
})
