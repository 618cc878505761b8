import { expect, test } from 'bun:test'
import { connect, createServer } from 'node:net'
import { startService } from '../unit/support/service.ts'

/**
 * A proxy that cuts the first WebSocket after the client's first frame: the service receives the frame, and
 * the client receives nothing.
 */
async function startCuttingProxy(target: string) {
  const { hostname, port } = new URL(target)
  let sockets = 0
  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) })
    let isFirstSocket = false
    let silent = false
    client.on('data', (chunk) => {
      if (/upgrade: websocket/i.test(chunk.toString('latin1'))) isFirstSocket = ++sockets === 1
      else if (isFirstSocket) {
        silent = true
        setTimeout(() => {
          client.destroy()
          upstream.destroy()
        }, 200)
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => silent || client.write(chunk))
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${own}`,
    sockets: () => sockets,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

const run = (url: string, username: string) =>
  Bun.spawn([process.execPath, 'examples/bun-client.ts'], {
    cwd: `${import.meta.dirname}/../..`,
    env: {
      ...process.env,
      BASE_URL: url,
      PARLEY_USERNAME: username,
      PARLEY_PASSWORD: 'correct horse battery',
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: 20_000,
  })

test('on an empty log, the Bun client ends although its first connection was lost after the message was stored', async () => {
  await using service = await startService()
  await using proxy = await startCuttingProxy(service.url)
  const child = run(proxy.url, 'someone')
  const printed = await new Response(child.stdout).text()
  expect(await child.exited).toBe(0)
  expect(printed.trim().split('\n')).toEqual(['someone: Hello from Bun!'])
  expect(proxy.sockets()).toBe(2)
})

test('the Bun client ends with an error if its token is no longer valid', async () => {
  await using service = await startService()
  await using proxy = await startCuttingProxy(service.url)
  const child = run(proxy.url, 'leaver')
  while (proxy.sockets() === 0) await Bun.sleep(5)
  const user = await service.storage.users.findCredentials('leaver')
  await service.storage.users.remove(user?.user.id ?? '', { eraseMessages: false })
  const errors = await new Response(child.stderr).text()
  expect(await child.exited).toBe(1)
  expect(errors).toContain('Closed: 3000 invalid-token')
})
