/**
 * Detects secrets that a person typed as a placeholder: repetitions, sequences, and words such as
 * `changeme`. It estimates the number of guesses that a program needs which tries such patterns first, like
 * the password meter zxcvbn, with a vocabulary of placeholders instead of a dictionary. A random secret of 32
 * characters of any usual alphabet exceeds the minimum, and so does a passphrase of ordinary words.
 */

/**
 * Logarithm (base 2) of the number of guesses. Of 60,000 random secrets of 16 bytes in hexadecimal digits, the
 * weakest had 84.
 */
const minBits = 70

/** Characters that are considered. A longer secret is judged by its beginning. */
const maxLength = 256

/** What a repetition or a sequence counts, independently of its length. */
const patternBits = 7

const wordBits = 4

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

const wordsByInitial = Map.groupBy(words, (word) => word[0])

/** The lengths of the words at a position. */
const wordsAt = (text: string, position: number): number[] =>
  (wordsByInitial.get(text[position]) ?? [])
    .filter((word) => text.startsWith(word, position))
    .map((word) => word.length)

/** The length of the longest piece at a position that also begins earlier, and may overlap with itself. */
function repetitionAt(text: string, position: number): number {
  let longest = 0
  for (let start = 0; start < position && position + longest < text.length; start++) {
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

type Fault = 'consists of placeholder words' | 'is a sequence' | 'repeats itself'

/** A piece of a text that counts as one choice. A part of a sequence or of a repetition is one as well. */
interface Pattern {
  readonly fault: Fault
  readonly bits: number
  readonly shortest: number
  readonly longest: number
}

function patternsAt(text: string, letters: string, position: number): Pattern[] {
  const sequence = Math.max(
    progressionAt(text, position, 1),
    progressionAt(text, position, 2),
    keyboardRunAt(text, position),
  )
  const repetition = repetitionAt(text, position)
  const wordLengths = [...wordsAt(text, position), ...wordsAt(letters, position)]
  return [
    { fault: 'is a sequence', bits: patternBits, shortest: minPatternLength, longest: sequence },
    { fault: 'repeats itself', bits: patternBits, shortest: minPatternLength, longest: repetition },
    ...wordLengths.map(
      (length): Pattern => ({
        fault: 'consists of placeholder words',
        bits: wordBits,
        shortest: length,
        longest: length,
      }),
    ),
  ]
}

/** The cheapest way to the end of a text before a position, and how many characters each kind of pattern covers. */
interface Path {
  readonly bits: number
  readonly covered: Readonly<Partial<Record<Fault, number>>>
}

/**
 * Why a secret is easy to guess, as the end of a sentence such as "it …"; undefined if it is not. The text
 * does not contain any part of the secret.
 */
export function guessableFault(secret: string): string | undefined {
  const text = secret.slice(0, maxLength).toLowerCase()
  const letters = text.replace(/[013457@$]/g, (character) => letterFor[character] as string)
  const paths: (Path | undefined)[] = [{ bits: 0, covered: {} }]

  function extend(path: Path, position: number, bits: number, length: number, fault?: Fault): void {
    const end = position + length
    if (path.bits + bits >= (paths[end]?.bits ?? minBits)) return
    const covered = fault ? { ...path.covered, [fault]: (path.covered[fault] ?? 0) + length } : path.covered
    paths[end] = { bits: path.bits + bits, covered }
  }

  for (let position = 0; position < text.length; position++) {
    const path = paths[position]
    // Most positions of a random secret cannot be reached with less than the minimum.
    if (!path) continue
    extend(path, position, bitsOf(text, position), 1)
    for (const { fault, bits, shortest, longest } of patternsAt(text, letters, position)) {
      for (let length = shortest; length <= longest; length++) extend(path, position, bits, length, fault)
    }
  }
  const path = paths[text.length]
  if (!path) return undefined
  const covered = Object.entries(path.covered)
  return covered.reduce((a, b) => (b[1] > a[1] ? b : a), ['has few different characters', 0])[0]
}
