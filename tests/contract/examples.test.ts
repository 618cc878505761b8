import { describe, expect, test } from 'bun:test'
import { createAccount, documentedAccount, uniqueName } from './support/accounts.ts'
import { contract } from './support/contract.ts'
import { checkDocuments } from './support/document-checks.ts'
import { call, idIn, rejectedHandshake } from './support/http-client.ts'
import { mainServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()
const main = await mainServer()
const { operations, channel } = contract

test('every example in both documents matches its schema and the catalogue of problems', () => {
  expect(checkDocuments(contract)).toEqual([])
})

describe('the examples of the operations, verbatim', () => {
  test('the documented user registers, logs in, reads the profile and sends a message', async () => {
    const { token } = await documentedAccount(main)
    await call(main, 'getProfile', { token })
    const sent = await call(main, 'sendMessage', { token, body: exampleBody('sendMessage', 'documented') })
    await call(main, 'getMessage', { token, path: { id: idIn(sent) } })
  })

  test('a username is taken regardless of letter case', async () => {
    await documentedAccount(main)
    await call(main, 'registerUser', {
      body: exampleBody('registerUser', 'username-taken'),
      expect: 'username-taken',
    })
  })

  test('a wrong password and an unknown username get the same response', async () => {
    await documentedAccount(main)
    const body = exampleBody('loginUser', 'invalid-credentials')
    await call(main, 'loginUser', { body, expect: 'invalid-credentials' })
    await call(main, 'loginUser', {
      body: { username: uniqueName(), password: 'x' },
      expect: 'invalid-credentials',
    })
  })

  for (const operation of operations) {
    for (const response of Object.values(operation.responses)) {
      for (const [name, example] of Object.entries(Object.values(response.content)[0]?.examples ?? {})) {
        const body = example['x-request-body']
        const query = example['x-request-query']
        if (body === undefined && query === undefined) continue
        test(`${operation.id} returns the example ${name}`, async () => {
          const { token } = await documentedAccount(main)
          const code = (example.value as { code: string }).code
          const inPath = operation.parameters.filter((one) => one.in === 'path')
          await call(main, operation.id, {
            token,
            path: Object.fromEntries(inPath.map(({ name }) => [name, 'unknown'])),
            ...(body !== undefined && { body }),
            ...(query && { query }),
            expect: code,
          })
        })
      }
    }
    for (const parameter of operation.parameters.filter((one) => one.example !== undefined)) {
      test(`${operation.id} accepts the example of ${parameter.name}`, async () => {
        const { token } = await createAccount(main)
        const headers = { [parameter.name.toLowerCase()]: String(parameter.example) }
        const body = Object.values(operation.body?.examples ?? {})[0]?.value
        await call(main, operation.id, { token, headers, ...(body !== undefined && { body }) })
      })
    }
  }
})

describe('the examples of the frames, verbatim', () => {
  const sent = channel.messages.filter((one) => one.from === 'client')
  for (const message of sent) {
    for (const example of message.examples) {
      const broadcast = channel.messages.find(
        (one) =>
          one.examples.some(({ name }) => name === example.name) &&
          one.from === 'server' &&
          one.name === 'message',
      )
      if (!message.replies.includes('message') || !broadcast) continue
      test(`${message.name} ${example.name} is broadcast to its sender and to other clients`, async () => {
        const account = await documentedAccount(main)
        const sender = await connect(main, account)
        const watcher = await connect(main, { ...account, by: 'subprotocol' })
        const frame = await sender.turn(JSON.stringify(example.payload))
        expect(await watcher.next(({ id }) => id === frame.id)).toEqual(frame)
        sender.close()
        watcher.close()
      })
    }
  }

  for (const message of channel.messages) {
    for (const example of message.examples) {
      const input = example.frame
      if (input === undefined) continue
      test(`${message.name} ${example.name} is the reply to its frame in x-example-frames`, async () => {
        const socket = await connect(main, await documentedAccount(main))
        await socket.turn(input)
        // The connection stays open.
        await socket.turn(JSON.stringify({ message: uniqueName() }))
        socket.close()
      })
    }
  }

  test('a repeated message is reported to its sender as stored', async () => {
    const account = await documentedAccount(main)
    const socket = await connect(main, account)
    const text = JSON.stringify(
      sent.flatMap((one) => one.examples).find(({ name }) => name === 'idempotent')?.payload,
    )
    await socket.turn(text)
    expect((await socket.turn(text)).event).toBe('stored')
    socket.close()
  })

  test('a ping is replied to with a pong', async () => {
    const socket = await connect(main, await documentedAccount(main))
    const ping = sent.find((one) => one.name === 'ping')?.examples[0]?.payload
    expect((await socket.turn(JSON.stringify(ping))).event).toBe('pong')
    socket.close()
  })

  test('disconnect closes the connection after all earlier frames have been processed', async () => {
    const socket = await connect(main, await documentedAccount(main))
    const message = uniqueName()
    socket.send({ message })
    socket.send(sent.find((one) => one.name === 'disconnect')?.examples[0]?.payload ?? null)
    await socket.closed('disconnected')
    expect(socket.frames.filter((frame) => frame.message === message)).toHaveLength(1)
  })

  test('an idempotency key that was used for another message is rejected, and the error frame contains it', async () => {
    const account = await documentedAccount(main)
    const socket = await connect(main, account)
    const payload = sent.flatMap((one) => one.examples).find((one) => one.name === 'idempotent')?.payload
    await call(main, 'sendMessage', {
      token: account.token,
      body: { message: (payload as { message: string }).message },
      headers: { 'idempotency-key': (payload as { idempotencyKey: string }).idempotencyKey },
    })
    await socket.turn(
      JSON.stringify({ ...(payload as object), message: 'another' }),
      'idempotency-key-reused',
    )
    socket.close()
  })
})

describe('the examples of rejected handshakes, verbatim', () => {
  for (const [status, response] of Object.entries(channel.handshakeResponses)) {
    for (const [name, example] of Object.entries(Object.values(response.content)[0]?.examples ?? {})) {
      const query = example['x-request-query']
      if (!query) continue
      test(`${status} ${name}`, async () => {
        const { token } = await documentedAccount(main)
        await rejectedHandshake(main, { token, query })
      })
    }
  }
})

function exampleBody(id: string, name: string) {
  return operations.find((one) => one.id === id)?.body?.examples?.[name]?.value ?? null
}
