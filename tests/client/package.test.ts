import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleScript } from '../../src/pages/bundle-script.ts'
import { chromiumPath, openBrowser } from '../fixtures/browser.ts'
import { type Service, startService } from '../unit/support/service.ts'
import { installTools, nodePath, project, run } from './support/tools.ts'

const maxBytes = 6700
let folder: string
let tools: string
let tarball: string
let service: Service

/** Creates a project that has installed the tarball, with a program. */
async function createProject(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder, name)
  const installed = join(path, 'node_modules/@parley')
  await mkdir(installed, { recursive: true })
  await run(['tar', '-xzf', tarball, '-C', installed])
  await run(['mv', join(installed, 'package'), join(installed, 'client')])
  for (const each of ['typescript', '@types', 'undici-types', 'csstype', 'ws']) {
    await symlink(join(tools, each), join(path, 'node_modules', each))
  }
  await Bun.write(join(path, 'package.json'), JSON.stringify({ name, type: 'module', private: true }))
  for (const [file, text] of Object.entries(files)) await Bun.write(join(path, file), text)
  return path
}

const program = `
import { createClient, isParleyError } from '@parley/client'
const [, , url = '', username = ''] = process.argv
const client = createClient(url)
const credentials = { username, password: 'correct horse battery staple' }
await client.registerUser(credentials)
await client.loginUser(credentials)
const chat = client.chat({ from: { last: 10 } })
chat.on('message', ({ user, message }) => console.log(user.username + ': ' + message))
await chat.send('Hello from ' + username)
await chat.close()
const error: unknown = await client.registerUser(credentials).catch((each: unknown) => each)
if (isParleyError(error, 'registerUser')) console.log(error.code satisfies string)
`
/** The same without types. */
const script = program.replaceAll(': unknown', '').replace(' satisfies string', '')
const printed = (username: string) => `${username}: Hello from ${username}\nusername-taken\n`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-package-'))
  tools = await installTools()
  await run([process.execPath, 'run', 'build:client'])
  // A copy, so that parallel runs do not write into the same folder.
  await cp(join(project, 'client'), join(folder, 'client'), { recursive: true })
  const output = await run(
    [process.execPath, 'pm', 'pack', '--destination', folder, '--quiet'],
    join(folder, 'client'),
  )
  tarball = join(folder, output.trim().split('/').at(-1) as string)
  service = await startService()
}, 300_000)

