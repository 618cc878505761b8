/** What each generated client implements with its own functions. */
export interface GeneratedClient {
  register(credentials: Credentials): Promise<{ username: string }>
  /** Returns the problem code of a login that is refused. */
  refusedLogin(credentials: Credentials): Promise<string | undefined>
  logIn(credentials: Credentials): Promise<string>
  profile(token: string): Promise<{ username: string }>
  send(token: string, message: string, idempotencyKey: string): Promise<void>
  list(token: string): Promise<{ message: string; idempotencyKey?: string | undefined }[]>
}

export interface Credentials {
  username: string
  password: string
}

/** The service that the driver started. */
export const baseUrl = process.env.BASE_URL ?? ''

/** Registers, logs in, reads the profile, sends a message and finds it in the list. */
export async function exercise(client: GeneratedClient): Promise<void> {
  const username = `witness-${crypto.randomUUID().slice(0, 18)}`
  const credentials = { username, password: 'correct 🐎 battery staple' }
  const registered = await client.register(credentials)
  expect('the registered username', registered.username, username)
  const refused = await client.refusedLogin({ username, password: 'not the password' })
  expect('the code of a refused login', refused, 'invalid-credentials')
  const token = await client.logIn(credentials)
  const profile = await client.profile(token)
  expect('the username of the profile', profile.username, username)
  const idempotencyKey = crypto.randomUUID()
  await client.send(token, 'Hello, 🌍!', idempotencyKey)
  const sent = (await client.list(token)).find((each) => each.idempotencyKey === idempotencyKey)
  expect('the listed message', sent?.message, 'Hello, 🌍!')
}

export function expect(name: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${name} is ${String(actual)}, not ${String(expected)}`)
}
