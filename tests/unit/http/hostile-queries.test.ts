import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Service, startService } from '../support/service.ts'

let service: Service
let token: string

beforeAll(async () => {
  service = await startService()
  token = (await service.account('reader')).token
})
afterAll(() => service[Symbol.asyncDispose]())

describe('a query that breaks its schema is refused, with the parameter', () => {
  const queries: [string, string][] = [
    ['limit=0', '/limit'],
    ['limit=201', '/limit'],
    ['limit=-1', '/limit'],
    ['limit=1.5', '/limit'],
    ['limit=1e2', '/limit'],
    ['limit=0x10', '/limit'],
    ['limit=', '/limit'],
    ['limit=%201', '/limit'],
    ['limit=9999999999999999999999', '/limit'],
    ['limit=1&limit=2', '/limit'],
    ['limit[]=1', '/limit[]'],
    ['after=', '/after'],
    ['after=a%00b', '/after'],
    [`after=${'a'.repeat(65)}`, '/after'],
    ['after=a&after=b', '/after'],
    ['after=a&before=b', '/before'],
    ['before=%F0%9D%84%9E', '/before'],
    ['After=a', '/After'],
    ['offset=1', '/offset'],
    ['__proto__=1', '/__proto__'],
    ['constructor=1', '/constructor'],
    ['a%2Fb=1', '/a~1b'],
  ]
  for (const [query, pointer] of queries) {
    test(query, async () => {
      const answer = await service.get(`/api/chats/messages?${query}`, token)
      const { code, errors } = (await answer.json()) as { code: string; errors: { pointer: string }[] }
      expect([answer.status, code, errors.map((each) => each.pointer)]).toEqual([
        422,
        'validation-failed',
        [pointer],
      ])
    })
  }
})

test('limits at their edges are taken', async () => {
  for (const limit of ['1', '200', '007']) {
    expect((await service.get(`/api/chats/messages?limit=${limit}`, token)).status).toBe(200)
  }
})
