import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Check, root, run, runNode, spec, tools } from './tools.ts'

interface Operation {
  operationId: string
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}
type Content = Record<string, { examples?: Record<string, { value: unknown }> }>

const values = (content: Content = {}) =>
  Object.values(content).flatMap(({ examples = {} }) => Object.values(examples).map(({ value }) => value))

/** The examples of requests and successful responses, by the names that orval gives to their schemas. */
function documentedExamples(): Record<string, unknown[]> {
  const { paths } = Bun.YAML.parse(readFileSync(spec.openapi, 'utf8')) as {
    paths: Record<string, Record<string, Operation>>
  }
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  return Object.fromEntries(
    operations.flatMap(({ operationId, requestBody, responses }) => {
      const name = operationId.charAt(0).toUpperCase() + operationId.slice(1)
      const [, success] = Object.entries(responses).find(([status]) => status.startsWith('2')) ?? []
      const response = [[`${name}Response`, values(success?.content)]] as const
      return requestBody ? [[`${name}Body`, values(requestBody.content)], ...response] : response
    }),
  )
}

/** Clients that three generators write from openapi.yaml compile, and work with the service at `url`. */
export async function checkGeneratedClients(check: Check, url: string): Promise<void> {
  // The folder is outside of the project, so that nothing that is generated can be committed.
  const folder = mkdtempSync(join(tmpdir(), 'parley-witness-'))
  const generated = join(folder, 'generated')
  cpSync(join(import.meta.dir, 'clients'), folder, { recursive: true })
  symlinkSync(tools, join(folder, 'node_modules'))
  const bin = (name: string) => join(tools, '.bin', name)
  const types = join(root, 'node_modules/@types')
  const compile = [join(tools, 'typescript/bin/tsc'), '-p', folder, '--typeRoots', types]
  const useClient = (file: string, env: Record<string, string> = {}) =>
    run([process.execPath, join(folder, file)], { cwd: folder, env: { BASE_URL: url, ...env } })
  try {
    // Outside of the project, because this generator would read redocly.yaml, which is for a newer version.
    await check('openapi-typescript generates types for openapi-fetch', () =>
      runNode([bin('openapi-typescript'), spec.openapi, '-o', join(generated, 'openapi-typescript.ts')], {
        cwd: folder,
      }),
    )
    await check('hey-api generates a client', () =>
      runNode(
        [
          ...[bin('openapi-ts'), '-i', spec.openapi, '-o', join(generated, 'hey-api')],
          ...['-c', '@hey-api/client-fetch', '--no-log-file'],
        ],
        { cwd: folder },
      ),
    )
    await check('orval generates zod schemas', () =>
      runNode([bin('orval'), '--config', join(import.meta.dir, 'orval.config.mjs')], {
        cwd: folder,
        env: { DOCUMENT: spec.openapi, TARGET: join(generated, 'orval.ts') },
      }),
    )
    await check('TypeScript compiles the generated clients', () => runNode(compile, { cwd: folder }))
    const story = 'registers, logs in, reads the profile, sends and lists'
    await check(`openapi-fetch ${story}`, () => useClient('openapi-fetch.ts'))
    await check(`hey-api ${story}`, () => useClient('hey-api.ts'))
    await check(
      `orval with zod ${story}; its schemas accept the examples and refuse unpaired surrogates`,
      () => useClient('zod.ts', { EXAMPLES: JSON.stringify(documentedExamples()) }),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}
