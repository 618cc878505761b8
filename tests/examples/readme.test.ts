import { expect, test } from 'bun:test'
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { endWithParent } from '../unit/support/end-with-parent.ts'
import { startService } from './live-service.ts'

const project = resolve(import.meta.dirname, '../..')
const readme = await Bun.file(join(project, 'README.md')).text()

/** The commands of a section, as one script. */
function commandsOf(heading: string): string {
  const section = readme.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? ''
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => commands).join('')
}

/** A folder with the commands that a machine without Bun has. Its `npx` runs this Bun instead of downloading one. */
async function commandsWithoutBun(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-readme-'))
  for (const name of ['bash', 'curl', 'cut', 'sleep']) {
    await symlink(Bun.which(name) as string, join(folder, name))
  }
  const npx = join(folder, 'npx')
  const run = `[ "$1 $2" = "--yes bun@${Bun.version}" ] || exit 9; shift 2; exec "${process.execPath}" "$@"`
  await writeFile(npx, `#!${join(folder, 'bash')}\n${run}\n`)
  await chmod(npx, 0o755)
  return folder
}

test('the tour of the README works in a new terminal on a machine with only Node', async () => {
  const [service, folder] = await Promise.all([startService(), commandsWithoutBun()])
  const tour = commandsOf('A tour').replaceAll('localhost:3000', new URL(service.url).host)
  // A reader ends the client with `kill %1`; here, it runs until the end of the script.
  const stopClients = 'for job in $(jobs -p); do kill -- -$job; done'
  const terminal = Bun.spawn(['bash', '-c', `set -m; trap '${stopClients}' EXIT\n${tour}sleep 4`], {
    cwd: project,
    env: { PATH: folder },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  endWithParent(terminal)
  const [output, errors] = await Promise.all([
    new Response(terminal.stdout).text(),
    new Response(terminal.stderr).text(),
  ])
  expect(errors).not.toContain('not found')
  expect(await terminal.exited).toBe(0)
  expect(output).toContain('"message":"User registered successfully"')
  expect(output).toContain('"user":{"id":')
  expect(output).toContain('{"message":"Message sent successfully"}')
  // The client is connected, and receives the message.
  expect(output).toContain('(open)')
  expect(output).toContain('exampleuser: Hello, world!')
  await service.stop()
  await rm(folder, { recursive: true })
}, 300_000)
