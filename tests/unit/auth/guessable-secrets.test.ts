import { describe, expect, test } from 'bun:test'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { guessableFault } from '../../../src/auth/guessable-secrets.ts'
import { generateSecret } from '../../../src/auth/secrets.ts'

const project = resolve(import.meta.dirname, '../../..')

const randomIndex = (length: number) => (crypto.getRandomValues(new Uint32Array(1))[0] as number) % length
const randomFrom = (items: ArrayLike<string>) => items[randomIndex(items.length)] as string
const randomText = (alphabet: string, length: number) =>
  Array.from({ length }, () => randomFrom(alphabet)).join('')
const randomBytes = (length: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(length)))

const lower = 'abcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'
const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('')

/** Words that can be spoken, as the generators of passphrases print them. */
const randomWord = () =>
  Array.from(
    { length: 2 + randomIndex(2) },
    () => randomFrom('bcdfghjklmnprstvwz') + randomFrom('aeiou'),
  ).join('')

/** The secrets that are accepted. `expect` for each secret would take longer than the check. */
const acceptedOf = (secrets: Iterable<string>) =>
  [...secrets].filter((secret) => guessableFault(secret) === undefined)

function expectGuessable(...secrets: string[]): void {
  expect(acceptedOf(secrets)).toEqual([])
}

