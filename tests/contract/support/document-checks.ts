import { checkProblem } from './checks.ts'
import type { Contract, Schema } from './contract.ts'
import { responsesOf } from './coverage.ts'
import type { Json } from './documents.ts'
import { expectedProblemsOfFrame } from './expected-outcomes.ts'
import { branchesOf, violationsOf } from './schemas.ts'

/** The problems that a frame causes regardless of the state of the server. */
const BY_THE_FRAME = ['malformed-json', 'validation-failed']

/** Checks the documents for internal consistency: examples against schemas, problems against the catalogue. */
export function checkDocuments(contract: Contract): string[] {
  const findings: string[] = []
  const check = (where: string, schema: Schema, value: Json) => {
    findings.push(...violationsOf(schema, value).map((violation) => `${where}: ${violation.text}`))
  }
  for (const { id, body, parameters, responses } of contract.operations) {
    for (const [name, example] of Object.entries(body?.examples ?? {})) {
      check(`${id} request example ${name}`, body?.schema ?? {}, example.value)
    }
    for (const { name, schema, example } of parameters) {
      if (example !== undefined) check(`${id} example of ${name}`, schema, example)
    }
    for (const [status, response] of Object.entries(responses)) {
      const examples = Object.values(response.content).flatMap((content) =>
        Object.keys(content.examples ?? {}),
      )
      if (examples.length === 0) findings.push(`${id} ${status} has no example`)
      if (!body || Number(status) >= 300) continue
      for (const name of examples.filter((name) => !(name in (body.examples ?? {})))) {
        findings.push(`${id} ${status}: there is no request example named ${name}`)
      }
    }
  }
  for (const [label, response] of responsesOf(contract)) {
    for (const [name, { schema, example }] of Object.entries(response.headers ?? {})) {
      if (example !== undefined) check(`${label} example of header ${name}`, schema, example)
    }
    for (const content of Object.values(response.content)) {
      for (const [name, { value }] of Object.entries(content.examples ?? {})) {
        check(`${label} example ${name}`, content.schema, value)
        findings.push(...problemFindings(contract, `${label} example ${name}`, value))
      }
    }
  }
  for (const { name, schema, examples, exampleFrames } of contract.channel.messages) {
    for (const frame of exampleFrames.filter((one) => !examples.some((example) => example.name === one)))
      findings.push(`frame ${name}: x-example-frames names the example ${frame}, which does not exist`)
    for (const example of examples) {
      check(`frame ${name} example ${example.name}`, schema, example.payload)
      const problem = (example.payload as { problem?: Json }).problem
      if (problem !== undefined)
        findings.push(...problemFindings(contract, `frame ${name} example ${example.name}`, problem))
      const input = example.frame
      if (input === undefined) {
        if (BY_THE_FRAME.includes((problem as { code?: string } | undefined)?.code ?? ''))
          findings.push(`frame ${name} example ${example.name}: x-example-frames has no frame for it`)
        continue
      }
      const expected = expectedProblemsOfFrame(contract.channel, input)
      const code = (problem as { code: string } | undefined)?.code ?? ''
      if (!expected.has(code))
        findings.push(`frame ${name} example ${example.name}: its frame does not cause ${code}`)
    }
  }
  return [
    ...findings,
    ...pathFindings(contract),
    ...readinessFindings(contract),
    ...codeFindings(contract),
    ...openObjects(contract),
  ]
}

/** A reason makes a server unready, with the problem of a stopping server or of unavailable storage, or it does not. */
function readinessFindings({ readiness, problems }: Contract): string[] {
  const statuses = [200, problems['shutting-down']?.status, problems['storage-unavailable']?.status]
  return Object.entries(readiness)
    .filter(([, { status }]) => !statuses.includes(status))
    .map(([code, { status }]) => `x-readiness ${code}: no response of /readyz has the status ${status}`)
}

/** Each path parameter has to be in the path template, and the other way around. */
function pathFindings({ operations }: Contract): string[] {
  return operations.flatMap(({ id, path, parameters }) => {
    const inTemplate = new Set([...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name))
    const declared = parameters.filter((one) => one.in === 'path' && one.required).map(({ name }) => name)
    return [...inTemplate.symmetricDifference(new Set(declared))].map(
      (name) => `${id}: the path parameter ${name} is not both in the path and declared as required`,
    )
  })
}

/** Each list of problem codes has to have exactly the codes of the catalogue. */
function codeFindings(contract: Contract): string[] {
  const lists = new Set<Json[]>()
  for (const [, { content }] of responsesOf(contract)) {
    for (const branch of Object.values(content).flatMap(({ schema }) => branchesOf(schema))) {
      const codes = branch.properties?.code?.['x-extensible-enum']
      if (codes) lists.add(codes)
    }
  }
  if (lists.size === 0) return ['no schema lists the problem codes']
  const known = new Set<Json>(Object.keys(contract.problems))
  return [...lists].flatMap((codes) =>
    [...known.symmetricDifference(new Set(codes))].map(
      (code) => `${code} is not both in x-extensible-enum and in x-problems`,
    ),
  )
}

/** Server output must not have undocumented properties, so its object schemas have to be closed. */
function openObjects(contract: Contract): string[] {
  const seen = new Set<Schema>()
  const open: string[] = []
  const walk = (schema: Schema, where: string): void => {
    if (seen.has(schema)) return
    seen.add(schema)
    for (const branch of branchesOf(schema)) {
      if (branch.properties && branch.additionalProperties !== false)
        open.push(`${where} allows additional properties`)
      for (const [name, property] of Object.entries(branch.properties ?? {}))
        walk(property, `${where}/${name}`)
      if (branch.items) walk(branch.items, `${where}/items`)
    }
  }
  for (const [label, response] of responsesOf(contract)) {
    for (const content of Object.values(response.content)) walk(content.schema, label)
  }
  for (const { from, name, schema } of contract.channel.messages)
    if (from === 'server') walk(schema, `frame ${name}`)
  return open
}

function problemFindings(contract: Contract, where: string, value: Json): string[] {
  const problem = value as { [name: string]: Json }
  if (problem.code === undefined) return []
  return checkProblem(contract, problem).map((finding) => `${where}: ${finding}`)
}
