import { type MediaType, parseMediaType, splitList } from './field-values.ts'

interface Preference {
  readonly quality: number
  /** 0 for the range that matches everything, 1 for all subtypes of a type, 2 for one media type. */
  readonly specificity: number
}

const none: Preference = { quality: 0, specificity: -1 }

/** A weight that is malformed says nothing; the client has named the type or the coding. */
const parseWeight = (weight: string) =>
  /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 1

const qualityOf = ({ parameters }: MediaType) =>
  parseWeight(parameters.find(([name]) => name === 'q')?.[1] ?? '1')

/** How much a client wants a media type: the most specific of its ranges decides (RFC 9110, section 12.5.1). */
function preference(ranges: readonly MediaType[], type: string): Preference {
  const matching = ['*/*', `${type.split('/')[0]}/*`, type]
  return ranges.reduce<Preference>((best, range) => {
    const specificity = matching.indexOf(range.type)
    return specificity > best.specificity ? { quality: qualityOf(range), specificity } : best
  }, none)
}

/**
 * Whether a client prefers HTML to JSON. JSON is the default: a client that accepts both alike, or everything,
 * or neither, receives it.
 */
export function prefersHtml(request: Request): boolean {
  const ranges = splitList(request.headers.get('accept') ?? '*/*').flatMap(
    (each) => parseMediaType(each) ?? [],
  )
  const html = preference(ranges, 'text/html')
  const json = preference(ranges, 'application/json')
  if (html.quality !== json.quality) return html.quality > json.quality
  return html.quality > 0 && html.specificity > json.specificity
}

/** Whether a client accepts a content coding (RFC 9110, section 12.5.3). A client that names none gets none. */
export function acceptsEncoding(request: Request, coding: string): boolean {
  const weights = new Map(
    splitList(request.headers.get('accept-encoding') ?? '').map((element): [string, number] => {
      const [name = '', weight = '1'] = element.toLowerCase().split(/[ \t]*;[ \t]*q=/)
      return [name, parseWeight(weight)]
    }),
  )
  return (weights.get(coding) ?? weights.get('*') ?? 0) > 0
}
