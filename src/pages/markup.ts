// Renders the texts, values and schemas of the documents as HTML.
import type { JsonSchema } from '../contract/documents.ts'

export const escapeHtml = (text: string) => Bun.escapeHTML(text)

export const code = (text: string) => `<code>${escapeHtml(text)}</code>`

/** A text of a document, which is Markdown, as paragraphs. */
export const markdown = (text: string) => Bun.markdown.html(text, { noHtmlBlocks: true, noHtmlSpans: true })

/** A text of a document in one paragraph, without the element around it. */
export const inlineMarkdown = (text: string) =>
  markdown(text)
    .trim()
    .replace(/^<p>(.*)<\/p>$/s, '$1')

export const jsonBlock = (value: unknown) => codeBlock(JSON.stringify(value, null, 2))

export const codeBlock = (text: string) => `<pre><code>${escapeHtml(text)}</code></pre>`

/** A table. Headings are texts, and cells are HTML. */
export const table = (headings: readonly string[], rows: readonly (readonly string[])[]) => {
  const cells = (name: 'th' | 'td', row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${name}${name === 'th' ? ' scope="col"' : ''}>${cell}</${name}>`).join('')}</tr>`
  return `<table>
<thead>${cells('th', headings.map(escapeHtml))}</thead>
<tbody>${rows.map((row) => cells('td', row)).join('\n')}</tbody>
</table>`
}

const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

const plural = (count: unknown, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

function lengthOf({ minLength, maxLength }: JsonSchema): string[] {
  if (minLength !== undefined && maxLength !== undefined)
    return [`${minLength} to ${plural(maxLength, 'character')}`]
  if (maxLength !== undefined) return [`at most ${plural(maxLength, 'character')}`]
  return minLength === undefined ? [] : [`at least ${plural(minLength, 'character')}`]
}

/** The type of a value and its limits, as HTML. */
function typeOf(schema: JsonSchema): string {
  const {
    const: constant,
    enum: values,
    anyOf,
    type,
    format,
    pattern,
    minimum,
    maximum,
    default: preset,
  } = schema
  if (constant !== undefined) return code(JSON.stringify(constant))
  if (Array.isArray(values)) return values.map((value) => code(JSON.stringify(value))).join(', ')
  if (Array.isArray(anyOf)) return anyOf.map((each) => typeOf(each as JsonSchema)).join(', or ')
  return [
    escapeHtml([type].flat().join(' or ')),
    ...(typeof format === 'string' ? [escapeHtml(format)] : []),
    ...lengthOf(schema),
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
    ...(typeof pattern === 'string' ? [`pattern ${code(pattern)}`] : []),
    ...(preset === undefined ? [] : [`default ${code(JSON.stringify(preset))}`]),
  ].join(', ')
}

interface Property {
  readonly name: string
  readonly schema: JsonSchema
  readonly required: boolean
}

/** The properties of an object, followed by those of the objects within. */
function propertiesOf(schema: JsonSchema, prefix = ''): Property[] {
  const required = (schema.required ?? []) as readonly string[]
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>
  return Object.entries(properties).flatMap(([key, property]) => {
    const name = prefix + key
    const items = property.items as JsonSchema | undefined
    const within = items ? propertiesOf(items, `${name}[].`) : propertiesOf(property, `${name}.`)
    return [{ name, schema: property, required: required.includes(key) }, ...within]
  })
}

/** The properties of an object as a definition list. */
export function propertyList(schema: JsonSchema): string {
  const entries = propertiesOf(schema).map(({ name, schema: property, required }) => {
    const description =
      typeof property.description === 'string' ? ` ${inlineMarkdown(property.description)}` : ''
    const type = `${required ? '' : 'optional '}${typeOf(property)}`
    return `<dt>${escapeHtml(name)}</dt><dd><span class="muted">${capitalize(type)}.</span>${description}</dd>`
  })
  return `<dl class="properties">\n${entries.join('\n')}\n</dl>`
}

/** Makes wide content scroll on its own, also with the keyboard. */
export const scrollable = (label: string, html: string) =>
  `<div class="scroll" role="region" aria-label="${escapeHtml(label)}" tabindex="0">${html}</div>`
