import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Playground, type Recipe, readRecipes, startPlayground } from '../support/recipes.ts'

// Each test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

const page = fileURLToPath(new URL('../../../docs/operating.md', import.meta.url))
const recipes = await readRecipes(page)

/** Runs the blocks of a recipe in turn, and describes what must be true before and after each. */
type Scenario = (playground: Playground, blocks: readonly string[]) => Promise<void>

/** The recipes, by their titles. Each runs the blocks of the page unchanged, except for the names given here. */
const scenarios: Readonly<Record<string, Scenario>> = {
  Commands: async ({ run, send, logIn, history, at, isRunning }, [container = '']) => {
    const { token } = await logIn()
    await send(token, 'in the container')
    expect(await run(container)).toContain('exampleuser')
    expect(existsSync(at('backup.sqlite'))).toBe(true)
    expect(isRunning()).toBe(true)
    expect((await history(token)).map(({ message }) => message)).toEqual(['in the container'])
  },

  'Forgotten password': async ({ run, logIn, profile, at }, [typed = '', script = '']) => {
    const { token } = await logIn()
    await run(typed, 'the first new password\n')
    expect(await profile(token)).toBe(401)
    const second = await logIn('the first new password')
    expect(second.status).toBe(200)
    await run(script)
    expect(await profile(second.token)).toBe(401)
    expect(existsSync(at('new-password'))).toBe(false)
  },

  'Abusive user': async (playground, [lock = '', message = '', remove = '']) => {
    const { run, logIn, profile, send, history } = playground
    const { token } = await logIn()
    const reader = await addReader(playground)
    for (const text of ['abuse', 'a harmless message']) await send(token, text)
    await run(lock)
    expect([await profile(token), (await logIn()).status]).toEqual([401, 401])
    const id = (await history(reader))[0]?.id
    await run(message.replace(/\S+$/m, String(id)))
    await run(remove)
    expect((await history(reader)).map((each) => each.message)).toEqual(['a harmless message'])
    expect(JSON.parse(await run('parley users show exampleuser --json')).removedAt).not.toBeNull()
  },

  'Erasing the data of a person': async (playground, [erase = '']) => {
    const { run, logIn, send, history } = playground
    const { token } = await logIn()
    await send(token, 'personal data')
    const reader = await addReader(playground)
    const output = await run(erase)
    expect(output).toContain('Removed exampleuser. 1 message erased.')
    expect(await history(reader)).toEqual([])
    expect((await logIn()).status).toBe(401)
  },

  'Full disk': async ({ run, logIn, send, history, at, isRunning }, [look = '', shrink = '']) => {
    const { token } = await logIn()
    await send(token, 'before')
    const [{ id = '' } = {}] = await history(token)
    await Bun.write(at('data/parley-replaced-20260101T000000.000Z.sqlite'), 'replaced before')
    expect(await run(look)).toContain('parley.sqlite')
    expect((await readdir(at('data'))).filter((name) => name.startsWith('parley-replaced'))).toEqual([])
    await run(shrink)
    expect(isRunning()).toBe(true)
    expect((await readdir(at('data'))).filter((name) => name.startsWith('parley-replaced'))).toEqual([])
    // The ids stay, so that clients resume as usual.
    expect((await history(token)).map((each) => each.id)).toEqual([id])
  },

  'Upgrade and rollback': async ({ run, logIn, send, history }, [upgrade = '', rollBack = '']) => {
    const { token } = await logIn()
    await send(token, 'before the upgrade')
    expect(await run(upgrade)).toContain('The service can start.')
    await send(token, 'after the upgrade')
    await run(rollBack)
    expect((await history(token)).map(({ message }) => message)).toEqual(['before the upgrade'])
  },

  'Backup by cron': async ({ run, at }, [line = '']) => {
    const [, command = ''] = /^(?:\S+ ){5}(.*)$/m.exec(line) ?? []
    // Cron turns an escaped percent sign into a percent sign.
    const script = command.replaceAll('\\%', '%').replace('/srv/parley', '"$PWD"')
    expect(await run(script)).toBe('')
    expect(await run(script)).toBe('')
    expect(await readdir(at('backups'))).toEqual([expect.stringMatching(/^day-[1-7]\.sqlite$/)])
  },

  Restore: async ({ run, logIn, send, history, isRunning }, [restore = '']) => {
    const { token } = await logIn()
    await send(token, 'in the backup')
    await run('parley backup backups/day-1.sqlite')
    await send(token, 'after the backup')
    expect(await run(restore)).toContain('Restored 1 account and 1 message.')
    expect(isRunning()).toBe(true)
    expect((await history(token)).map(({ message }) => message)).toEqual(['in the backup'])
  },

  'Rotating keys': async ({ run, logIn, profile }, [rotate = '', finish = '']) => {
    const { token } = await logIn()
    await run(rotate)
    const { token: newer } = await logIn()
    expect([await profile(token), await profile(newer)]).toEqual([200, 200])
    await run(`${finish}\nsystemctl restart parley`)
    expect([await profile(token), await profile(newer)]).toEqual([401, 200])
  },

  'A leaked secret': async ({ run, logIn, profile }, [replace = '']) => {
    const { token } = await logIn()
    await run(replace)
    expect(await profile(token)).toBe(401)
    expect((await logIn()).status).toBe(200)
  },
}

/** Adds another account, and returns its token. */
async function addReader({ run, logIn }: Playground): Promise<string> {
  const secret = 'another correct horse'
  await run('parley users add reader', secret)
  return (await logIn(secret, 'reader')).token
}

/** Building the image needs a container engine, and is a step of the hosted checks. */
const withoutScenario = ['Running in a container']

test('every section of the page with commands has a scenario, and every scenario a section', () => {
  const titles = recipes.map(({ title }) => title).filter((title) => !withoutScenario.includes(title))
  expect(titles.sort()).toEqual(Object.keys(scenarios).sort())
})

test.each(recipes.filter(({ title }) => title in scenarios).map((recipe) => [recipe.title, recipe] as const))(
  'the recipe "%s" works as the page describes it',
  async (title, { blocks }: Recipe) => {
    await using playground = await startPlayground()
    await scenarios[title]?.(
      playground,
      blocks.map(({ text }) => text),
    )
  },
)
