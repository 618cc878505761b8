/** An IP address in its canonical form: an IPv4 address that is mapped into IPv6 is an IPv4 address. */
export interface IpAddress {
  readonly family: 'ipv4' | 'ipv6'
  /** Dotted decimal, or eight groups of hexadecimal digits without leading zeros. */
  readonly text: string
}

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ipv4 = `${octet}(?:\\.${octet}){3}`
const ipv4Pattern = new RegExp(`^${ipv4}$`)
const ipv4EndPattern = new RegExp(`(?<=:)${ipv4}$`)
const zonePattern = /%[\da-z.:-]+$/i
const groupPattern = /^[\da-f]{1,4}$/i

function isIpv6(text: string): boolean {
  const sides = text.replace(zonePattern, '').replace(ipv4EndPattern, '0:0').split('::')
  const groups = sides.flatMap((side) => (side === '' ? [] : side.split(':')))
  const isComplete = sides.length === 1 ? groups.length === 8 : sides.length === 2 && groups.length < 8
  return isComplete && groups.every((group) => groupPattern.test(group))
}

/**
 * The version of the address, or 0 if the text is not an address, as `isIP` of `node:net` returns it. That module loads
 * the streams of Node, which would delay each start (docs/decisions/startup.md). The parser of URLs is no replacement:
 * Bun's refuses some addresses that end in dotted decimal.
 */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (ipv4Pattern.test(text)) return 4
  return isIpv6(text) ? 6 : 0
}

const dottedDecimal = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join('.')

/** The groups of one side of `::`. A final part in dotted decimal is two groups. */
function readGroups(text: string): number[] {
  return text
    .split(':')
    .filter(Boolean)
    .flatMap((part) => {
      if (!part.includes('.')) return [Number.parseInt(part, 16)]
      const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
      return [(a << 8) | b, (c << 8) | d]
    })
}

/** The eight groups of a valid IPv6 address. */
function expand(text: string): number[] {
  const [head = '', tail] = text.split('::')
  const before = readGroups(head)
  if (tail === undefined) return before
  const after = readGroups(tail)
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

/**
 * Parses an IP address in any notation: abbreviated or complete, in upper or lower case, with a zone, in
 * brackets, or as IPv4 mapped into IPv6 in decimal or hexadecimal digits. The zone is dropped.
 *
 * @returns undefined if the text is not an address
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const inBrackets = /^\[([^[\]]*)\]$/.exec(text)?.[1]
  const [address = '', zone] = (inBrackets ?? text).split('%', 2)
  const version = ipVersion(address)
  if (version === 0 || zone === '') return undefined
  if (version === 4) {
    return inBrackets === undefined && zone === undefined ? { family: 'ipv4', text: address } : undefined
  }
  const groups = expand(address)
  const [, , , , , marker, high = 0, low = 0] = groups
  const isMapped = marker === 0xffff && groups.slice(0, 5).every((group) => group === 0)
  return isMapped
    ? { family: 'ipv4', text: dottedDecimal(high, low) }
    : { family: 'ipv6', text: groups.map((group) => group.toString(16)).join(':') }
}

/**
 * Parses a node of a forwarded header (RFC 7239, section 6): an address that may have a port, be in
 * brackets and be quoted. Returns undefined for `unknown`, for obfuscated nodes such as `_hidden`, and for
 * any other text.
 */
export function parseNode(text: string): IpAddress | undefined {
  const node = text.trim().replace(/^"(.*)"$/, '$1')
  const withoutPort = /^(\[[^[\]]*\]|[^:]*):(?:\d{1,5}|_[\w.-]+)$/.exec(node)?.[1]
  return parseIpAddress(withoutPort ?? node)
}

/** Whether the address means every address of this machine, as in `HOST=0.0.0.0`. */
export const isUnspecified = ({ text }: IpAddress) => text === '0.0.0.0' || text === '0:0:0:0:0:0:0:0'
