import { bearer } from './service.ts'

const account = { username: 'someone', password: 'a long password' }

/** Registers the user of the test, unless this was done before, and logs in. */
export async function connectSender(url: string) {
  const post = (path: string, body: object, token = '') =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(token) },
      body: JSON.stringify(body),
    })
  await post('/api/auth/register', account)
  const login = await post('/api/auth/login', account)
  const { token } = (await login.json()) as { token: string }
  const get = (path: string) => fetch(url + path, { headers: bearer(token) })
  return {
    get,
    send: async (message: string) => (await post('/api/chats/send', { message }, token)).status,
    /** The texts of the newest hundred messages. */
    async texts(): Promise<string[]> {
      const page = (await (await get('/api/chats/messages?limit=100')).json()) as {
        messages: { message: string }[]
      }
      return page.messages.map(({ message }) => message)
    },
  }
}
