import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CommandFailure } from './output.ts'

/** The exit code of a program that SIGINT has ended. */
const interrupted = 130

interface Question {
  readonly question: string
  /** Whether the terminal shows what is typed. */
  readonly echo: boolean
}

export const isTerminal = (): boolean => process.stdin.isTTY === true

/** Asks on the terminal. The question is written to standard error, because standard output is the result. */
export function ask({ question, echo }: Question): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({
    input: process.stdin,
    output: echo ? process.stderr : silent,
    // Without echo, readline reads key by key and shows what is typed in its output only.
    terminal: !echo,
  })
  // Only now, because the terminal shows what is typed until readline has changed its mode.
  process.stderr.write(question)
  return new Promise((resolve, reject) => {
    let answer: string | undefined
    lines.on('SIGINT', () => {
      lines.close()
      process.exit(interrupted)
    })
    lines.once('line', (line) => {
      answer = line
      lines.close()
    })
    lines.once('close', () => {
      if (!echo) process.stderr.write('\n')
      if (answer === undefined) reject(new CommandFailure('Nothing was entered.'))
      else resolve(answer)
    })
  })
}

/** Asks for a confirmation on the terminal. @throws CommandFailure unless it is given */
export async function confirm(question: string): Promise<void> {
  if (!isTerminal()) {
    throw new CommandFailure('Confirm with --yes: standard input is not a terminal that could ask.')
  }
  const answer = await ask({ question: `${question} [y/N] `, echo: true })
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure('Nothing was changed.')
}

async function readLine(): Promise<string> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await Bun.stdin.bytes())
  } catch {
    throw new CommandFailure('The password on standard input is not UTF-8.')
  }
  const [line = '', ...rest] = text.split(/\r?\n/)
  if (rest.some((each) => each !== '')) {
    throw new CommandFailure('Standard input must be one line with the password.')
  }
  return line
}

/**
 * Reads a password: on a terminal twice, without showing it; otherwise one line of standard input. Arguments and
 * the environment are visible to other users and stay in histories, so passwords never come from there.
 */
export async function readPassword(username: string): Promise<string> {
  if (!isTerminal()) return readLine()
  const password = await ask({ question: `Password for ${username}: `, echo: false })
  const repeated = await ask({ question: 'The same password again: ', echo: false })
  if (password !== repeated) throw new CommandFailure('The passwords differ. Nothing was changed.')
  return password
}
