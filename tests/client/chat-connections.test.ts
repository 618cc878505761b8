import { expect, test } from 'bun:test'
import { type Chat, createClient } from '../../client/src/index.ts'
import { startService } from '../unit/support/service.ts'
import { clientOf, fast, received } from './support/chats.ts'
import { sleep, startRestartable, until } from './support/restartable-service.ts'
import { observe } from './support/states.ts'
import { startProxy } from './support/tcp-proxy.ts'

test('closing ends the loops and waits for the messages in flight', async () => {
  await using service = await startService()
  const chat = (await clientOf(service, 'anna')).chat()
  const texts: string[] = []
  const reading = (async () => {
    for await (const { message } of chat) texts.push(message)
  })()
  await chat.opened()
  const sent = chat.send('last words')
  const tooLate = chat.send('not written').catch((each: unknown) => each)
  await chat.close()
  expect((await sent).message).toBe('last words')
  expect(await tooLate).toMatchObject({ code: 'closed', outcome: 'not-done' })
  await reading
  expect(texts).toEqual(['last words'])
  expect(chat.state).toEqual({ name: 'closed', error: undefined })
})

test('a chat that is closed before it connects stays closed, and can be closed again', async () => {
  await using service = await startService()
  const chat = (await clientOf(service, 'anna')).chat()
  const { states } = observe(chat)
  await Promise.all([chat.close(), chat.close()])
  await sleep(50)
  await chat.close()
  expect(states).toEqual(['connecting', 'closed'])
})

test('without a WebSocket, the chat ends with an error', async () => {
  await using service = await startService()
  const client = createClient(service.url, {
    WebSocket: class {
      constructor() {
        throw new SyntaxError('not supported')
      }
    } as unknown as typeof WebSocket,
  })
  client.setToken((await service.account('anna')).token)
  const chat = client.chat()
  const error = await chat.opened().catch((each: unknown) => each)
  expect(error).toMatchObject({ code: 'closed', cause: new SyntaxError('not supported') })
})

test('a refused handshake is repeated later if that can help, and ends the chat otherwise', async () => {
  await using service = await startService({ MAX_SOCKETS_PER_USER: '1', CORS_ORIGINS: 'https://app.example' })
  const { token } = await service.account('anna')
  const fromOrigin = (origin: string) =>
    class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, { protocols, headers: { origin } } as unknown as string[])
      }
    }
  const [allowed, foreign] = ['https://app.example', 'https://elsewhere.example'].map((origin) => {
    const client = createClient(service.url, { WebSocket: fromOrigin(origin) })
    client.setToken(token)
    return client
  })
  await using first = allowed?.chat(fast) as Chat
  await first.opened()
  await using second = allowed?.chat(fast) as Chat
  await until(() => second.state.name === 'waiting')
  expect(second.state).toMatchObject({ error: { code: 'too-many-sockets' } })
  await using refused = foreign?.chat(fast) as Chat
  await until(() => refused.state.name === 'closed')
  expect(refused.state).toMatchObject({ error: { code: 'origin-not-allowed' } })
})

test('a position that is not valid is discarded once', async () => {
  await using service = await startService()
  await using chat = (await clientOf(service, 'anna')).chat({ ...fast, from: { after: 'not a cursor' } })
  expect((await chat.send('Hello')).message).toBe('Hello')
})

test('a listener that throws does not affect the chat', async () => {
  await using service = await startService()
  await using child = await startRestartable()
  const { token } = await service.account('anna')
  expect(child.url).not.toBe(service.url)
  const program = `
    import { createClient } from './client/src/index.ts'
    process.on('uncaughtException', ({ message }) => console.log('uncaught', message))
    const client = createClient(${JSON.stringify(service.url)})
    client.setToken(${JSON.stringify(token)})
    const chat = client.chat()
    chat.on('message', () => { throw new Error('of a listener') })
    chat.on('message', ({ message }) => console.log('received', message))
    console.log('sent', (await chat.send('Hello')).message)
    await chat.close()`
  const run = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' })
  const lines = (await new Response(run.stdout).text()).trim().split('\n')
  expect(lines.toSorted()).toEqual(['received Hello', 'sent Hello', 'uncaught of a listener'])
})

test('a connection that swallows everything is found dead and replaced', async () => {
  await using service = await startService()
  await using proxy = await startProxy(Number(new URL(service.url).port))
  const client = createClient(proxy.url)
  client.setToken((await service.account('anna')).token)
  const chat = client.chat({ ...fast, pingAfterMs: 200, pongTimeoutMs: 200 })
  const texts = received(chat)
  await chat.send('before')
  proxy.silence()
  expect((await chat.send('through the hole')).message).toBe('through the hole')
  expect(texts).toEqual(['before', 'through the hole'])
  // Pings alone find it as well.
  const { states } = observe(chat)
  proxy.silence()
  await until(() => states.length > 1 && chat.state.name === 'open')
  expect(states).toEqual(['open', 'connecting', 'catching-up', 'open'])
  await chat.close()
})
