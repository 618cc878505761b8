import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../fixtures/free-port.ts'
import { type Check, root, runNode, spec } from './tools.ts'

const redocly = join(root, 'node_modules/@redocly/cli/bin/cli.js')
const reports = join(root, 'reports/witness')
const har = join(reports, 'traffic.har')
const suite = ['examples', 'rejections', 'constraints'].map((name) => `tests/contract/${name}.test.ts`)
const httpTests = '^(?!.*(frame|[Ss]ocket|handshake)).*$'

/** `redocly proxy` records the HTTP traffic of the contract suite, and `redocly drift` checks it. */
export async function checkTraffic(check: Check, url: string): Promise<void> {
  mkdirSync(reports, { recursive: true })
  rmSync(har, { force: true })
  await check('redocly proxy records the traffic of the contract suite', async () => {
    await recordTraffic(url)
    const { log } = JSON.parse(readFileSync(har, 'utf8')) as { log: { entries: unknown[] } }
    console.log(`redocly proxy recorded ${log.entries.length} exchanges`)
    if (log.entries.length === 0) throw new Error('No exchange was recorded')
  })
  await check('redocly drift finds no contradiction in the responses', () => findDrift(url))
}

async function recordTraffic(url: string): Promise<void> {
  const port = freePort()
  const proxyUrl = `http://127.0.0.1:${port}`
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const proxy = Bun.spawn(['node', redocly, 'proxy', '--target', url, '--port', String(port), '--har', har], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  try {
    await reachable(`${proxyUrl}/livez`)
    // The contract suite reports its own failures; `bun run test:contract` runs it. Here it produces traffic.
    await Bun.spawn(
      [process.execPath, 'test', '--timeout=60000', ...suite, '--test-name-pattern', httpTests],
      { cwd: root, env: { ...env, BASE_URL: proxyUrl }, stdio: ['ignore', 'ignore', 'ignore'] },
    ).exited
  } finally {
    proxy.kill('SIGINT')
    await proxy.exited
  }
}

async function findDrift(url: string): Promise<void> {
  const report = join(reports, 'drift.json')
  rmSync(report, { force: true })
  const options = ['--max-findings', '1000', '--format', 'json', '-o', report]
  // The command fails if there are findings; the report says whether they concern responses.
  await runNode([redocly, 'drift', har, '--api', spec.openapi, '--server', url, ...options]).catch(() => {})
  const { problems } = JSON.parse(readFileSync(report, 'utf8')) as {
    problems: { ruleId: string; target: string; message: string }[]
  }
  // The suite sends invalid requests on purpose (no token, an unknown method, path or query parameter).
  // The tool reports each of them as drift, since OpenAPI cannot describe the responses to other methods
  // and unknown paths. Only findings about responses concern the service.
  const inResponses = problems.filter(({ target }) => target !== 'request')
  console.log(`redocly drift: ${problems.length - inResponses.length} findings in invalid requests ignored`)
  if (inResponses.length === 0) return
  throw new Error(inResponses.map(({ ruleId, message }) => `${ruleId}: ${message}`).join('\n'))
}

async function reachable(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok) return
    await Bun.sleep(50)
  }
  throw new Error(`No server responds at ${url}`)
}
