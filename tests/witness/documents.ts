import { join } from 'node:path'
import { type Check, root, runNode, spec, tools } from './tools.ts'

const redocly = join(root, 'node_modules/@redocly/cli/bin/cli.js')
const spectral = join(tools, '@stoplight/spectral-cli/dist/index.js')

/** Parsers and linters accept both documents without errors. */
export async function checkDocuments(check: Check): Promise<void> {
  await check('@asyncapi/parser accepts asyncapi.yaml', () =>
    runNode([join(import.meta.dir, 'parse-asyncapi.mjs'), spec.asyncapi]),
  )
  for (const [name, path] of Object.entries(spec)) {
    const ruleset = join(import.meta.dir, '.spectral.yaml')
    await check(`Spectral accepts ${name}.yaml`, () =>
      runNode([spectral, 'lint', path, '--ruleset', ruleset, '--fail-severity', 'error']),
    )
  }
  await check('redocly lint accepts openapi.yaml and its examples', () =>
    runNode([redocly, 'lint', spec.openapi, '--extends', 'recommended']),
  )
}
