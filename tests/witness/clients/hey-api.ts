import { baseUrl, exercise } from './exercise.ts'
import { client } from './generated/hey-api/client.gen'
import { getProfile, listMessages, loginUser, registerUser, sendMessage } from './generated/hey-api/sdk.gen'

client.setConfig({ baseUrl })
const strict = { throwOnError: true } as const

await exercise({
  register: async (body) => (await registerUser({ ...strict, body })).data.user,
  refusedLogin: async (body) => (await loginUser({ body })).error?.code,
  logIn: async (body) => (await loginUser({ ...strict, body })).data.token,
  profile: async (auth) => (await getProfile({ ...strict, auth })).data.user,
  async send(auth, message, key) {
    await sendMessage({ ...strict, auth, body: { message }, headers: { 'Idempotency-Key': `"${key}"` } })
  },
  list: async (auth) => (await listMessages({ ...strict, auth })).data.messages,
})
