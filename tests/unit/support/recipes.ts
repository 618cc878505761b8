import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../fixtures/free-port.ts'
import { startChild } from './child.ts'
import { mainFile } from './command.ts'
import { bearer, temporaryFolder } from './service.ts'

export interface Recipe {
  readonly title: string
  /** The fenced blocks of the section: shell scripts, and lines of a crontab. */
  readonly blocks: readonly { readonly language: string; readonly text: string }[]
}

/** The sections of a page that have code, by their titles. */
export async function readRecipes(path: string): Promise<Recipe[]> {
  const page = await readFile(path, 'utf8')
  return page
    .split(/^#{2,3} /m)
    .slice(1)
    .map((section) => ({
      title: section.slice(0, section.indexOf('\n')),
      blocks: [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
        language,
        text,
      })),
    }))
    .filter(({ blocks }) => blocks.length > 0)
}

/** Programs that the recipes call, for a machine that has neither systemd nor a container engine. */
const programs: Readonly<Record<string, string>> = {
  parley: 'exec "$BUN" "$MAIN" "$@"',
  systemctl: 'exec "$BUN" -e "$REQUEST" "$1"',
  // The container has the data folder at /data.
  docker: `
    case "$1" in
      exec) shift; while [ "$1" != parley ]; do shift; done; shift ;;
      run) shift; while [ "$1" != parley ]; do shift; done; shift ;;
      cp) exec cp "data/\${2#parley:/data/}" "$3" ;;
      *) exec systemctl "$1" parley ;;
    esac
    for argument; do
      shift
      case "$argument" in /data/*) argument="data/\${argument#/data/}" ;; esac
      set -- "$@" "$argument"
    done
    exec "$@"`,
}

const request = `
  const response = await fetch(process.env.HARNESS + process.argv[1], { method: "POST" })
  if (!response.ok) { console.error(await response.text()); process.exit(1) }`

/** The password of the account that the recipes change. */
export const password = 'correct horse battery staple'

/**
 * A folder as the recipes assume it: a running service with its data in `data`, the account `exampleuser`, and the
 * programs that the recipes call.
 */
export async function startPlayground() {
  const folder = await temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  const environment = {
    HOST: '127.0.0.1',
    PORT: String(freePort()),
    DATA_DIR: at('data'),
    RATE_LIMITS: 'off',
    DRAIN_SECONDS: '0',
  }
  let service: Awaited<ReturnType<typeof startChild>> | undefined = await startChild({ environment })

  async function control(action: string): Promise<Response> {
    if (action === 'stop' || action === 'restart') await service?.stop()
    if (action === 'stop') service = undefined
    if (action === 'start' || action === 'restart') service = await startChild({ environment })
    return new Response(action, { status: ['start', 'stop', 'restart'].includes(action) ? 200 : 400 })
  }

  const harness = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    // A stop waits for the service, which may take longer than the default timeout.
    idleTimeout: 120,
    fetch: ({ url }) => control(new URL(url).pathname.slice(1)),
  })
  await mkdir(at('bin'))
  await mkdir(at('backups'))
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(at(`bin/${name}`), `#!/bin/sh\n${script}\n`)
    await chmod(at(`bin/${name}`), 0o755)
  }

  const url = `http://127.0.0.1:${environment.PORT}`
  const post = (path: string, body: object, headers = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const credentials = { username: 'exampleuser', password }
  await post('/api/auth/register', credentials)

  return {
    at,
    logIn: async (secret = password, username = credentials.username) => {
      const response = await post('/api/auth/login', { username, password: secret })
      return { status: response.status, token: ((await response.json()) as { token?: string }).token ?? '' }
    },
    send: async (token: string, message: string) =>
      (await post('/api/chats/send', { message }, bearer(token))).status,
    profile: async (token: string) =>
      (await fetch(`${url}/api/users/profile`, { headers: bearer(token) })).status,
    async history(token: string) {
      const response = await fetch(`${url}/api/chats/messages`, { headers: bearer(token) })
      return ((await response.json()) as { messages: { id: string; message: string }[] }).messages
    },
    isRunning: () => service !== undefined,
    /** Runs a script in the folder; returns what it writes. Fails if any of its commands fails. */
    async run(script: string, input = ''): Promise<string> {
      const child = Bun.spawn(['sh', '-ec', script], {
        cwd: folder.path,
        env: {
          ...environment,
          PATH: `${at('bin')}:${process.env.PATH}`,
          BUN: process.execPath,
          MAIN: mainFile,
          REQUEST: request,
          HARNESS: harness.url.href,
        },
        stdin: new Blob([input]),
        stdout: 'pipe',
        stderr: 'pipe',
      })
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ])
      if ((await child.exited) !== 0) throw new Error(`${script}\nfailed: ${stdout}${stderr}`)
      return stdout
    },
    async [Symbol.asyncDispose]() {
      await service?.[Symbol.asyncDispose]()
      await harness.stop(true)
      await folder[Symbol.asyncDispose]()
    },
  }
}

export type Playground = Awaited<ReturnType<typeof startPlayground>>
