// Exits with 1 and prints the errors if the reference parser of AsyncAPI rejects the document.
import { fromFile, Parser } from '@asyncapi/parser'

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse()
const errors = diagnostics.filter(({ severity }) => severity === 0)
for (const { path, message } of errors) console.error(`${path.join('.')}: ${message}`)
process.exitCode = document && errors.length === 0 ? 0 : 1
