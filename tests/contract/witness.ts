/**
 * Checks the same things with third-party tools: `bun run test:witness`. `redocly proxy` records the HTTP
 * traffic of the contract suite, `redocly drift` compares it with openapi.yaml, and `redocly lint`
 * validates the examples.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startServer, stopServer } from './support/server.ts'

const root = join(import.meta.dir, '../..')
const reports = join(root, 'reports/witness')
mkdirSync(reports, { recursive: true })
const har = join(reports, 'traffic.har')
const redocly = join(root, 'node_modules/@redocly/cli/bin/cli.js')
const port = 4040

const service = await startServer('witnessed')
const proxy = run(['proxy', '--target', service.url, '--port', String(port), '--har', har], 'pipe')
await reachable(`http://127.0.0.1:${port}/livez`)
const suite = Bun.spawn(
  [
    process.execPath,
    'test',
    '--timeout=60000',
    'tests/contract/examples.test.ts',
    'tests/contract/rejections.test.ts',
    'tests/contract/constraints.test.ts',
    '--test-name-pattern',
    '^(?!.*(frame|[Ss]ocket|handshake)).*$',
  ],
  {
    cwd: root,
    env: { ...process.env, BASE_URL: `http://127.0.0.1:${port}` },
    stdout: 'ignore',
    stderr: 'ignore',
  },
)
await suite.exited
proxy.kill('SIGINT')
await proxy.exited
await stopServer(service)

const exchanges = (JSON.parse(readFileSync(har, 'utf8')) as { log: { entries: unknown[] } }).log.entries
  .length
console.log(`redocly proxy recorded ${exchanges} exchanges`)
const drift = run(
  [
    'drift',
    har,
    '--api',
    'spec/openapi.yaml',
    '--server',
    service.url,
    '--max-findings',
    '1000',
    '--format',
    'json',
    '-o',
    join(reports, 'drift.json'),
  ],
  'inherit',
)
await drift.exited
const { problems } = JSON.parse(readFileSync(join(reports, 'drift.json'), 'utf8')) as {
  problems: { ruleId: string; target: string; message: string }[]
}
// The suite sends invalid requests on purpose (no token, an unknown method, path or query parameter).
// The tool reports each of them as drift, since OpenAPI cannot describe the responses to other methods
// and unknown paths. Only findings about responses concern the service.
const inResponses = problems.filter(({ target }) => target !== 'request')
for (const { ruleId, message } of inResponses) console.log(`drift: ${ruleId}: ${message}`)
console.log(
  `redocly drift: ${inResponses.length} findings in responses; ${problems.length - inResponses.length} ignored, in requests that are invalid on purpose`,
)
const drifted = inResponses.length > 0
const lint = run(['lint', 'spec/openapi.yaml', '--extends', 'recommended'], 'inherit')
const examples = (await lint.exited) !== 0
const failed = Number(drifted) + Number(examples) + Number(exchanges === 0)
console.log(`${3 - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

function run(args: string[], output: 'inherit' | 'pipe') {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  return Bun.spawn(['node', redocly, ...args], { cwd: root, env, stdout: output, stderr: output })
}

async function reachable(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return
    await Bun.sleep(50)
  }
  throw new Error(`No server responds at ${url}`)
}
