import { baseUrl, exercise, expect } from './exercise.ts'
import * as schemas from './generated/orval.ts'

interface Schema<Value> {
  parse(value: unknown): Value
}

/** Sends a request and parses both bodies with the generated schemas. */
async function call<Value>(path: string, response: Schema<Value>, init: RequestInit = {}): Promise<Value> {
  const headers = { 'content-type': 'application/json', ...init.headers }
  const received = await fetch(new URL(path, baseUrl), { ...init, headers })
  const body: unknown = await received.json()
  if (!received.ok) throw new Error((body as { code: string }).code)
  return response.parse(body)
}

const post = (request: Schema<unknown>, body: unknown, headers = {}): RequestInit => ({
  method: 'POST',
  headers,
  body: JSON.stringify(request.parse(body)),
})
const authorization = (token: string) => ({ authorization: `Bearer ${token}` })
const logIn = async (body: unknown) =>
  (await call('/api/auth/login', schemas.LoginUserResponse, post(schemas.LoginUserBody, body))).token

await exercise({
  register: async (body) =>
    (await call('/api/auth/register', schemas.RegisterUserResponse, post(schemas.RegisterUserBody, body)))
      .user,
  refusedLogin: (body) => logIn(body).catch(({ message }: Error) => message),
  logIn,
  profile: async (token) =>
    (await call('/api/users/profile', schemas.GetProfileResponse, { headers: authorization(token) })).user,
  async send(token, message, key) {
    const headers = schemas.SendMessageHeader.parse({ 'Idempotency-Key': `"${key}"` })
    const request = post(schemas.SendMessageBody, { message }, { ...authorization(token), ...headers })
    await call('/api/chats/send', schemas.SendMessageResponse, request)
  },
  list: async (token) =>
    (await call('/api/chats/messages', schemas.ListMessagesResponse, { headers: authorization(token) }))
      .messages,
})

// orval compiles patterns without the `u` flag. The patterns have to mean the same there.
const username = 'exampleuser'
for (const [password, accepted] of [
  ['securepassword', true],
  ['pass 🔑 word', true],
  ['🔑🔑🔑🔑🔑🔑🔑🔑', true],
  ['password \uD83D', false],
  ['password \uDD11', false],
  ['\uDD11\uD83D password', false],
] as const) {
  const name = `whether the schema accepts ${JSON.stringify(password)}`
  expect(name, schemas.RegisterUserBody.safeParse({ username, password }).success, accepted)
  expect(name, schemas.SendMessageBody.safeParse({ message: password }).success, accepted)
}

// The documented examples, by the name that orval gives to the schema.
const examples: Record<string, unknown[]> = JSON.parse(process.env.EXAMPLES ?? '{}')
for (const [name, values] of Object.entries(examples)) {
  const schema = (schemas as unknown as Record<string, Schema<unknown>>)[name]
  if (!schema) throw new Error(`orval generated no schema ${name}`)
  for (const value of values) schema.parse(value)
}
if (Object.keys(examples).length === 0) throw new Error('The driver passed no examples')