describe('random secrets are accepted', () => {
  const generators: [string, () => string][] = [
    ['the secret that the service generates', generateSecret],
    ['openssl rand -base64 48', () => randomBytes(48).toString('base64')],
    ['openssl rand -base64 24', () => randomBytes(24).toString('base64')],
    ['openssl rand -hex 32', () => randomBytes(32).toString('hex')],
    ['openssl rand -hex 16', () => randomBytes(16).toString('hex')],
    ['hexadecimal digits in upper case', () => randomBytes(16).toString('hex').toUpperCase()],
    ['two UUIDs', () => crypto.randomUUID() + crypto.randomUUID()],
    ['a UUID', () => crypto.randomUUID()],
    ['base 32', () => randomText('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 32)],
    ['lower case', () => randomText(lower, 32)],
    ['digits', () => randomText(digits, 40)],
    ['printable characters', () => randomText(printable, 32)],
    ['Greek letters', () => randomText('αβγδεζηθικλμνξοπρστυφχψω', 24)],
    ['a passphrase', () => Array.from({ length: 7 }, randomWord).join('-')],
    ['a passphrase with spaces', () => Array.from({ length: 7 }, randomWord).join(' ')],
  ]
  for (const [name, generate] of generators) {
    test(`1,000 of ${name}`, () => {
      const secrets = Array.from({ length: 1000 }, generate)
      const refused = secrets.filter((secret) => guessableFault(secret) !== undefined)
      expect(refused).toEqual([])
    })
  }

  test('sentences, and random text with a placeholder in front of it', () => {
    for (const secret of [
      'seventeen otters juggle pickled walnuts by moonlight',
      'Mein Fahrrad hat heute drei Räder verloren, schade',
      'девять старых лодок плывут против течения',
      '春眠不覚暁処処聞啼鳥夜来風雨声花落知多少',
      `secret_${randomBytes(24).toString('base64url')}`,
      `password:${randomBytes(16).toString('hex')}`,
    ]) {
      expect([secret, guessableFault(secret)]).toEqual([secret, undefined])
    }
  })
})

describe('a secret that is easy to guess is refused', () => {
  test('one repeated character', () => {
    for (const character of `${printable} é漢`) {
      for (const length of [32, 33, 64, 500]) expectGuessable(character.repeat(length))
    }
  })

  test('a random pattern of up to eight characters that is repeated', () => {
    for (let i = 0; i < 500; i++) {
      const pattern = randomText(printable, 1 + randomIndex(8))
      expectGuessable(pattern.repeat(64 / pattern.length).slice(0, 32 + randomIndex(16)))
    }
  })

  test('sequences of characters and of keys, also backwards, doubled and with another start', () => {
    const alphabets = [lower + digits, digits + lower, `${digits}abcdef`]
    const runs = [
      'qwertyuiopasdfghjklzxcvbnm',
      'mnbvcxzlkjhgfdsapoiuytrewq',
      ...alphabets.flatMap((run) => [
        run,
        [...run].reverse().join(''),
        [...run].map((each) => each + each).join(''),
        [...run].map((each, index) => each + (index % 10)).join(''),
      ]),
    ]
    for (const run of runs) {
      for (let start = 0; start < run.length; start++) {
        expectGuessable((run.slice(start) + run.repeat(3)).slice(0, 32))
        expectGuessable((run.slice(start) + run.repeat(3)).slice(0, 48).toUpperCase())
      }
    }
  })

  test('placeholder words in any order, with any separator, letter case and a short end', () => {
    const words = ['changeme', 'secret', 'password', 'change', 'this', 'jwt', 'key', 'super', 'my', 'token']
    const change: ((word: string) => string)[] = [
      (word) => word,
      (word) => word.toUpperCase(),
      (word) => word.charAt(0).toUpperCase() + word.slice(1),
      (word) => word.replaceAll('e', '3').replaceAll('a', '4').replaceAll('o', '0').replaceAll('s', '$'),
    ]
    for (let i = 0; i < 500; i++) {
      const separator = randomFrom(['', '-', '_', ' ', '.', '/'])
      const write = change[randomIndex(change.length)] as (word: string) => string
      let secret = write(randomFrom(words.slice(0, 3)))
      while (secret.length < 32) secret += separator + write(randomFrom(words))
      expectGuessable(secret)
      expectGuessable(`${secret}${randomText(digits, 3)}`)
      expectGuessable(`${secret}!`)
    }
  })

  test('a placeholder that is filled up', () => {
    for (const word of ['changeme', 'secret', 'password', 'example', 'test']) {
      for (const filling of ['0', '!', 'x', '123', '1234567890', '-', ' ', word]) {
        expectGuessable((word + filling.repeat(40)).slice(0, 40))
        expectGuessable((filling.repeat(40) + word).slice(-40))
      }
    }
  })

  test('secrets that documentation and templates of other projects contain', () => {
    for (const secret of [
      'your-256-bit-secret-your-256-bit-secret',
      'a-string-secret-at-least-256-bits-long',
      'super-secret-jwt-token-with-at-least-32-characters-long',
      'your-super-secret-jwt-key-change-in-production',
      'please-change-this-secret-before-production',
      'my_super_secret_key_that_is_at_least_32_chars',
      'thisisaverysecretkeythatnobodyknows',
      'fallback-secret-do-not-use-in-production',
      'S3cr3t-P4ssw0rd-Ch4ng3-M3-2026!!',
      'deadbeefdeadbeefdeadbeefdeadbeef',
      'correct horse battery staple correct horse battery staple',
    ]) {
      expectGuessable(secret)
    }
  })

  test('the fault says why, without any part of the secret', () => {
    const faults = [
      'abcdefghijklmnopqrstuvwxyz',
      'vB7xvB7xvB7xvB7xvB7xvB7xvB7xvB7x',
      'changeme-my-password-or-secret-key',
    ].map(guessableFault)
    expect(faults).toEqual(['is a sequence', 'repeats itself', 'consists of placeholder words'])
  })
})

test('no file for operators contains a secret that the service would accept', async () => {
  const documents = [
    ...(await readdir(join(project, 'docs')))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
    ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md', '.env.example', 'Dockerfile'],
  ]
  const texts = await Promise.all(documents.map((name) => readFile(join(project, name), 'utf8')))
  const values = texts.flatMap((text) =>
    [...text.matchAll(/JWT_SECRET(?:_PREVIOUS)?[=:]\s*(?:"([^"$]+)"|'([^'$]+)'|([^\s"'`$]+))/g)].map(
      ([, ...quoted]) => quoted.find((each) => each !== undefined) ?? '',
    ),
  )
  expect(acceptedOf(values.filter((value) => Buffer.byteLength(value) >= 32))).toEqual([])
})