afterAll(async () => {
  await service[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

test(`the minified client has at most ${maxBytes} bytes with gzip`, () => {
  const bytes = Bun.gzipSync(bundleScript('../../client/src/index.ts'), { level: 9 }).length
  console.log(`${bytes} bytes`)
  expect(bytes).toBeLessThanOrEqual(maxBytes)
})

test('the package contains the module, its types and its documentation, and nothing else', async () => {
  const files = (await run(['tar', '-tzf', tarball])).trim().split('\n').sort()
  const unexpected = files.filter(
    (file) =>
      !/^package\/(package\.json|README\.md|docs\/[a-z-]+\.md|dist\/[a-z.-]+\.d\.ts|dist\/index\.js)$/.test(
        file,
      ),
  )
  expect(unexpected).toEqual([])
  expect(files).toContain('package/dist/index.js')
  expect(files).toContain('package/dist/index.d.ts')
  expect(files).toContain('package/README.md')
})

test('publint and attw have no complaints', async () => {
  const node = await nodePath(tools)
  await run([node, join(tools, 'publint/src/cli.js'), tarball, '--strict'])
  await run([node, join(tools, '@arethetypeswrong/cli/dist/index.js'), tarball, '--profile', 'esm-only'])
})

test('the installed package type-checks, for Node and for browsers', async () => {
  const path = await createProject('types', { 'main.ts': program })
  const tsc = [await nodePath(tools), join(tools, 'typescript/bin/tsc'), '-p']
  const strict = { strict: true, noEmit: true, target: 'es2022' }
  await Bun.write(join(path, 'page.ts'), program.replace('process.argv', "['', '', '/', 'anna']"))
  for (const [file, options] of [
    ['main.ts', { module: 'nodenext', lib: ['es2022'], types: ['node'] }],
    ['page.ts', { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] }],
  ] as const) {
    const configuration = { compilerOptions: { ...strict, ...options }, files: [file] }
    await Bun.write(join(path, `${file}.json`), JSON.stringify(configuration))
    await run([...tsc, `${file}.json`], path)
  }
}, 300_000)

test('the examples of the documentation type-check', async () => {
  const path = await createProject('documentation', {})
  const pages = ['README.md', ...new Bun.Glob('docs/*.md').scanSync(join(project, 'client'))]
  const files: string[] = []
  for (const page of pages) {
    const text = await Bun.file(join(project, 'client', page)).text()
    for (const [index, [, extension, code]] of [...text.matchAll(/^```(tsx?)\n(.*?)^```/gms)].entries()) {
      const file = `${page.replaceAll(/[/.]/g, '-')}-${index}.${extension}`
      files.push(file)
      await Bun.write(join(path, file), code as string)
    }
  }
  expect(files.length).toBeGreaterThan(10)
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    module: 'nodenext',
    jsx: 'react-jsx',
    lib: ['esnext', 'dom', 'dom.asynciterable'],
    types: ['node'],
  }
  await Bun.write(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  await run([await nodePath(tools), join(tools, 'typescript/bin/tsc'), '-p', '.'], path)
}, 300_000)

test('the installed package runs in Node 22 and in Bun', async () => {
  const path = await createProject('runs', { 'main.js': script })
  for (const [name, runtime] of [
    ['node-user', await nodePath(tools)],
    ['bun-user', process.execPath],
  ] as const) {
    const output = await run([runtime, 'main.js', service.url, name], path)
    expect(output.endsWith(printed(name))).toBe(true)
  }
})

test('the installed package runs in Chromium', async () => {
  const path = await createProject('page', {})
  await using open = await startService({ CORS_ORIGINS: '*' })
  await using pages = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ url }) =>
      url.endsWith('/client.js')
        ? new Response(Bun.file(join(path, 'node_modules/@parley/client/dist/index.js')))
        : new Response('<!doctype html><title>Test</title>', { headers: { 'content-type': 'text/html' } }),
  })
  const executable = chromiumPath()
  if (!executable) throw new Error('This test needs Chromium, in the path or named by CHROMIUM_PATH')
  const browser = await openBrowser(executable)
  try {
    const page = await browser.newPage()
    await page.goto(pages.url.href)
    const inPage = script
      .replace(/^import .*$/m, "const { createClient, isParleyError } = await import('/client.js')")
      .replace(/^const \[.*process\.argv$/m, `const [url, username] = ['${open.url}', 'page-user']`)
      .replaceAll('console.log', 'lines.push')
    const lines = await page.evaluate(`(async () => { const lines = []; ${inPage}; return lines })()`)
    expect(lines).toEqual(printed('page-user').trim().split('\n'))
  } finally {
    await browser.close()
  }
}, 300_000)

test('a runtime without WebSocket uses that of ws', async () => {
  const withWs = script
    .replace('import', "import { WebSocket } from 'ws'\ndelete globalThis.WebSocket\nimport")
    .replace('createClient(url)', 'createClient(url, { WebSocket })')
  const path = await createProject('ws', { 'main.js': withWs })
  const output = await run([await nodePath(tools), 'main.js', service.url, 'ws-user'], path)
  expect(output.endsWith(printed('ws-user'))).toBe(true)
})

test('the service serves the client to pages of every origin, compressed', async () => {
  const response = await fetch(`${service.url}/client.js`, {
    headers: { origin: 'https://elsewhere.example' },
  })
  expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(response.headers.get('content-encoding')).toBe('gzip')
  expect(await response.text()).toBe(bundleScript('../../client/src/index.ts'))
  const etag = response.headers.get('etag') as string
  const again = await fetch(`${service.url}/client.js`, { headers: { 'if-none-match': etag } })
  expect(again.status).toBe(304)
})
