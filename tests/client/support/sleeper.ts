// A client in its own process, so that it can be stopped and continued like a laptop that sleeps.
import { createClient } from '../../../client/src/index.ts'

const { URL: url = '', USERNAME: username = '', PASSWORD: password = '' } = process.env
const client = createClient(url, {
  timeoutMs: 500,
  onAuthRequired: (_, { loginUser }) => loginUser({ username, password }),
})
const chat = client.chat({ pingAfterMs: 500, pongTimeoutMs: 500, firstDelayMs: 20, maxDelayMs: 100 })
chat.on('message', ({ message }) => console.log(`received ${message}`))
await chat.opened()
// The line that `startChild` waits for.
console.log(JSON.stringify({ msg: 'listening', url }))
