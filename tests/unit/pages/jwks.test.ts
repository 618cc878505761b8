import { describe, expect, test } from 'bun:test'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import { generateKeyPair, importKeyPair, importPublicKey } from '../../../src/auth/key-pairs.ts'
import type { Keys } from '../../../src/auth/keys.ts'
import { generateSecret, importSecret } from '../../../src/auth/secrets.ts'
import { createTokens } from '../../../src/auth/tokens.ts'
import { type Service, startService, temporaryFolder } from '../support/service.ts'

const project = resolve(import.meta.dirname, '../../..')
const path = '/.well-known/jwks.json'

const [current, previous] = [importKeyPair(generateKeyPair()), importPublicKey(generateKeyPair())]
const keys: Keys = { current, previous: [await importSecret(generateSecret()), previous] }

const jwksOf = async (service: Service) => (await service.get(path)).json()

describe('the JSON Web Key Set', () => {
  test('is empty if a secret signs the tokens', async () => {
    await using service = await startService()
    expect(await jwksOf(service)).toEqual({ keys: [] })
  })

  test('contains the current and the previous public key, and no secret', async () => {
    await using service = await startService({}, { keys })
    expect(await jwksOf(service)).toEqual({
      keys: [current, previous].map(({ id, publicJwk }) => ({
        kty: 'OKP',
        crv: 'Ed25519',
        x: publicJwk?.x,
        kid: id,
        alg: 'EdDSA',
        use: 'sig',
      })),
    })
  })

  test('has the media type of RFC 7517, can be cached, and can be read by pages of every origin', async () => {
    for (const origins of ['', 'https://app.example.com', '*']) {
      await using service = await startService({ CORS_ORIGINS: origins }, { keys })
      for (const origin of ['https://app.example.com', 'https://elsewhere.example']) {
        for (const method of ['GET', 'HEAD']) {
          const response = await fetch(service.url + path, { method, headers: { origin } })
          expect([response.status, response.headers.get('content-type')]).toEqual([
            200,
            'application/jwk-set+json',
          ])
          expect(response.headers.get('cache-control')).toMatch(/^public, max-age=[1-9]\d*$/)
          expect(response.headers.get('access-control-allow-origin')).toBe('*')
        }
      }
    }
  })
})

describe('another service verifies tokens with the published keys', () => {
  test('as documented in docs/security.md', async () => {
    await using service = await startService({}, { keys })
    await using folder = await temporaryFolder()
    const text = await readFile(join(project, 'docs/security.md'), 'utf8')
    const example = /```ts\n(.*?)```/s.exec(text)?.[1] ?? ''
    expect(example).toContain('http://localhost:3000')
    await mkdir(join(folder.path, 'node_modules'))
    await symlink(join(project, 'node_modules/jose'), join(folder.path, 'node_modules/jose'))
    const file = join(folder.path, 'verify.ts')
    await writeFile(file, example.replace('http://localhost:3000', service.url))
    const { userIdOf } = (await import(file)) as { userIdOf(token: string): Promise<string | undefined> }

    const { user, token } = await service.account('someone')
    expect(await userIdOf(token)).toBe(user.id)
    const other = { current: importKeyPair(generateKeyPair()), previous: [] }
    const forged = await createTokens({ keys: other, ttlSeconds: 600 }).issue({ user, tokensValidFrom: 0 })
    const elsewhere = createTokens({ keys, ttlSeconds: 600, audience: 'other' })
    const foreign = await elsewhere.issue({ user, tokensValidFrom: 0 })
    const expired = await createTokens({ keys, ttlSeconds: -1 }).issue({ user, tokensValidFrom: 0 })
    for (const invalid of [forged, foreign, expired]) await expect(userIdOf(invalid.token)).rejects.toThrow()
  })

  test('after a rotation, both the old and the new tokens, without a restart', async () => {
    const pair = generateKeyPair()
    const before = { current: importKeyPair(pair), previous: [] }
    const after = { current: importKeyPair(generateKeyPair()), previous: [importPublicKey(pair)] }
    await using old = await startService({}, { keys: before })
    await using rotated = await startService({}, { keys: after })
    let url = old.url
    const keySet = createRemoteJWKSet(new URL('http://verifier.invalid'), {
      cooldownDuration: 0,
      [customFetch]: () => fetch(url + path),
    })
    const verify = async (token: string) => (await jwtVerify(token, keySet, { typ: 'at+jwt' })).payload.sub
    const first = await old.account('someone')
    expect(await verify(first.token)).toBe(first.user.id)
    url = rotated.url
    const second = await rotated.account('someone')
    expect(await verify(second.token)).toBe(second.user.id)
    expect(await verify(first.token)).toBe(first.user.id)
  })
})
