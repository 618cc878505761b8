/**
 * Detects secrets that a person typed as a placeholder: repetitions, sequences, and words such as
 * `changeme`. It estimates the number of guesses that a program needs which tries such patterns first, like
 * the password meter zxcvbn, with a vocabulary of placeholders instead of a dictionary. A random secret of 32
 * characters of any usual alphabet exceeds the minimum, and so does a passphrase of ordinary words.
 */

/**
 * Logarithm (base 2) of the number of guesses. Of 60,000 random secrets of 16 bytes in hexadecimal digits, the
 * weakest had 83.
 */
const minBits = 70

/** What a repetition or a sequence counts, independently of its length. */
const patternBits = 7

const wordBits = 5

/** A repetition or a sequence has at least this number of characters; by chance, shorter ones are frequent. */
const minPatternLength = 3

/** Words in secrets that are meant to be replaced. Each is tried at every position, in lower case. */
const words = `
  abc access account add admin administrator after all any api app application at auth authentication bar base
  base64 battery baz be before bit bits bytes change changeit changeme changethis character characters chars chat config
  correct country day db default demo dev develop development do dont dummy ed25519 edit enter env environment eddsa example
  fallback fill fixme foo for from generate generated git github god google guest hash hello here hex hidden hmac
  hmacsha256 horse hs hs256 hunter in insecure insert internal is it iloveyou jsonwebtoken json just jwt keep key
  keyboard know knows least length letmein live local localhost login long longer lorem ipsum dolor master me message
  messages min minimum monkey must my new no nobody node not of one only or our parley pass passphrase passwd password
  phrase placeholder please private prod production project public put pw pwd qux random real really remember
  replace replaceme root safe salt sample secret secrets secure security server service session set sha sha256
  shared should sign signature signing simple some something staging staple strong string super supersecret temp
  temporary test testing tests text than that the thing this tmp to todo token tokens top ultra unsafe update use
  user username value variable very web welcome with word world xxx you your yours zzz`
  .trim()
  .split(/\s+/)

/** Characters that follow each other on a keyboard. Alphabets and digits are found as arithmetic progressions. */
const keyboardRuns = ['qwertyuiop', 'qwertzuiop', 'azertyuiop', 'asdfghjkl', 'zxcvbnm', 'yxcvbnm']
  .concat(['1234567890', '!@#$%^&*()', '1q2w3e4r5t6y7u8i9o0p', '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p'])
  .flatMap((run) => [run, [...run].reverse().join('')])

/** Digits and signs that replace letters, as in `p4ssw0rd`. */
const letterFor: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
}

/** The length of the longest word at a position. */
function wordAt(text: string, position: number): number {
  let longest = 0
  for (const word of words) {
    if (word.length > longest && text.startsWith(word, position)) longest = word.length
  }
  return longest
}

/** The length of the longest piece at a position that also begins earlier, and may overlap with itself. */
function repetitionAt(text: string, position: number): number {
  let longest = 0
  for (let start = 0; start < position; start++) {
    let length = 0
    while (position + length < text.length && text[start + length] === text[position + length]) length++
    longest = Math.max(longest, length)
  }
  return longest >= minPatternLength ? longest : 0
}

/**
 * The length of the sequence at a position in which the code of each character grows by the same step:
 * `abcd`, `9876`, and with a stride of two characters `aabbcc` and `1a2b3c`.
 */
function progressionAt(text: string, position: number, stride: number): number {
  const stepTo = (index: number) => text.charCodeAt(index) - text.charCodeAt(index - stride)
  let end = position + stride
  while (end < text.length && stepTo(end) === stepTo(position + stride)) end++
  const length = Math.min(end, text.length) - position
  return length >= minPatternLength * stride ? length : 0
}

/** The length of the longest piece at a position that is part of a run of keys. */
function keyboardRunAt(text: string, position: number): number {
  let length = minPatternLength
  while (
    position + length <= text.length &&
    keyboardRuns.some((run) => run.includes(text.slice(position, position + length)))
  ) {
    length++
  }
  return length > minPatternLength ? length - 1 : 0
}

/** What a character counts that is part of no pattern. */
function bitsOf(text: string, position: number): number {
  const character = text[position] as string
  if (/[a-z]/.test(character)) return Math.log2(26)
  if (/[0-9]/.test(character)) return Math.log2(10)
  if (character > '\x7f') return 8
  // The same separator between all words adds nothing.
  return text.indexOf(character) < position ? 1 : Math.log2(33)
}

interface Pattern {
  /** The end of a sentence such as "it …". */
  readonly fault: string
  readonly length: number
  readonly bits: number
}

/** The longest pattern at a position, or undefined if there is none. */
function patternAt(text: string, letters: string, position: number): Pattern | undefined {
  const sequence = Math.max(
    progressionAt(text, position, 1),
    progressionAt(text, position, 2),
    keyboardRunAt(text, position),
  )
  const patterns: Pattern[] = [
    { fault: 'consists of placeholder words', bits: wordBits, length: wordAt(text, position) },
    { fault: 'consists of placeholder words', bits: wordBits, length: wordAt(letters, position) },
    { fault: 'is a sequence', bits: patternBits, length: sequence },
    { fault: 'repeats itself', bits: patternBits, length: repetitionAt(text, position) },
  ]
  const longest = patterns.reduce((a, b) => (b.length > a.length ? b : a))
  return longest.length > 0 ? longest : undefined
}

/**
 * Why a secret is easy to guess, as the end of a sentence such as "it …"; undefined if it is not. The text
 * does not contain any part of the secret.
 */
export function guessableFault(secret: string): string | undefined {
  const text = secret.toLowerCase()
  const letters = text.replace(/[013457@$]/g, (character) => letterFor[character] as string)
  const lengths: Record<string, number> = {}
  let bits = 0
  let position = 0
  // Ends after about 20 characters of a random secret, so that a long one does not take longer.
  while (position < text.length && bits < minBits) {
    const pattern = patternAt(text, letters, position)
    bits += pattern?.bits ?? bitsOf(text, position)
    position += pattern?.length ?? 1
    if (pattern) lengths[pattern.fault] = (lengths[pattern.fault] ?? 0) + pattern.length
  }
  if (bits >= minBits) return undefined
  const [fault] = Object.entries(lengths).reduce(
    (a, b) => (b[1] > a[1] ? b : a),
    ['has few different characters', 0],
  )
  return fault
}
