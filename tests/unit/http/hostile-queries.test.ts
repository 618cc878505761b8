import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Service, startService } from '../support/service.ts'

let service: Service
let token: string

beforeAll(async () => {
  service = await startService()
  token = (await service.account('reader')).token
})
afterAll(() => service[Symbol.asyncDispose]())

describe('a query that violates the schema is refused with the name of the parameter', () => {
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
      const response = await service.get(`/api/chats/messages?${query}`, token)
      const { code, errors } = (await response.json()) as { code: string; errors: { pointer: string }[] }
      expect([response.status, code, errors.map((each) => each.pointer)]).toEqual([
        422,
        'validation-failed',
        [pointer],
      ])
    })
  }
})

test('the smallest and the largest limit are accepted', async () => {
  for (const limit of ['1', '200', '007']) {
    expect((await service.get(`/api/chats/messages?limit=${limit}`, token)).status).toBe(200)
  }
})
