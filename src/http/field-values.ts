// The grammar that header fields share (RFC 9110, section 5.6).

/** A media type with its parameters. Names, but not the values of parameters, are in lower case. */
export interface MediaType {
  readonly type: string
  /** In order. A name may occur several times. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const quotedString = String.raw`"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"`
const typePattern = new RegExp(`^[ \\t]*(${token}/${token})[ \\t]*(?:;|$)`)
/** One parameter, which may be empty, and the semicolon after it. */
const parameterPattern = new RegExp(`[ \\t]*(?:(${token})=(${token}|${quotedString}))?[ \\t]*(?:;|$)`, 'y')

const unquote = (value: string) =>
  value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value

/** Parses a media type or a media range (RFC 9110, section 8.3.1). Returns undefined if it is malformed. */
export function parseMediaType(text: string): MediaType | undefined {
  const type = typePattern.exec(text)
  if (!type) return undefined
  const parameters: [string, string][] = []
  parameterPattern.lastIndex = type[0].length
  while (parameterPattern.lastIndex < text.length) {
    const match = parameterPattern.exec(text)
    if (!match) return undefined
    const [, name, value] = match
    if (name !== undefined) parameters.push([name.toLowerCase(), unquote(value as string)])
  }
  return { type: (type[1] as string).toLowerCase(), parameters }
}

/** The elements of a list. Empty elements are ignored, and commas in quoted strings are no separators. */
export function splitList(text: string): string[] {
  const elements = text.match(/(?:"(?:[^"\\]|\\.)*"|[^,])+/g) ?? []
  return elements.map((element) => element.trim()).filter(Boolean)
}
