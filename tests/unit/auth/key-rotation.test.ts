import { describe, expect, test } from 'bun:test'
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { generateKeyPair } from '../../../src/auth/key-pairs.ts'
import { publicKeysOf } from '../../../src/auth/keys.ts'
import { loadKeys } from '../../../src/auth/load-keys.ts'
import { generateSecret } from '../../../src/auth/secrets.ts'
import { createTokens } from '../../../src/auth/tokens.ts'
import { readConfig } from '../../../src/config.ts'
import { temporaryFolder } from '../support/service.ts'

const account = { user: { id: crypto.randomUUID() as string, username: 'someone' }, tokensValidFrom: 0 }

/** The keys and the tokens of a service that is started with these settings. */
async function start(dataDir: string, environment: Record<string, string> = {}) {
  const keys = await loadKeys(readConfig({ DATA_DIR: dataDir, ...environment }, []))
  const tokens = createTokens({ keys, ttlSeconds: 600 })
  const { token } = await tokens.issue(account)
  return { keys, token, accepts: async (other: string) => (await tokens.verify(other)) !== undefined }
}

type Started = Awaited<ReturnType<typeof start>>

async function withFolder(scenario: (path: string) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder()
  await scenario(folder.path)
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('keys in files', () => {
  test('a secret is generated at the first start, and no key pair', () =>
    withFolder(async (path) => {
      const first = await start(path)
      expect(await readdir(path)).toEqual(['jwt-secret'])
      expect(await modeOf(join(path, 'jwt-secret'))).toBe(0o600)
      const second = await start(path)
      expect(second.keys.current.id).toBe(first.keys.current.id)
      expect(await second.accepts(first.token)).toBe(true)
    }))

  test('a key pair is generated at the first start with EdDSA, and no secret', () =>
    withFolder(async (path) => {
      const first = await start(path, { JWT_ALGORITHM: 'EdDSA' })
      expect(await readdir(path)).toEqual(['jwt-key.json'])
      expect(await modeOf(join(path, 'jwt-key.json'))).toBe(0o600)
      const jwk = JSON.parse(await readFile(join(path, 'jwt-key.json'), 'utf8'))
      expect(Object.keys(jwk)).toEqual(['kty', 'crv', 'x', 'd'])
      const second = await start(path, { JWT_ALGORITHM: 'EdDSA' })
      expect(second.keys.current.id).toBe(first.keys.current.id)
      expect(await second.accepts(first.token)).toBe(true)
      expect(publicKeysOf(second.keys)).toEqual([
        { kty: 'OKP', crv: 'Ed25519', x: jwk.x, kid: first.keys.current.id, alg: 'EdDSA', use: 'sig' },
      ])
      expect(JSON.stringify(publicKeysOf(second.keys))).not.toContain(jwk.d)
    }))

  const kinds: [string, string, string][] = [
    ['HS256', 'jwt-secret', 'jwt-secret.previous'],
    ['EdDSA', 'jwt-key.json', 'jwt-key.previous.json'],
  ]
  for (const [algorithm, file, previousFile] of kinds) {
    test(`${algorithm}: the previous key verifies and never signs, until it is removed`, () =>
      withFolder(async (path) => {
        const environment = { JWT_ALGORITHM: algorithm }
        const before = await start(path, environment)
        await rename(join(path, file), join(path, previousFile))
        const rotated = await start(path, environment)
        expect(rotated.keys.current.id).not.toBe(before.keys.current.id)
        expect(rotated.keys.previous.map(({ id }) => id)).toEqual([before.keys.current.id])
        expect(decodeProtectedHeader(rotated.token).kid).toBe(rotated.keys.current.id)
        expect(await rotated.accepts(before.token)).toBe(true)
        expect(await modeOf(join(path, previousFile))).toBe(0o600)
        await rm(join(path, previousFile))
        const completed = await start(path, environment)
        expect(await completed.accepts(before.token)).toBe(false)
        expect(await completed.accepts(rotated.token)).toBe(true)
      }))
  }

  test('with another algorithm, tokens of the secret stay valid only if it is kept as the previous one', () =>
    withFolder(async (path) => {
      const before = await start(path)
      expect(await (await start(path, { JWT_ALGORITHM: 'EdDSA' })).accepts(before.token)).toBe(false)
      await rename(join(path, 'jwt-secret'), join(path, 'jwt-secret.previous'))
      const changed = await start(path, { JWT_ALGORITHM: 'EdDSA' })
      expect(changed.keys.current.algorithm).toBe('EdDSA')
      expect(await changed.accepts(before.token)).toBe(true)
      // And back again.
      await rename(join(path, 'jwt-key.json'), join(path, 'jwt-key.previous.json'))
      const back = await start(path)
      expect(back.keys.current.algorithm).toBe('HS256')
      expect(await back.accepts(changed.token)).toBe(true)
      expect(publicKeysOf(back.keys).map(({ kid }) => kid)).toEqual([changed.keys.current.id])
    }))

  test('a copy of the current key as the previous one changes nothing', () =>
    withFolder(async (path) => {
      const before = await start(path, { JWT_ALGORITHM: 'EdDSA' })
      await writeFile(join(path, 'jwt-key.previous.json'), await readFile(join(path, 'jwt-key.json')))
      const copied = await start(path, { JWT_ALGORITHM: 'EdDSA' })
      expect(publicKeysOf(copied.keys)).toHaveLength(1)
      expect(await copied.accepts(before.token)).toBe(true)
    }))

  test('a file that was written in part is not used: it has another name until it is complete', () =>
    withFolder(async (path) => {
      await writeFile(join(path, 'jwt-key.json.new'), '{"kty":"OKP","crv"')
      const { token, accepts } = await start(path, { JWT_ALGORITHM: 'EdDSA' })
      expect(await accepts(token)).toBe(true)
      expect(await readdir(path)).toEqual(['jwt-key.json'])
      expect(await modeOf(join(path, 'jwt-key.json'))).toBe(0o600)
    }))
})

describe('keys in settings', () => {
  test('no file is written, and several processes with the same settings accept the same tokens', () =>
    withFolder(async (one) =>
      withFolder(async (two) => {
        for (const environment of [
          { JWT_SECRET: generateSecret() },
          { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: generateKeyPair() },
        ] as Record<string, string>[]) {
          const [first, second] = [await start(one, environment), await start(two, environment)]
          expect(await first.accepts(second.token)).toBe(true)
          expect(await second.accepts(first.token)).toBe(true)
        }
        expect([await readdir(one), await readdir(two)]).toEqual([[], []])
      }),
    ))

  test('a rotation without an interruption: all processes know a key before one of them signs with it', () =>
    withFolder(async (path) => {
      const [old, next] = [generateSecret(), generateSecret()]
      const steps: Record<string, string>[] = [
        { JWT_SECRET: old },
        { JWT_SECRET: old, JWT_SECRET_PREVIOUS: next },
        { JWT_SECRET: next, JWT_SECRET_PREVIOUS: old },
        { JWT_SECRET: next },
      ]
      const [before, published, exchanged, completed] = (await Promise.all(
        steps.map((step) => start(path, step)),
      )) as [Started, Started, Started, Started]
      for (const [one, other] of [
        [before, published],
        [published, exchanged],
      ] as const) {
        expect([await one.accepts(other.token), await other.accepts(one.token)]).toEqual([true, true])
      }
      // The last process of the second step has ended long before the third step.
      expect(await completed.accepts(exchanged.token)).toBe(true)
      expect(await exchanged.accepts(completed.token)).toBe(true)
      expect(await completed.accepts(published.token)).toBe(false)
    }))

  test('a move from the file to the setting keeps the tokens of the file as the previous secret', () =>
    withFolder(async (path) => {
      const before = await start(path)
      const environment = { JWT_SECRET: generateSecret() }
      expect(await (await start(path, environment)).accepts(before.token)).toBe(false)
      await rename(join(path, 'jwt-secret'), join(path, 'jwt-secret.previous'))
      expect(await (await start(path, environment)).accepts(before.token)).toBe(true)
      // The setting has priority over the file.
      const other = { ...environment, JWT_SECRET_PREVIOUS: generateSecret() }
      expect(await (await start(path, other)).accepts(before.token)).toBe(false)
    }))

  test('with another algorithm, the other key is the previous one', () =>
    withFolder(async (path) => {
      const [secret, pair] = [generateSecret(), generateKeyPair()]
      const before = await start(path, { JWT_SECRET: secret })
      const changed = await start(path, {
        JWT_ALGORITHM: 'EdDSA',
        JWT_PRIVATE_KEY: pair,
        JWT_SECRET_PREVIOUS: secret,
      })
      const back = await start(path, { JWT_SECRET: secret, JWT_PRIVATE_KEY_PREVIOUS: pair })
      expect(await changed.accepts(before.token)).toBe(true)
      expect(await back.accepts(changed.token)).toBe(true)
    }))
})

describe('the recipes of docs/operating.md', async () => {
  const text = await readFile(resolve(import.meta.dirname, '../../../docs/operating.md'), 'utf8')
  const section = (title: string) => text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
  const commandsOf = (title: string) =>
    [...section(title).matchAll(/```sh\n(.*?)```/gs)].map(([, command = '']) => command.trim())
  const [
    keepSecret = '',
    dropSecret = '',
    newSecret = '',
    keepPair = '',
    newPair = '',
    changeAlgorithm = '',
  ] = commandsOf('Rotating keys')
  const [removeAll = ''] = commandsOf('A leaked secret')

  /** Runs a command in the folder that contains `data`, and returns its output. The test itself restarts the service. */
  function run(block: string, folder: string): string {
    const command = block.replace(/^systemctl .*$/gm, '')
    const { exitCode, stdout, stderr } = Bun.spawnSync(['sh', '-c', command], { cwd: folder })
    expect([command, exitCode, stderr.toString()]).toEqual([command, 0, expect.any(String)])
    return stdout.toString().trim()
  }

  const scenario = (run: (folder: string, data: string) => Promise<void>) =>
    withFolder(async (folder) => {
      const data = join(folder, 'data')
      await Bun.write(join(data, '.keep'), '')
      await run(folder, data)
    })

  test('rotate the secret', () =>
    scenario(async (folder, data) => {
      const before = await start(data)
      run(keepSecret, folder)
      const rotated = await start(data)
      expect(rotated.keys.current.id).not.toBe(before.keys.current.id)
      expect(await rotated.accepts(before.token)).toBe(true)
      run(dropSecret, folder)
      const completed = await start(data)
      expect([await completed.accepts(before.token), await completed.accepts(rotated.token)]).toEqual([
        false,
        true,
      ])
    }))

  test('rotate the key pair', () =>
    scenario(async (folder, data) => {
      const before = await start(data, { JWT_ALGORITHM: 'EdDSA' })
      run(keepPair, folder)
      const rotated = await start(data, { JWT_ALGORITHM: 'EdDSA' })
      expect(rotated.keys.current.id).not.toBe(before.keys.current.id)
      expect(await rotated.accepts(before.token)).toBe(true)
    }))

  test('change the algorithm', () =>
    scenario(async (folder, data) => {
      const before = await start(data)
      run(changeAlgorithm, folder)
      expect(await (await start(data, { JWT_ALGORITHM: 'EdDSA' })).accepts(before.token)).toBe(true)
    }))

  test('generate the settings', () =>
    scenario(async (folder, data) => {
      await start(data, { JWT_SECRET: run(newSecret, folder) })
      await start(data, { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: run(newPair, folder) })
    }))

  test('replace keys that have leaked', () =>
    scenario(async (folder, data) => {
      for (const algorithm of ['HS256', 'EdDSA']) {
        const leaked = await start(data, { JWT_ALGORITHM: algorithm })
        run(algorithm === 'HS256' ? keepSecret : keepPair, folder)
        run(removeAll, folder)
        expect(await readdir(data)).toEqual(['.keep'])
        expect(await (await start(data, { JWT_ALGORITHM: algorithm })).accepts(leaked.token)).toBe(false)
        run(removeAll, folder)
      }
    }))
})
