import createClient from 'openapi-fetch'
import { baseUrl, exercise } from './exercise.ts'
import type { paths } from './generated/openapi-typescript.ts'

const client = createClient<paths>({ baseUrl })
const authorized = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

function success<Data>({ data, error }: { data?: Data; error?: { detail: string } }): Data {
  if (data === undefined) throw new Error(error?.detail)
  return data
}

await exercise({
  register: async (body) => success(await client.POST('/api/auth/register', { body })).user,
  refusedLogin: async (body) => (await client.POST('/api/auth/login', { body })).error?.code,
  logIn: async (body) => success(await client.POST('/api/auth/login', { body })).token,
  profile: async (token) => success(await client.GET('/api/users/profile', authorized(token))).user,
  async send(token, message, idempotencyKey) {
    const sent = await client.POST('/api/chats/send', {
      ...authorized(token),
      body: { message },
      params: { header: { 'Idempotency-Key': `"${idempotencyKey}"` } },
    })
    success(sent)
    const id = sent.response.headers.get('content-location')?.split('/').at(-1) ?? ''
    const path = { params: { path: { id } } }
    success(await client.GET('/api/chats/messages/{id}', { ...authorized(token), ...path }))
  },
  list: async (token) => success(await client.GET('/api/chats/messages', authorized(token))).messages,
})
